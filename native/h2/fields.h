// Header fields as one text, both ways: name, NUL, value, NUL, and so on. Neither may hold a NUL.
//
// Threads: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "h2/nghttp2_abi.h"

namespace holdfast {

inline void AppendField(std::string* text, std::string_view name, std::string_view value) {
  text->append(name).push_back('\0');
  text->append(value).push_back('\0');
}

// Calls `visit(name, value)` for each, until one says false. False if the text is no list of pairs.
template <typename Visit>
bool ForEachField(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const size_t name_end = text.find('\0');
    if (name_end == std::string_view::npos) return false;
    const size_t value_end = text.find('\0', name_end + 1);
    if (value_end == std::string_view::npos) return false;
    const std::string_view value = text.substr(name_end + 1, value_end - name_end - 1);
    if (!visit(text.substr(0, name_end), value)) return true;
    text.remove_prefix(value_end + 1);
  }
  return true;
}

// What is sent: the fields as the library wants them, pointing into `text`. False if one of them
// could be read as anything else by somebody on the way (RFC 9113, section 8.2.1), or belongs to
// HTTP/1.1's connection (section 8.2.2).
bool ParseFields(std::string_view text, std::vector<ng::NameValue>* out);

// The value of the first field of that name; empty if there is none.
std::string_view FindField(std::string_view text, std::string_view name);

}  // namespace holdfast
