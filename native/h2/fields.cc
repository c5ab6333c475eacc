#include "h2/fields.h"

#include <algorithm>
#include <array>

namespace holdfast {
namespace {

// The characters of a token (RFC 9110, section 5.6.2), in lower case.
constexpr std::array<bool, 256> kNameCharacters = [] {
  std::array<bool, 256> allowed{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")) {
    allowed[static_cast<uint8_t>(c)] = true;
  }
  return allowed;
}();

bool IsName(std::string_view name) {
  if (name.starts_with(':')) name.remove_prefix(1);
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return kNameCharacters[static_cast<uint8_t>(c)];
  });
}

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

bool IsValue(std::string_view value) {
  if (!value.empty() && (IsBlank(value.front()) || IsBlank(value.back()))) return false;
  return std::all_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<uint8_t>(c);
    return (byte >= 0x20 && byte != 0x7F) || byte == '\t';
  });
}

bool BelongsToConnection(std::string_view name) {
  return name == "connection" || name == "keep-alive" || name == "proxy-connection" ||
         name == "transfer-encoding" || name == "upgrade";
}

// The library's field is not const, though it does not write.
uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
}

}  // namespace

bool ParseFields(std::string_view text, std::vector<ng::NameValue>* out) {
  out->clear();
  bool good = true;
  const bool pairs = ForEachField(text, [&](std::string_view name, std::string_view value) {
    good = good && IsName(name) && IsValue(value) && !BelongsToConnection(name);
    out->push_back({Bytes(name), Bytes(value), name.size(), value.size(), 0});
    return true;
  });
  return pairs && good;
}

std::string_view FindField(std::string_view text, std::string_view name) {
  std::string_view found;
  (void)ForEachField(text, [&](std::string_view field, std::string_view value) {
    if (field != name) return true;
    found = value;
    return false;
  });
  return found;
}

}  // namespace holdfast
