#include "codec/websocket.h"

#include <cstring>

namespace holdfast {
namespace {

constexpr uint8_t kFinal = 0x80;
constexpr uint8_t kText = 1;
constexpr uint8_t kBinary = 2;

// The 7-bit length, or a mark that 16 or 64 bits of length follow. Only the shortest form is legal.
constexpr size_t kMaxShort = 125;
constexpr size_t kMaxMedium = 0xFFFF;
constexpr uint8_t kMedium = 126;
constexpr uint8_t kLong = 127;

uint8_t* PutBigEndian(uint64_t value, size_t bytes, uint8_t* out) {
  for (size_t i = bytes; i-- > 0;) *out++ = static_cast<uint8_t>(value >> (8 * i));
  return out;
}

}  // namespace

size_t WebSocketEncodedSize(size_t payload_bytes) {
  const size_t length_bytes = payload_bytes <= kMaxShort ? 0 : payload_bytes <= kMaxMedium ? 2 : 8;
  return 2 + length_bytes + payload_bytes;
}

void WebSocketEncode(std::string_view payload, bool binary, uint8_t* out) {
  const size_t size = payload.size();
  *out++ = kFinal | (binary ? kBinary : kText);
  if (size <= kMaxShort) {
    *out++ = static_cast<uint8_t>(size);
  } else if (size <= kMaxMedium) {
    *out++ = kMedium;
    out = PutBigEndian(size, 2, out);
  } else {
    *out++ = kLong;
    out = PutBigEndian(size, 8, out);
  }
  if (size != 0) std::memcpy(out, payload.data(), size);
}

}  // namespace holdfast
