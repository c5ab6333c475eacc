// ClientHellos: built to order, and one as Node's own client sent it.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::test {

inline std::string BigEndian(size_t number, size_t width) {
  std::string bytes(width, '\0');
  for (size_t i = width; i-- > 0; number >>= 8) bytes[i] = static_cast<char>(number & 0xFF);
  return bytes;
}

// `text` behind its length.
inline std::string WithLength(size_t width, std::string_view text) {
  return BigEndian(text.size(), width) + std::string(text);
}

inline std::string Extension(uint32_t type, std::string_view data) {
  return BigEndian(type, 2) + WithLength(2, data);
}

inline std::string ServerNameExtension() {
  return Extension(0, WithLength(2, std::string(1, '\0') + WithLength(2, "localhost")));
}

inline std::string AlpnExtension(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += WithLength(1, name);
  return Extension(16, WithLength(2, list));
}

// The handshake message, of which a record is made by InRecords.
inline std::string HelloMessage(std::string_view extensions) {
  const std::string body = std::string("\x03\x03") + std::string(32, 'r') +
                           WithLength(1, std::string(32, 's')) +
                           WithLength(2, std::string_view("\x13\x01\x13\x02", 4)) +
                           WithLength(1, std::string_view("\0", 1)) + WithLength(2, extensions);
  return std::string("\x01") + WithLength(3, body);
}

inline std::string InRecords(std::string_view message, size_t most = 1 << 14) {
  std::string records;
  for (; !message.empty(); message.remove_prefix(std::min(most, message.size()))) {
    records += std::string("\x16\x03\x01") + WithLength(2, message.substr(0, most));
  }
  return records;
}

// One record. No names: no ALPN at all. `padding`: bytes of an extension that says nothing.
inline std::string ClientHello(const std::vector<std::string>& names, size_t padding = 0) {
  std::string extensions = ServerNameExtension();
  if (padding > 0) extensions += Extension(21, std::string(padding, '\0'));
  if (!names.empty()) extensions += AlpnExtension(names);
  return InRecords(HelloMessage(extensions));
}

// Node 20, tls.connect({ ALPNProtocols: ['h2'], maxVersion: 'TLSv1.2' }).
inline std::string RecordedHello() {
  constexpr std::string_view kHex =
      "160301010a0100010603031611ca0c3d516ff2d08796c6efd3fe721b5850ea9b9c121a3d04923c2c23673f0000"
      "70c02fc02bc030c02c009ec0270067c028006b00a3009fcca9cca8ccaac0afc0adc0a3c09fc05dc061c057c053"
      "00a2c0aec0acc0a2c09ec05cc060c056c052c024006ac0230040c00ac01400390038c009c01300330032009dc0"
      "a1c09dc051009cc0a0c09cc050003d003c0035002f00ff0100006d0000000e000c0000096c6f63616c686f7374"
      "000b000403000102000a000c000a001d0017001e00190018002300000010000500030268320016000000170000"
      "000d002a0028040305030603080708080809080a080b0804080508060401050106010303030103020402050206"
      "02";
  std::string bytes;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (size_t i = 0; i < kHex.size(); i += 2) {
    bytes += static_cast<char>(digit(kHex[i]) << 4 | digit(kHex[i + 1]));
  }
  return bytes;
}

}  // namespace holdfast::test
