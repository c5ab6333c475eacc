#include "codec/websocket.h"

#include <string>
#include <vector>

#include "support/doctest.h"

namespace holdfast::test {
namespace {

// Encodes between guard bytes: one byte more or less than announced shows.
std::string Encoded(std::string_view payload, bool binary) {
  const size_t size = WebSocketEncodedSize(payload.size());
  std::vector<uint8_t> memory(size + 16, 0xA5);
  WebSocketEncode(payload, binary, memory.data() + 8);
  for (size_t i = 0; i < 8; i++) {
    EXPECT(memory[i] == 0xA5);
    EXPECT(memory[8 + size + i] == 0xA5);
  }
  return {reinterpret_cast<const char*>(memory.data()) + 8, size};
}

}  // namespace

// The examples of RFC 6455, section 5.7, and each side of the places where the length grows.
TEST_CASE("websocket: a message is one final frame, text or binary, with the shortest length") {
  using namespace std::string_literals;
  EXPECT(Encoded("Hello", false) == "\x81\x05Hello");
  EXPECT(Encoded("", false) == "\x81\x00"s);
  EXPECT(Encoded("", true) == "\x82\x00"s);
  const auto header = [](size_t size) {
    const std::string payload(size, 'x');
    const std::string encoded = Encoded(payload, true);
    const size_t header_size = encoded.size() - size;
    EXPECT(encoded.substr(header_size) == payload);
    return encoded.substr(0, header_size);
  };
  EXPECT(header(125) == "\x82\x7D");
  EXPECT(header(126) == "\x82\x7E\x00\x7E"s);
  EXPECT(header(256) == "\x82\x7E\x01\x00"s);
  EXPECT(header(65535) == "\x82\x7E\xFF\xFF");
  EXPECT(header(65536) == "\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00"s);
  EXPECT(header(0x1234567) == "\x82\x7F\x00\x00\x00\x00\x01\x23\x45\x67"s);
}

}  // namespace holdfast::test
