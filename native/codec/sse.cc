#include "codec/sse.h"

#include <cstdio>
#include <cstring>

namespace holdfast {
namespace {

// Where the first line of `text` ends; its size if it is all one line. memchr, since most are.
size_t LineEnd(std::string_view text) {
  const void* lf = std::memchr(text.data(), '\n', text.size());
  const size_t end =
      lf == nullptr ? text.size() : static_cast<size_t>(static_cast<const char*>(lf) - text.data());
  const void* cr = std::memchr(text.data(), '\r', end);
  return cr == nullptr ? end : static_cast<size_t>(static_cast<const char*>(cr) - text.data());
}

// Calls field(name, value) for each line of the message, in the order they are sent.
template <typename Field>
void ForEachField(const SseMessage& message, Field field) {
  if (!message.event.empty()) field("event: ", message.event);
  if (message.has_id) field("id: ", message.id);
  if (message.retry_ms >= 0) {
    char digits[24];
    const int length =
        std::snprintf(digits, sizeof digits, "%lld", static_cast<long long>(message.retry_ms));
    field("retry: ", std::string_view(digits, static_cast<size_t>(length)));
  }
  if (!message.has_data) return;
  std::string_view rest = message.data;
  for (;;) {
    const size_t end = rest.empty() ? 0 : LineEnd(rest);
    field("data: ", rest.substr(0, end));
    if (end == rest.size()) return;
    const bool crlf = rest[end] == '\r' && end + 1 < rest.size() && rest[end + 1] == '\n';
    rest.remove_prefix(end + (crlf ? 2 : 1));
  }
}

}  // namespace

size_t SseEncodedSize(const SseMessage& message) {
  size_t size = 1;
  ForEachField(message, [&](std::string_view name, std::string_view value) {
    size += name.size() + value.size() + 1;
  });
  return size;
}

void SseEncode(const SseMessage& message, uint8_t* out) {
  const auto put = [&](std::string_view text) {
    if (text.empty()) return;  // its data may be nullptr, which memcpy must not be given
    std::memcpy(out, text.data(), text.size());
    out += text.size();
  };
  ForEachField(message, [&](std::string_view name, std::string_view value) {
    put(name);
    put(value);
    put("\n");
  });
  put("\n");
}

}  // namespace holdfast
