// What a port's TLS is made of: every fault of the settings has a reason, and none ends the
// process.
#include "h2/tls_context.h"

#include "h2/tls_port.h"
#include "support/certificates.h"
#include "support/openssl_library.h"

namespace holdfast::test {
namespace {

TlsSettings Settings() {
  LoadedOpenSsl();
  TlsSettings settings;
  settings.identity.pairs = {Certificates::For("localhost")};
  return settings;
}

// Why it cannot be made; empty if it can. The library's queue of errors is empty either way.
std::string WhyNot(const TlsSettings& settings) {
  std::string why_not;
  const auto context = TlsContext::Make(settings, &why_not);
  EXPECT((context == nullptr) == !why_not.empty());
  EXPECT(OpenSsl().ERR_get_error() == 0);
  return why_not;
}

}  // namespace

TEST_CASE("a certificate, its chain and its key make a context") {
  TlsSettings settings = Settings();
  EXPECT(WhyNot(settings).empty());
  settings.identity.pairs[0].certificates += Certificates::Authority().certificates;
  EXPECT(WhyNot(settings).empty());
  settings.identity.pairs.push_back(Certificates::For("localhost", Certificates::kRsa));
  EXPECT(WhyNot(settings).empty());
}

TEST_CASE("text that is no certificate or no key is refused with the library's reason") {
  const TlsKeyPair good = Certificates::For("localhost");
  const auto with = [](const std::string& certificates, const std::string& key) {
    TlsSettings settings = Settings();
    settings.identity.pairs[0].certificates = certificates;
    settings.identity.pairs[0].key = key;
    return WhyNot(settings);
  };
  EXPECT(with("", good.key) == "cert: empty");
  EXPECT(with("nonsense", good.key) == "cert: no start line");
  EXPECT(with(good.key, good.key) == "cert: no start line");
  EXPECT(with(good.certificates, "") == "key: empty");
  EXPECT(with(good.certificates, good.certificates).starts_with("key: "));
  EXPECT(with(good.certificates, Certificates::Stranger().key) == "key: key values mismatch");
  const std::string rsa = Certificates::For("localhost", Certificates::kRsa).key;
  EXPECT(with(good.certificates, rsa) == "key: no certificate assigned");
  // Cut anywhere, or with a byte of another, it is refused or read: it never ends the process.
  for (size_t at = 0; at < good.certificates.size(); at += 37) {
    EXPECT(with(good.certificates.substr(0, at), good.key).starts_with("cert: "));
    std::string spoilt = good.certificates;
    spoilt[at] = '\xFF';
    (void)with(spoilt, good.key);
    (void)with(good.certificates + spoilt, good.key);
  }
  for (size_t at = 0; at < good.key.size(); at += 17) {
    EXPECT(with(good.certificates, good.key.substr(0, at)).starts_with("key: "));
  }
  TlsSettings none = Settings();
  none.identity.pairs.clear();
  EXPECT(WhyNot(none) == "cert: empty");
}

TEST_CASE("an encrypted key is read with its passphrase only") {
  TlsSettings settings = Settings();
  settings.identity.pairs = {Certificates::Encrypted(Certificates::For("localhost"), "secret")};
  EXPECT(WhyNot(settings).empty());
  for (const char* wrong : {"", "wrong"}) {
    settings.identity.pairs[0].passphrase = wrong;
    EXPECT(WhyNot(settings).starts_with("key: "));
  }
  settings.identity.pairs[0].passphrase = std::string(5000, 'x');
  EXPECT(WhyNot(settings).starts_with("key: "));
}

TEST_CASE("ciphers of either version are taken, and a list without any is refused") {
  TlsSettings settings = Settings();
  settings.ciphers = "TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256";
  EXPECT(WhyNot(settings).empty());
  settings.ciphers = "ECDHE+AESGCM:!aNULL:@SECLEVEL=1";
  EXPECT(WhyNot(settings).empty());
  settings.ciphers = "NO-SUCH";
  EXPECT(WhyNot(settings) == "ciphers: no cipher match");
  settings.ciphers = "TLS_NO_SUCH";
  EXPECT(WhyNot(settings).starts_with("ciphers: "));
  settings.ciphers = "TLS_AES_128_GCM_SHA256";
  EXPECT(WhyNot(settings) == "ciphers: none for TLS 1.2");
  settings.versions = TlsVersions::kOnly13;
  EXPECT(WhyNot(settings).empty());
}

TEST_CASE("a certificate weaker than the list's level allows is refused") {
  TlsSettings settings = Settings();
  settings.identity.pairs = {Certificates::For("localhost", Certificates::kRsa)};
  settings.ciphers = "ECDHE+AESGCM:@SECLEVEL=5";
  EXPECT(WhyNot(settings) == "cert: ee key too small");
}

TEST_CASE("authorities are needed to judge clients by, and are read whole") {
  TlsSettings settings = Settings();
  settings.client_certificates = ClientCertificates::kRequired;
  EXPECT(WhyNot(settings) == "ca: empty");
  settings.authorities = Certificates::Authority().certificates + "-----BEGIN CERTIFICATE-----\n";
  EXPECT(WhyNot(settings).starts_with("ca: "));
  settings.authorities = Certificates::Authority().certificates;
  settings.authorities += Certificates::Stranger().certificates;
  EXPECT(WhyNot(settings).empty());
}

TEST_CASE("authorities and lists that nobody asked for are looked at all the same") {
  TlsSettings settings = Settings();
  settings.authorities = "nonsense";
  EXPECT(WhyNot(settings) == "ca: no start line");
  settings.authorities.clear();
  settings.revocations = "nonsense";
  EXPECT(WhyNot(settings) == "crl: no start line");
}

TEST_CASE("lists of revoked certificates are read whole, and one that is none is refused") {
  TlsSettings settings = Settings();
  settings.client_certificates = ClientCertificates::kRequired;
  settings.authorities = Certificates::Authority().certificates;
  const std::string list = Certificates::Revocations();
  settings.revocations = list + list;
  EXPECT(WhyNot(settings).empty());
  for (size_t at = 1; at + 2 < list.size(); at += 37) {
    settings.revocations = list.substr(0, at);
    EXPECT(WhyNot(settings).starts_with("crl: "));
  }
  settings.revocations = list + "-----BEGIN X509 CRL-----\n";
  EXPECT(WhyNot(settings).starts_with("crl: "));
  settings.revocations = settings.authorities;
  EXPECT(WhyNot(settings) == "crl: no start line");
}

TEST_CASE("a group or a signature that the library does not know is refused") {
  TlsSettings settings = Settings();
  settings.groups = "P-384:X25519";
  settings.signatures = "ecdsa_secp256r1_sha256:RSA-PSS+SHA256";
  EXPECT(WhyNot(settings).empty());
  settings.groups = "P-384:nonsense";
  EXPECT(WhyNot(settings).starts_with("ecdhCurve: "));
  settings.groups.clear();
  settings.signatures = "RSA+nonsense";
  EXPECT(WhyNot(settings).starts_with("sigalgs: "));
}

TEST_CASE("a name is looked up without regard to case, a host before a wildcard of one label") {
  TlsSettings settings = Settings();
  settings.others.resize(3);
  settings.others[0].pairs = {Certificates::For("a.example,*.a.example")};
  settings.others[1].pairs = {Certificates::For("www.a.example")};
  settings.others[2].pairs = {Certificates::For("x.example")};
  settings.others[2].names = {"*.B.example", "c.example"};
  std::string why_not;
  const auto context = TlsContext::Make(settings, &why_not);
  CAPTURE(why_not);
  REQUIRE(context != nullptr);
  ossl::Context* const wild = context->Find("any.a.example");
  REQUIRE(wild != nullptr);
  EXPECT(context->Find("a.example") == wild);
  EXPECT(context->Find("ANY.A.EXAMPLE") == wild);
  EXPECT(context->Find("www.a.example") != nullptr);
  EXPECT(context->Find("www.a.example") != wild);
  EXPECT(context->Find("localhost") == context->context());
  EXPECT(context->Find("one.b.example") == context->Find("C.example"));
  EXPECT(context->Find("c.example") != nullptr);
  // Names given stand for those of the certificate.
  EXPECT(context->Find("x.example") == nullptr);
  for (const char* nobody : {"", ".", "example", "b.example", "x.any.a.example", ".a.example."}) {
    CAPTURE(nobody);
    EXPECT(context->Find(nobody) == nullptr);
  }
}

TEST_CASE("a name that cannot be served is refused") {
  const auto with = [](std::vector<std::string> names) {
    TlsSettings settings = Settings();
    settings.others.resize(1);
    settings.others[0].pairs = {Certificates::For("a.example")};
    settings.others[0].names = std::move(names);
    return WhyNot(settings);
  };
  const std::string rest = "' is no host or *.domain, or was named before";
  EXPECT(with({"b.example"}).empty());
  EXPECT(with({""}) == "sni[0].names: '" + rest);
  EXPECT(with({"*."}) == "sni[0].names: '*." + rest);
  EXPECT(with({"a*.example"}) == "sni[0].names: 'a*.example" + rest);
  EXPECT(with({"*.*.example"}) == "sni[0].names: '*.*.example" + rest);
  EXPECT(with({"b.example", "B.example"}) == "sni[0].names: 'B.example" + rest);
  EXPECT(with({"localhost"}) == "sni[0].names: 'localhost" + rest);
  TlsSettings twice = Settings();
  twice.others.resize(2);
  for (TlsIdentity& other : twice.others) other.pairs = {Certificates::For("a.example")};
  EXPECT(WhyNot(twice) == "sni[1].cert: names no host that was not named before");
  twice.others.resize(1);
  twice.others[0].pairs[0].key = "x";
  EXPECT(WhyNot(twice).starts_with("sni[0].key: "));
}

TEST_CASE("a port keeps what it has when what it is given cannot be made") {
  std::string why_not;
  TlsSettings settings = Settings();
  const std::shared_ptr<TlsPort> port = TlsPort::Make(settings, &why_not);
  REQUIRE(port != nullptr);
  const auto before = port->Current();
  settings.identity.pairs[0].key = "x";
  EXPECT(!port->Replace(settings, &why_not));
  EXPECT(why_not.starts_with("key: "));
  EXPECT(port->Current() == before);
  EXPECT(port->Replace(Settings(), &why_not));
  EXPECT(port->Current() != before);
  // Who holds a ticket goes on with it.
  EXPECT(port->Current()->ticket_keys() == before->ticket_keys());
  settings = Settings();
  settings.ticket_keys = TicketKeys{1};
  EXPECT(port->Replace(settings, &why_not));
  EXPECT(port->Current()->ticket_keys() == TicketKeys{1});
  EXPECT(before.use_count() == 1);
}

}  // namespace holdfast::test
