// Server-sent events, the wire form (WHATWG HTML, section 9.2.6). Bytes to bytes; knows no carrier.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace holdfast {

// `event` and `id` must hold no CR, LF or NUL (the typed layer refuses them); `data` may hold
// anything: each CR, LF or CRLF in it begins a further data line, so no text of it can be read as
// another field.
struct SseMessage {
  std::string_view data;
  std::string_view event;
  std::string_view id;
  bool has_id = false;  // an empty id is one: it resets the client's last event id
  int64_t retry_ms = -1;
  bool has_data = true;  // without any, the fields are told and no event comes of them
};

size_t SseEncodedSize(const SseMessage& message);
// Writes exactly SseEncodedSize(message) bytes.
void SseEncode(const SseMessage& message, uint8_t* out);

}  // namespace holdfast
