// Who is let in, as whom, and what becomes of those who are not.
#include "support/tls_server.h"

namespace holdfast::test {
namespace {

constexpr long kVersions[] = {ossl::kTls12, ossl::kTls13};
constexpr long kTls11 = 0x0302;

TlsClientOptions ClientOf(long version) {
  TlsClientOptions client;
  client.version = version;
  return client;
}

// A client that was refused: the session is gone with all it held, and said why if it could.
void ExpectRefused(H2TestServer& server) {
  server.Exchange();
  EXPECT(server.peer->ended());
  if (server.session != nullptr) server.After(10'000);
  EXPECT(server.session == nullptr);
  EXPECT(server.heard.empty());
}

}  // namespace

TEST_CASE("HTTP/2 is spoken over TLS 1.2 and 1.3") {
  for (const long version : kVersions) {
    CAPTURE(version);
    H2TlsServer server(TlsFor(), ClientOf(version));
    REQUIRE(server.connected);
    EXPECT(server.client().version() == version);
    EXPECT(server.client().protocol() == "h2");
    EXPECT(server.client().server() == "localhost");
    ExpectServed(server);
  }
}

TEST_CASE("a client of TLS 1.1, or of 1.2 where 1.3 is asked for, is refused with an alert") {
  TlsClientOptions old = ClientOf(kTls11);
  old.ciphers = "DEFAULT:@SECLEVEL=0";
  H2TlsServer one(TlsFor(), old);
  EXPECT(!one.connected);
  EXPECT(one.client().reason() == "tlsv1 alert protocol version");
  ExpectRefused(one);
  TlsSettings settings = TlsFor();
  settings.versions = TlsVersions::kOnly13;
  H2TlsServer two(settings, ClientOf(ossl::kTls12));
  EXPECT(!two.connected);
  EXPECT(two.client().reason() == "tlsv1 alert protocol version");
  ExpectRefused(two);
}

TEST_CASE("a client that offers HTTP/2 among others gets it; one that does not is refused") {
  for (const long version : kVersions) {
    CAPTURE(version);
    TlsClientOptions client = ClientOf(version);
    client.protocols = std::string("\x08http/1.1\x02h2", 12);
    H2TlsServer both(TlsFor(), client);
    EXPECT(both.connected);
    EXPECT(both.client().protocol() == "h2");

    client.protocols = "\x08http/1.1";
    H2TlsServer other(TlsFor(), client);
    EXPECT(!other.connected);
    EXPECT(other.client().reason() == "tlsv1 alert no application protocol");
    ExpectRefused(other);

    client.protocols.clear();
    H2TlsServer none(TlsFor(), client);
    ExpectRefused(none);
    EXPECT(none.client().closed());
  }
}

TEST_CASE("the certificate is chosen by the name that the client gives") {
  TlsSettings settings = TlsFor();
  settings.others.resize(2);
  settings.others[0].pairs = {Certificates::For("a.example,*.a.example")};
  settings.others[1].pairs = {Certificates::For("b.example")};
  const auto context = MadeOf(settings);
  const auto answers = [&](const std::string& name, long version) {
    TlsClientOptions client = ClientOf(version);
    client.server_name = name;
    H2TlsServer server(context, client);
    REQUIRE(server.connected);
    ExpectServed(server);
    return server.client().server();
  };
  for (const long version : kVersions) {
    CAPTURE(version);
    EXPECT(answers("", version) == "localhost");
    EXPECT(answers("elsewhere.example", version) == "localhost");
    EXPECT(answers("a.example", version) == "a.example");
    EXPECT(answers("Www.A.example", version) == "a.example");
    EXPECT(answers("b.example", version) == "b.example");
    EXPECT(answers("www.b.example", version) == "localhost");
  }
}

TEST_CASE("of an RSA and an elliptic certificate the client gets the one that it can use") {
  TlsSettings settings = TlsFor();
  settings.identity.pairs.push_back(Certificates::For("rsa.example", Certificates::kRsa));
  const auto context = MadeOf(settings);
  TlsClientOptions client = ClientOf(ossl::kTls12);
  client.ciphers = "ECDHE-RSA-AES128-GCM-SHA256";
  EXPECT(H2TlsServer(context, client).client().server() == "rsa.example");
  client.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
  EXPECT(H2TlsServer(context, client).client().server() == "localhost");
}

TEST_CASE("a chain of any length goes with its certificate") {
  TlsSettings settings = TlsFor();
  // Longer than the library's own buffer, and than a record.
  for (int i = 0; i < 40; i++) {
    settings.identity.pairs[0].certificates += Certificates::Authority().certificates;
  }
  for (const long version : kVersions) {
    H2TlsServer server(settings, ClientOf(version));
    REQUIRE(server.connected);
    ExpectServed(server);
  }
}

// With node's keys in node's form; that node's servers do take them is tested where node runs.
TEST_CASE("a ticket of one context is taken by another of the same keys, and by no other") {
  TlsSettings settings = TlsFor();
  settings.ticket_keys.emplace();
  for (uint8_t i = 0; i < settings.ticket_keys->size(); i++) (*settings.ticket_keys)[i] = i;
  for (const long version : kVersions) {
    CAPTURE(version);
    TlsClientOptions client = ClientOf(version);
    H2TlsServer first(settings, client);
    EXPECT(!first.client().resumed());
    ExpectServed(first);  // and the client reads its tickets
    client.session = first.client().session();
    const auto resumes = [&](const TlsSettings& other) {
      H2TlsServer server(other, client);
      REQUIRE(server.connected);
      ExpectServed(server);
      return server.client().resumed();
    };
    EXPECT(resumes(settings));
    for (const size_t part : {0, 16, 32}) {
      CAPTURE(part);
      TlsSettings other = settings;
      (*other.ticket_keys)[part] ^= 1;
      EXPECT(!resumes(other));
    }
    TlsSettings other = settings;
    other.session_id_context = "other";
    EXPECT(!resumes(other));
    other = settings;
    other.ticket_keys.reset();
    EXPECT(!resumes(other));
  }
}

TEST_CASE("a ticket goes on after its port was given another certificate") {
  for (const long version : kVersions) {
    std::string why_not;
    const auto port = TlsPort::Make(TlsFor(), &why_not);
    REQUIRE(port != nullptr);
    TlsClientOptions client = ClientOf(version);
    H2TlsServer first(port->Current(), client);
    ExpectServed(first);
    client.session = first.client().session();
    REQUIRE(port->Replace(TlsFor("other.example"), &why_not));
    H2TlsServer second(port->Current(), client);
    ExpectServed(second);
    EXPECT(second.client().resumed());
  }
}

TEST_CASE("a client's certificate is asked for and judged as the port says") {
  const TlsKeyPair& known = Certificates::For("client.example");
  const TlsKeyPair& stranger = Certificates::Stranger();
  TlsSettings settings = TlsFor();
  settings.authorities = Certificates::Authority().certificates;
  settings.others.resize(1);
  settings.others[0].pairs = {Certificates::For("a.example")};
  // Whether it was served; why not in `reason`.
  std::string reason;
  const auto serves = [&](ClientCertificates asked, const TlsKeyPair* identity, long version,
                          const char* name) {
    settings.client_certificates = asked;
    TlsClientOptions client = ClientOf(version);
    client.identity = identity;
    client.server_name = name;
    H2TlsServer server(settings, client);
    // In TLS 1.3 the client is through before the server has judged it.
    server.Exchange();
    reason = server.client().reason();
    if (reason.empty()) {
      ExpectServed(server);
      return true;
    }
    ExpectRefused(server);
    return false;
  };
  for (const long version : kVersions) {
    for (const char* name : {"localhost", "a.example"}) {
      CAPTURE(version);
      CAPTURE(name);
      using enum ClientCertificates;
      for (const TlsKeyPair* identity :
           {&known, &stranger, static_cast<const TlsKeyPair*>(nullptr)}) {
        EXPECT(serves(kUnasked, identity, version, name));
        EXPECT(serves(kRequested, identity, version, name));
      }
      EXPECT(serves(kRequired, &known, version, name));
      EXPECT(!serves(kRequired, &stranger, version, name));
      EXPECT(reason == "tlsv1 alert unknown ca");
      EXPECT(!serves(kRequired, nullptr, version, name));
      EXPECT(reason == (version == ossl::kTls12 ? "sslv3 alert handshake failure"
                                                : "tlsv13 alert certificate required"));
    }
  }
}

TEST_CASE("a client that was judged once is not asked again with a ticket, elsewhere it is") {
  TlsSettings settings = TlsFor();
  settings.authorities = Certificates::Authority().certificates;
  settings.client_certificates = ClientCertificates::kRequired;
  settings.ticket_keys.emplace();
  for (const long version : kVersions) {
    TlsClientOptions client = ClientOf(version);
    client.identity = &Certificates::For("client.example");
    H2TlsServer first(settings, client);
    ExpectServed(first);
    client.session = first.client().session();
    client.identity = nullptr;
    H2TlsServer second(settings, client);
    EXPECT(second.client().resumed());
    ExpectServed(second);
  }
}

TEST_CASE("a ticket lets nobody in without the certificate that the port requires") {
  using enum ClientCertificates;
  TlsSettings settings = TlsFor();
  settings.authorities = Certificates::Authority().certificates;
  settings.ticket_keys.emplace();
  TlsSettings required = settings;
  required.client_certificates = kRequired;
  for (const long version : kVersions) {
    for (const bool shown : {false, true}) {
      CAPTURE(version);
      CAPTURE(shown);
      TlsClientOptions client = ClientOf(version);
      if (shown) client.identity = &Certificates::Stranger();
      settings.client_certificates = shown ? kRequested : kUnasked;
      H2TlsServer first(settings, client);
      ExpectServed(first);
      client.session = first.client().session();
      H2TlsServer second(required, client);
      EXPECT(second.client().resumed());
      ExpectRefused(second);
    }
  }
}

TEST_CASE("a client that does not go on with its handshake is let go after the time for it") {
  H2Limits limits;
  limits.handshake_ms = 5'000;
  const TlsClientOptions options;
  // Nothing; a part of its hello; all of it.
  for (const size_t bytes : {0, 1, 40, 10'000}) {
    CAPTURE(bytes);
    H2TestServer server(limits, MadeOf(TlsFor()), nullptr);
    H2Peer helloer(MakeConnection().client, &options);
    std::string hello;
    {
      const SocketPair unheard = MakeConnection();
      TlsClient client(unheard.client.get(), options);
      (void)client.Step();
      char buffer[16 << 10];
      const ssize_t count = recv(unheard.server.get(), buffer, sizeof buffer, 0);
      REQUIRE(count > 100);
      hello.assign(buffer, static_cast<size_t>(count));
    }
    server.peer->Send(hello.substr(0, bytes));
    server.Turn();
    EXPECT(server.After(4'999) <= 1'005'000);
    REQUIRE(server.session != nullptr);
    server.After(1);
    EXPECT(server.session == nullptr);
  }
}

TEST_CASE("the time for the HTTP/2 preface begins with the end of the handshake") {
  H2Limits limits;
  limits.preface_ms = 3'000;
  H2TestServer server(limits, MadeOf(TlsFor()), nullptr);
  TlsClient client(server.peer->fd().get(), {});
  server.After(9'000);
  EXPECT(Eventually([&] {
    const bool over = client.Step();
    server.Turn();
    return over;
  }));
  server.After(2'999);
  REQUIRE(server.session != nullptr);
  std::string text;
  bool ended = false;
  client.Read(&text, &ended);
  EXPECT(!ended);
  server.After(1);
  server.Turn();
  client.Read(&text, &ended);
  EXPECT(ended);
  // A GOAWAY of that code behind our own SETTINGS.
  const std::string code = Big(ng::kSettingsTimeout, 4);
  EXPECT(text.substr(text.size() - code.size()) == code);
}

TEST_CASE("bytes that are no TLS end their session: text, noise, and records that lie") {
  const std::string record = std::string("\x16\x03\x01", 3);
  const std::string cases[] = {
      std::string(H2Peer::kPreface) + Frame(ng::kSettings, 0, 0, ""),
      "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n",
      std::string(20'000, '\0'),
      std::string(20'000, '\xFF'),
      record + Big(0xFFFF, 2) + std::string(20'000, 'x'),              // too long
      record + Big(5, 2) + std::string("\x01\xFF\xFF\xFFx", 5),        // a message without end
      record + Big(4, 2) + std::string("\x02\x00\x00\x00", 4),         // a server's hello
      std::string("\x15\x03\x03\x00\x02\x02\x28", 7),                  // an alert
      std::string("\x14\x03\x03\x00\x01\x01", 6) + std::string(99, 0)  // change of ciphers, at once
  };
  const int before = OpenDescriptors();
  for (const std::string& bytes : cases) {
    CAPTURE(bytes.substr(0, 20));
    H2TestServer server({}, MadeOf(TlsFor()), nullptr);
    server.peer->Send(bytes);
    ExpectRefused(server);
  }
  EXPECT(OpenDescriptors() == before);
}

TEST_CASE("a connection that is cut or spoilt at any byte of its handshake leaves nothing behind") {
  const int before = OpenDescriptors();
  const auto context = MadeOf(TlsFor());
  const long in_use = context.use_count();
  for (const long version : kVersions) {
    for (const bool spoil : {false, true}) {
      // The handshake goes through a relay that lets so many of the client's bytes pass.
      bool through = false;
      for (size_t limit = 0; !through; limit += limit < 600 ? 7 : 50) {
        CAPTURE(limit);
        H2TestServer server({}, context, nullptr);
        const SocketPair relay = MakeConnection();
        TlsClient client(relay.client.get(), ClientOf(version));
        size_t passed = 0;
        for (int round = 0; round < 50 && passed <= limit; round++) {
          (void)client.Step();
          char buffer[4096];
          ssize_t count = recv(relay.server.get(), buffer, sizeof buffer, MSG_DONTWAIT);
          if (count > 0) {
            std::string bytes(buffer, static_cast<size_t>(count));
            const size_t room = limit - passed;
            if (spoil && bytes.size() > room) bytes[room] ^= 0x55;
            server.peer->Send(spoil ? bytes : bytes.substr(0, room));
            passed += bytes.size();
          }
          server.Turn();
          count = recv(server.peer->fd().get(), buffer, sizeof buffer, MSG_DONTWAIT);
          if (count > 0)
            REQUIRE(send(relay.server.get(), buffer, static_cast<size_t>(count), 0) > 0);
        }
        through = passed <= limit;
        EXPECT(server.heard.empty());
        server.peer->Close();
        EXPECT(Eventually([&] {
          server.Turn();
          return server.session == nullptr;
        }));
      }
    }
  }
  EXPECT(context.use_count() == in_use);
  EXPECT(OpenDescriptors() == before);
}

TEST_CASE("thousands of handshakes leave nothing behind") {
  const int before = OpenDescriptors();
  const auto context = MadeOf(TlsFor());
  TlsClientOptions client;
  for (int i = 0; i < 2'000; i++) {
    client.version = kVersions[i % 2];
    if (i % 10 < 2) client.session.reset();
    H2TlsServer server(context, client);
    REQUIRE(server.connected);
    if (i % 5 == 0) server.peer->Close();
    if (i % 5 == 1) server.client().Close();
    if (i % 5 != 2) continue;
    server.Exchange();
    client.session = server.client().session();
  }
  EXPECT(context.use_count() == 1);
  EXPECT(OpenDescriptors() == before);
}

}  // namespace holdfast::test
