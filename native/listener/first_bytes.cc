#include "listener/first_bytes.h"

#include <algorithm>
#include <string_view>

namespace holdfast {
namespace {

using Bytes = std::span<const uint8_t>;

// As much of the preface as needs to be seen: no other protocol's first line begins like this.
constexpr std::string_view kPreface = "PRI * HTTP/2";

constexpr uint8_t kHandshakeRecord = 22;
constexpr uint8_t kMajorVersion = 3;  // of TLS 1.0 to 1.3, and of SSL 3
constexpr uint8_t kClientHello = 1;
constexpr size_t kRecordHeader = 5;
constexpr size_t kMessageHeader = 4;
constexpr uint32_t kAlpnExtension = 16;

// A cursor that cannot pass its end: once a read has failed, so do all that follow.
class Reader {
 public:
  explicit Reader(Bytes bytes) : left_(bytes) {}

  bool more() const { return !failed_ && !left_.empty(); }
  bool done() const { return !failed_ && left_.empty(); }

  Bytes Take(size_t size) {
    if (failed_ || size > left_.size()) {
      failed_ = true;
      return {};
    }
    const Bytes taken = left_.first(size);
    left_ = left_.subspan(size);
    return taken;
  }
  uint32_t Number(size_t width) {
    uint32_t number = 0;
    for (const uint8_t byte : Take(width)) number = number << 8 | byte;
    return number;
  }
  // What stands behind its own length.
  Bytes Vector(size_t width) { return Take(Number(width)); }

 private:
  Bytes left_;
  bool failed_ = false;
};

// RFC 7301, 3.1.
bool ListsHttp2(Bytes extension) {
  constexpr std::string_view kName = "h2";
  Reader outer(extension);
  Reader names(outer.Vector(2));
  bool listed = false;
  while (names.more()) {
    const Bytes name = names.Vector(1);
    if (name.empty()) return false;
    if (std::equal(name.begin(), name.end(), kName.begin(), kName.end())) listed = true;
  }
  return listed && names.done() && outer.done();
}

// The body of a ClientHello (RFC 8446, 4.1.2).
bool OffersHttp2(Bytes body) {
  constexpr size_t kVersionAndRandom = 2 + 32;
  Reader hello(body);
  hello.Take(kVersionAndRandom);
  hello.Vector(1);  // session id
  hello.Vector(2);  // cipher suites
  hello.Vector(1);  // compression methods
  Reader extensions(hello.Vector(2));
  bool offered = false;
  while (extensions.more()) {
    const uint32_t type = extensions.Number(2);
    const Bytes extension = extensions.Vector(2);
    if (type == kAlpnExtension) offered = ListsHttp2(extension);
  }
  return offered && extensions.done() && hello.done();
}

}  // namespace

FirstBytes ReadClearText(Bytes bytes) {
  const size_t size = std::min(bytes.size(), kPreface.size());
  if (!std::equal(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size), kPreface.begin())) {
    return FirstBytes::kOther;
  }
  return size == kPreface.size() ? FirstBytes::kHttp2 : FirstBytes::kNeedMore;
}

FirstBytes ReadClientHello(Bytes bytes) {
  // What is no hello is told by the first byte that shows it: such a peer may send no more.
  const auto differs = [bytes](size_t at, uint8_t wanted) {
    return bytes.size() > at && bytes[at] != wanted;
  };
  if (differs(0, kHandshakeRecord) || differs(1, kMajorVersion) ||
      differs(kRecordHeader, kClientHello)) {
    return FirstBytes::kOther;
  }
  if (bytes.size() < kRecordHeader) return FirstBytes::kNeedMore;
  Reader headers(bytes.subspan(3));
  const size_t record = headers.Number(2);
  if (record < kMessageHeader || record > kMostClientHello - kRecordHeader) {
    return FirstBytes::kOther;
  }
  if (bytes.size() < kRecordHeader + kMessageHeader) return FirstBytes::kNeedMore;
  headers.Take(1);
  // Longer than its record: it goes on in another. Shorter: something follows that should not.
  const size_t message = headers.Number(3);
  if (kMessageHeader + message != record) return FirstBytes::kOther;
  if (bytes.size() < kRecordHeader + record) return FirstBytes::kNeedMore;
  return OffersHttp2(bytes.subspan(kRecordHeader + kMessageHeader, message)) ? FirstBytes::kHttp2
                                                                             : FirstBytes::kOther;
}

}  // namespace holdfast
