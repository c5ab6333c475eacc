// WebSocket data messages as a server sends them, each one frame: header and payload, not masked
// (RFC 6455, section 5.2). Bytes to bytes; knows no carrier.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace holdfast {

size_t WebSocketEncodedSize(size_t payload_bytes);
// Writes exactly WebSocketEncodedSize(payload.size()) bytes. A text must be UTF-8.
void WebSocketEncode(std::string_view payload, bool binary, uint8_t* out);

}  // namespace holdfast
