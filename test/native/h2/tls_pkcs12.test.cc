// A key and its certificates in one file: what is in it is used, and what is none ends nothing.
#include "h2/tls_pkcs12.h"

#include "support/tls_server.h"

namespace holdfast::test {
namespace {

// Why it cannot be read; empty if it can. The library's queue of errors is empty either way.
std::string WhyNot(const TlsBundle& bundle) {
  LoadedOpenSsl();
  std::string why_not;
  const auto read = ReadPkcs12(bundle, &why_not);
  EXPECT(read.has_value() == why_not.empty());
  EXPECT(OpenSsl().ERR_get_error() == 0);
  return why_not;
}

}  // namespace

TEST_CASE("a bundle is read with its passphrase only: its key, its certificate, the chain behind") {
  const TlsBundle bundle = Certificates::Bundle(Certificates::For("localhost"), "secret");
  EXPECT(WhyNot(bundle).empty());
  std::string why_not;
  const auto read = ReadPkcs12(bundle, &why_not);
  REQUIRE(read.has_value());
  EXPECT(read->key != nullptr);
  REQUIRE(read->chain.size() == 2);
  EXPECT(DnsNamesOf(read->chain[0].get()).front() == "localhost");
  EXPECT(DnsNamesOf(read->chain[1].get()).front() == "authority");
  EXPECT(WhyNot({bundle.bytes, ""}) == "pfx: mac verify failure");
  EXPECT(WhyNot({bundle.bytes, "wrong"}) == "pfx: mac verify failure");
  EXPECT(WhyNot({bundle.bytes, std::string(5000, 'x')}) == "pfx: mac verify failure");
  EXPECT(WhyNot(Certificates::Bundle(Certificates::For("localhost"), "")).empty());
}

TEST_CASE("a bundle that lacks its key or its certificate is refused") {
  const TlsKeyPair& pair = Certificates::For("localhost");
  EXPECT(WhyNot(Certificates::Bundle(pair, "x", "-nokeys")) == "pfx: has no key");
  EXPECT(WhyNot(Certificates::Bundle(pair, "x", "-nocerts")) ==
         "pfx: has no certificate of its key");
}

TEST_CASE("a bundle that is cut or spoilt anywhere is refused or read: it ends nothing") {
  const TlsBundle bundle = Certificates::Bundle(Certificates::For("localhost"), "secret");
  EXPECT(WhyNot({"", ""}) == "pfx: empty");
  EXPECT(WhyNot({"nonsense", ""}).starts_with("pfx: "));
  for (size_t at = 0; at < bundle.bytes.size(); at += 13) {
    EXPECT(WhyNot({bundle.bytes.substr(0, at), "secret"}).starts_with("pfx: "));
  }
  // A spoilt number of rounds would only take its time.
  for (size_t at = 0; at < bundle.bytes.size() - 100; at += 61) {
    TlsBundle spoilt = bundle;
    spoilt.bytes[at] = static_cast<char>(spoilt.bytes[at] ^ 0x40);
    EXPECT(WhyNot(spoilt).starts_with("pfx: "));
  }
}

TEST_CASE("a bundle serves clients, alone and beside a pair of another type of key") {
  TlsSettings settings = TlsFor();
  settings.identity.pairs = {Certificates::For("rsa.example", Certificates::kRsa)};
  settings.identity.bundles = {Certificates::Bundle(Certificates::For("localhost"), "secret")};
  TlsClientOptions client;
  client.version = ossl::kTls12;
  client.ciphers = "ECDHE-RSA-AES128-GCM-SHA256";
  EXPECT(H2TlsServer(settings, client).client().server() == "rsa.example");
  client.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
  EXPECT(H2TlsServer(settings, client).client().server() == "localhost");
  settings.identity.pairs.clear();
  H2TlsServer alone(settings);
  REQUIRE(alone.connected);
  ExpectServed(alone);
}

}  // namespace holdfast::test
