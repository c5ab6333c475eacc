#include "listener/first_bytes.h"

#include <cstring>
#include <memory>

#include "support/client_hello.h"
#include "support/doctest.h"
#include "support/random.h"

namespace holdfast::test {
namespace {

using Reading = FirstBytes (*)(std::span<const uint8_t>);

// From a block of just that size, so that a sanitizer sees one byte too far.
FirstBytes Read(Reading read, std::string_view bytes) {
  const std::unique_ptr<uint8_t[]> copy(new uint8_t[bytes.size()]);
  if (!bytes.empty()) std::memcpy(copy.get(), bytes.data(), bytes.size());
  return read({copy.get(), bytes.size()});
}

// With how many of the bytes it tells; it must have stood by it ever after. 0: never.
size_t ToldAt(Reading read, std::string_view bytes, FirstBytes expected) {
  size_t told = 0;
  for (size_t size = 0; size <= bytes.size(); size++) {
    const FirstBytes now = Read(read, bytes.substr(0, size));
    if (told == 0 && now != FirstBytes::kNeedMore) told = size;
    EXPECT(now == (told == 0 ? FirstBytes::kNeedMore : expected));
  }
  return told;
}

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

}  // namespace

TEST_CASE("the preface of HTTP/2 is known by the bytes that no other protocol has") {
  EXPECT(ToldAt(ReadClearText, kPreface, FirstBytes::kHttp2) == std::strlen("PRI * HTTP/2"));
}

TEST_CASE("clear text that is no preface is known by the first byte that differs") {
  EXPECT(ToldAt(ReadClearText, "GET / HTTP/1.1\r\n\r\n", FirstBytes::kOther) == 1);
  EXPECT(ToldAt(ReadClearText, "POST / HTTP/1.1\r\n\r\n", FirstBytes::kOther) == 2);
  EXPECT(ToldAt(ReadClearText, "PROPFIND / HTTP/1.1\r\n\r\n", FirstBytes::kOther) == 3);
  EXPECT(ToldAt(ReadClearText, "PRI * HTTP/1.1\r\n\r\n", FirstBytes::kOther) == 12);
  EXPECT(ToldAt(ReadClearText, ClientHello({"h2"}), FirstBytes::kOther) == 1);
  EXPECT(Read(ReadClearText, std::string_view("\0", 1)) == FirstBytes::kOther);
}

TEST_CASE("a hello that offers h2 is told as HTTP/2 when it is there to its last byte") {
  const std::vector<std::vector<std::string>> offers = {
      {"h2"}, {"h2", "http/1.1"}, {"http/1.1", "h2"}, {"grease", "spdy/3", "h2", "h3"}};
  for (const auto& names : offers) {
    const std::string hello = ClientHello(names);
    EXPECT(ToldAt(ReadClientHello, hello, FirstBytes::kHttp2) == hello.size());
  }
  EXPECT(ToldAt(ReadClientHello, RecordedHello(), FirstBytes::kHttp2) == RecordedHello().size());
}

TEST_CASE("a hello without h2 is told as something else when it is there to its last byte") {
  const std::vector<std::vector<std::string>> offers = {{},     {"http/1.1"},       {"h2c"}, {"h"},
                                                        {"H2"}, {"http/1.1", "h3"}, {"xh2"}};
  for (const auto& names : offers) {
    const std::string hello = ClientHello(names);
    EXPECT(ToldAt(ReadClientHello, hello, FirstBytes::kOther) == hello.size());
  }
  // Where another extension holds the very bytes.
  const std::string decoy =
      InRecords(HelloMessage(Extension(17, WithLength(2, WithLength(1, "h2")))));
  EXPECT(Read(ReadClientHello, decoy) == FirstBytes::kOther);
  // TLS 1.2 allows a hello that ends before the extensions.
  std::string bare = HelloMessage("");
  bare.resize(bare.size() - 2);
  bare.replace(1, 3, BigEndian(bare.size() - 4, 3));
  EXPECT(Read(ReadClientHello, InRecords(bare)) == FirstBytes::kOther);
}

TEST_CASE("what follows the hello changes nothing") {
  EXPECT(Read(ReadClientHello, ClientHello({"h2"}) + "anything") == FirstBytes::kHttp2);
  EXPECT(Read(ReadClientHello, ClientHello({}) + ClientHello({"h2"})) == FirstBytes::kOther);
}

TEST_CASE("what is no TLS is known by the first byte that shows it") {
  EXPECT(ToldAt(ReadClientHello, "GET / HTTP/1.1\r\n\r\n", FirstBytes::kOther) == 1);
  EXPECT(ToldAt(ReadClientHello, kPreface, FirstBytes::kOther) == 1);
  EXPECT(ToldAt(ReadClientHello, "\x16\x02\x01", FirstBytes::kOther) == 2);
  // An alert, a server's hello, and records that are empty or larger than any may be.
  EXPECT(ToldAt(ReadClientHello, "\x15\x03\x01", FirstBytes::kOther) == 1);
  EXPECT(ToldAt(ReadClientHello, std::string("\x16\x03\x01\0\x40\x02", 6), FirstBytes::kOther) ==
         6);
  EXPECT(ToldAt(ReadClientHello, std::string("\x16\x03\x01\0\0", 5), FirstBytes::kOther) == 5);
  EXPECT(ToldAt(ReadClientHello, std::string("\x16\x03\x01\x40\x01", 5), FirstBytes::kOther) == 5);
}

TEST_CASE("a hello spread over records is something else as soon as its length is seen") {
  const std::string message = HelloMessage(AlpnExtension({"h2"}));
  for (const size_t most : {message.size() - 1, message.size() / 2, size_t{4}}) {
    EXPECT(ToldAt(ReadClientHello, InRecords(message, most), FirstBytes::kOther) == 9);
  }
  // Not even its header fits the first.
  EXPECT(ToldAt(ReadClientHello, InRecords(message, 3), FirstBytes::kOther) == 5);
  // Something stands behind it in its record.
  EXPECT(Read(ReadClientHello, InRecords(message + "x")) == FirstBytes::kOther);
}

TEST_CASE("the largest hello that one record holds is read, and the bound is its size") {
  const size_t room = (1 << 14) - (ClientHello({"h2"}).size() - 5) - 4;
  const std::string largest = ClientHello({"h2"}, room);
  REQUIRE(largest.size() == kMostClientHello);
  EXPECT(Read(ReadClientHello, largest) == FirstBytes::kHttp2);
  EXPECT(Read(ReadClientHello, largest.substr(0, largest.size() - 1)) == FirstBytes::kNeedMore);
  EXPECT(Read(ReadClientHello, ClientHello({"h2"}, room + 1)) == FirstBytes::kOther);
}

TEST_CASE("a hello with any length made wrong is not taken for HTTP/2") {
  const auto is_other = [](const std::string& message) {
    return Read(ReadClientHello, InRecords(message)) == FirstBytes::kOther;
  };
  const std::string good = HelloMessage(AlpnExtension({"h2"}));
  REQUIRE(Read(ReadClientHello, InRecords(good)) == FirstBytes::kHttp2);
  // Session id, compression methods, extensions, ALPN, its list, its name.
  for (const size_t at : {38u, 77u, 80u, 84u, 86u, 87u}) {
    for (const int by : {-1, 1}) {
      std::string wrong = good;
      wrong[at] = static_cast<char>(wrong[at] + by);
      EXPECT(is_other(wrong));
    }
  }
  EXPECT(is_other(HelloMessage(Extension(16, ""))));
  EXPECT(is_other(HelloMessage(Extension(16, WithLength(2, "")))));
  EXPECT(is_other(HelloMessage(AlpnExtension({"", "h2"}))));
  EXPECT(is_other(HelloMessage(AlpnExtension({"h2", ""}))));
  EXPECT(is_other(HelloMessage(AlpnExtension({"h2"}) + "x")));
}

TEST_CASE("random bytes and broken hellos are told within the bound and the same way ever after") {
  Random random("first bytes");
  for (int round = 0; round < 20'000; round++) {
    std::string bytes = random.OneIn(8) ? std::string(kPreface) : ClientHello({"h2", "http/1.1"});
    for (uint32_t changes = random.Below(4); changes-- > 0;) {
      bytes[random.Below(static_cast<uint32_t>(bytes.size()))] = static_cast<char>(random.Next());
    }
    if (random.OneIn(4)) bytes.resize(random.Below(300), 'x');
    std::string most = bytes;
    most.resize(kMostClientHello, 'x');
    const std::string less = bytes.substr(0, random.Below(static_cast<uint32_t>(bytes.size()) + 1));
    for (const Reading read : {Reading{ReadClearText}, Reading{ReadClientHello}}) {
      const FirstBytes told = Read(read, most);
      REQUIRE(told != FirstBytes::kNeedMore);
      for (const FirstBytes early : {Read(read, less), Read(read, bytes)}) {
        REQUIRE((early == told || early == FirstBytes::kNeedMore));
      }
    }
  }
}

}  // namespace holdfast::test
