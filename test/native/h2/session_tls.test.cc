// A session behind TLS, once hands are shaken: all that holds without TLS, and its end.
#include "support/tls_server.h"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace holdfast::test {
namespace {

const std::string kOk = FieldText({{":status", "200"}});

TlsClientOptions ClientOf(long version) {
  TlsClientOptions client;
  client.version = version;
  return client;
}

std::vector<uint8_t> DerOf(const TlsKeyPair& pair) {
  std::string why_not;
  const auto read = ReadCertificates(pair.certificates, &why_not);
  std::vector<uint8_t> der(4 << 10);
  unsigned char* out = der.data();
  der.resize(static_cast<size_t>(OpenSsl().i2d_X509(read.front().get(), &out)));
  return der;
}

}  // namespace

TEST_CASE("a session knows its client's certificate and what was found of it, resumed as well") {
  constexpr uint32_t kSelfSigned = 18;  // X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT
  TlsSettings settings = TlsFor();
  settings.authorities = Certificates::Authority().certificates;
  settings.client_certificates = ClientCertificates::kRequested;
  settings.ticket_keys.emplace();
  const auto expect = [](const H2TlsServer& server, const TlsKeyPair* shown, uint32_t verdict) {
    const ClientIdentity client = server.session->Client();
    EXPECT(client.asked);
    EXPECT(client.verdict == verdict);
    EXPECT((client.certificate == (shown == nullptr ? std::vector<uint8_t>() : DerOf(*shown))));
  };
  const TlsKeyPair& known = Certificates::For("client.example");
  const TlsKeyPair& stranger = Certificates::Stranger();
  for (const long version : {ossl::kTls12, ossl::kTls13}) {
    for (const TlsKeyPair* shown : {&known, &stranger, static_cast<const TlsKeyPair*>(nullptr)}) {
      CAPTURE(version);
      const uint32_t verdict = shown == &stranger ? kSelfSigned : 0;
      TlsClientOptions options = ClientOf(version);
      options.identity = shown;
      H2TlsServer first(settings, options);
      ExpectServed(first);
      expect(first, shown, verdict);
      options.session = first.client().session();
      options.identity = nullptr;
      H2TlsServer second(settings, options);
      ExpectServed(second);
      EXPECT(second.client().resumed());
      expect(second, shown, verdict);
      // A port that asks nobody believes no ticket either.
      TlsSettings unasking = settings;
      unasking.client_certificates = ClientCertificates::kUnasked;
      H2TlsServer third(unasking, options);
      ExpectServed(third);
      EXPECT(third.client().resumed());
      EXPECT(!third.session->Client().asked);
      EXPECT(third.session->Client().certificate.empty());
    }
  }
  EXPECT(!H2TestServer().session->Client().asked);
}

TEST_CASE("what is kept of a client counts to what its session holds, until that is gone") {
  H2TlsServer server;
  const uint64_t before = server.context.held_bytes;
  server.session->CountClient(3000);
  server.session->CountClient(2000);
  EXPECT(server.session->held_bytes() == before + 2000);
  EXPECT(server.context.held_bytes == before + 2000);
  server.session.reset();
  EXPECT(server.context.held_bytes == before);
}

// The library gave them in one call with the last of the body, behind which there was no room: the
// process was aborted.
TEST_CASE("large trailers come behind a body that has filled what one write takes") {
  H2TlsServer server;
  server.Greet();
  server.peer->SendHeaders(1, Request());
  server.Turn();
  REQUIRE(server.session->Respond(server.stream(1), kOk, false));
  const std::string body(48 << 10, 'b');
  REQUIRE(server.session->Write(server.stream(1), PieceOf(body), WriteTag::kPlain));
  const std::string trailer(20'000, 'y');
  REQUIRE(server.session->End(server.stream(1), FieldText({{"x", trailer}})));
  const auto frames = server.Exchange();
  EXPECT(BodyOf(frames, 1) == body);
  EXPECT(EndOf(frames, 1));
}

TEST_CASE("large bodies come whole through TLS, both ways at once, of many streams") {
  for (const long version : {ossl::kTls12, ossl::kTls13}) {
    CAPTURE(version);
    H2TlsServer server(TlsFor(), ClientOf(version));
    server.Greet(Big(ng::kSettingsInitialWindowSize, 2) + Big(8 << 20, 4));
    server.peer->Send(Frame(ng::kWindowUpdate, 0, 0, Big(64 << 20, 4)));
    std::map<uint32_t, std::string> sent;
    std::map<uint32_t, std::string> got;
    for (uint32_t id = 1; id < 8; id += 2) {
      server.peer->SendHeaders(id, Request("POST"), /*end=*/false);
      server.Turn();
      REQUIRE(server.session->Respond(server.stream(static_cast<int32_t>(id)), kOk, false));
    }
    const auto take = [&](const std::vector<PeerFrame>& frames) {
      for (const PeerFrame& frame : frames) {
        if (frame.type == ng::kData) got[frame.stream] += frame.payload;
      }
    };
    for (int i = 0; i < 120; i++) {
      const size_t size = std::array<size_t, 6>{1, 100, 2047, 2048, 16'384, 16'000}[i % 6];
      for (uint32_t id = 1; id < 8; id += 2) {
        const std::string text(size, static_cast<char>('a' + (i + id) % 26));
        sent[id] += text;
        server.peer->SendData(id, text);
        H2Stream& stream = server.stream(static_cast<int32_t>(id));
        REQUIRE(server.session->Write(stream, PieceOf(text), WriteTag::kPlain));
        server.session->Consume(stream, stream.unconsumed);
      }
      server.Turn();
      take(server.peer->Receive());
    }
    for (uint32_t id = 1; id < 8; id += 2) {
      server.peer->SendData(id, "", /*end=*/true);
      server.session->End(server.stream(static_cast<int32_t>(id)));
    }
    EXPECT(Eventually([&] {
      take(server.Exchange());
      return server.session->streams() == 0;
    }));
    take(server.Exchange());
    for (const auto& [id, text] : sent) {
      EXPECT((got[id] == text));
      EXPECT((server.heard[static_cast<int32_t>(id)].body == text));
    }
  }
}

TEST_CASE("a reader that is slow gets all of it in the end, and is let go when it takes nothing") {
  for (const bool reads_on : {true, false}) {
    CAPTURE(reads_on);
    H2Limits limits;
    limits.ping_interval_ms = 0;
    H2TlsServer server(TlsFor(), {}, limits);
    server.Greet(Big(ng::kSettingsInitialWindowSize, 2) + Big(0x7FFFFFFF, 4));
    server.peer->Send(Frame(ng::kWindowUpdate, 0, 0, Big(1 << 30, 4)));
    server.peer->SendHeaders(1, Request());
    server.Turn();
    server.session->Respond(server.stream(1), kOk, false);
    std::string sent;
    // More than the socket's buffers of both sides hold.
    for (int i = 0; i < 800; i++) {
      sent += std::string(40'000, static_cast<char>('a' + i % 26));
      server.session->Write(server.stream(1),
                            PieceOf(std::string_view(sent).substr(sent.size() - 40'000)),
                            WriteTag::kBudget);
    }
    server.session->End(server.stream(1));
    for (int i = 0; i < 100 && !server.session->blocked(); i++) server.Flush();
    REQUIRE(server.session->blocked());
    EXPECT(server.session->queued_bytes() > 0);
    if (!reads_on) {
      server.context.now_ms += limits.stall_ms - 1;
      (void)server.session->CheckTime();
      EXPECT(!server.session->finished());
      server.context.now_ms += 1;
      (void)server.session->CheckTime();
      EXPECT(server.session->finished());
      server.session.reset();
      EXPECT(server.heard[1].taken == sent.size());
      EXPECT(server.heard[1].end == StreamEnd::kSession);
      continue;
    }
    std::string got;
    EXPECT(Eventually([&] {
      got += BodyOf(server.peer->Receive(), 1);
      if (server.session->blocked()) server.session->Flush();
      server.Flush();
      return got.size() >= sent.size();
    }));
    EXPECT((got == sent));
    EXPECT(server.heard[1].taken == sent.size());
  }
}

TEST_CASE("a stream goes on under the certificate that it began with, and new ones get the other") {
  std::string why_not;
  const auto port = TlsPort::Make(TlsFor("old.example"), &why_not);
  REQUIRE(port != nullptr);
  H2TlsServer before(port->Current());
  before.Greet();
  before.peer->SendHeaders(1, Request());
  before.Turn();
  before.session->Respond(before.stream(1), kOk, false);
  REQUIRE(port->Replace(TlsFor("new.example"), &why_not));
  H2TlsServer after(port->Current());
  EXPECT(after.client().server() == "new.example");
  ExpectServed(after);
  EXPECT(before.client().server() == "old.example");
  before.session->Write(before.stream(1), PieceOf("still"), WriteTag::kPlain);
  before.session->End(before.stream(1));
  const auto frames = before.Exchange();
  EXPECT(BodyOf(frames, 1) == "still");
  EXPECT(EndOf(frames, 1));
}

TEST_CASE("our last words come before the end of TLS, and that before the end of the connection") {
  H2TlsServer server;
  server.Greet();
  server.peer->SendHeaders(1, Request());
  server.Turn();
  server.session->Terminate(ng::kEnhanceYourCalm);
  const auto frames = server.Exchange();
  EXPECT(GoawayCode(frames) == ng::kEnhanceYourCalm);
  EXPECT(server.client().closed());
  EXPECT(server.heard[1].end == StreamEnd::kSession);
  // It waits for the peer to hear them, and is not kept up by what that still sends.
  REQUIRE(server.session != nullptr);
  for (int i = 0; i < 100; i++) server.peer->SendData(1, std::string(16'000, 'x'));
  EXPECT(Eventually([&] {
    server.Turn();
    return server.session == nullptr;
  }));
}

TEST_CASE("last words that the socket does not take at once are sent when it does") {
  H2TlsServer server;
  server.Greet(Big(ng::kSettingsInitialWindowSize, 2) + Big(0x7FFFFFFF, 4));
  server.peer->Send(Frame(ng::kWindowUpdate, 0, 0, Big(1 << 30, 4)));
  server.peer->SendHeaders(1, Request());
  server.Turn();
  server.session->Respond(server.stream(1), kOk, false);
  for (int i = 0; i < 800; i++) {
    server.session->Write(server.stream(1), PieceOf(std::string(40'000, 'x')), WriteTag::kPlain);
  }
  for (int i = 0; i < 100 && !server.session->blocked(); i++) server.Flush();
  REQUIRE(server.session->blocked());
  server.peer->Send("not a record of TLS, which ends the session, that cannot say it now");
  // Spoil what the client says: the record's end is wrong.
  REQUIRE(send(server.peer->fd().get(), "\x17\x03\x03\x00\x20 nothing that this key would open ",
               37, MSG_NOSIGNAL) == 37);
  server.Turn();
  REQUIRE(server.session != nullptr);
  EXPECT(server.heard[1].end == StreamEnd::kSession);
  EXPECT(Eventually([&] {
    (void)server.peer->Receive();
    server.Turn();
    return server.peer->ended();
  }));
  EXPECT(server.client().reason() == "sslv3 alert bad record mac");
}

TEST_CASE("a peer that ends TLS, or is gone, ends its session and every stream of it") {
  for (const int way : {0, 1, 2}) {
    CAPTURE(way);
    H2TlsServer server;
    server.Greet();
    server.peer->SendHeaders(1, Request("POST"), /*end=*/false);
    server.Turn();
    server.session->Respond(server.stream(1), kOk, false);
    if (way == 0) {
      server.client().Close();
      server.Exchange();
      EXPECT(server.client().closed());
    } else if (way == 1) {
      REQUIRE(shutdown(server.peer->fd().get(), SHUT_WR) == 0);
    } else {
      // Reset while we write: no signal may come of it.
      const linger now{1, 0};
      REQUIRE(setsockopt(server.peer->fd().get(), SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
      server.peer->Close();
      server.session->Write(server.stream(1), PieceOf(std::string(100'000, 'x')), WriteTag::kPlain);
    }
    EXPECT(Eventually([&] {
      server.Turn();
      return server.session == nullptr;
    }));
    EXPECT(server.heard[1].end == StreamEnd::kSession);
  }
}

TEST_CASE("a record that was spoilt on its way ends its session with an alert") {
  H2TlsServer server;
  server.Greet();
  server.peer->SendHeaders(1, Request("POST"), /*end=*/false);
  server.Turn();
  const std::string record = std::string("\x17\x03\x03\x00\x40", 5) + std::string(64, 'x');
  REQUIRE(send(server.peer->fd().get(), record.data(), record.size(), MSG_NOSIGNAL) == 69);
  server.Exchange();
  EXPECT(server.client().reason() == "sslv3 alert bad record mac");
  EXPECT(server.heard[1].end == StreamEnd::kSession);
  EXPECT(server.heard[1].body.empty());
}

TEST_CASE("records that come byte by byte are read, whatever comes with them") {
  H2TestServer server({}, MadeOf(TlsFor()), nullptr);
  const SocketPair relay = MakeConnection();
  TlsClient client(relay.client.get(), {});
  const auto pass = [&] {
    (void)client.Step();
    char byte;
    while (recv(relay.server.get(), &byte, 1, MSG_DONTWAIT) == 1) {
      server.peer->Send({&byte, 1});
      server.Turn();
    }
    char buffer[4096];
    const ssize_t count = recv(server.peer->fd().get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (count > 0) REQUIRE(send(relay.server.get(), buffer, static_cast<size_t>(count), 0) > 0);
  };
  EXPECT(Eventually([&] {
    pass();
    return client.connected();
  }));
  client.Write(std::string(H2Peer::kPreface) + Frame(ng::kSettings, 0, 0, "") +
               Frame(ng::kHeaders, ng::kFlagEndHeaders | ng::kFlagEndStream, 1,
                     EncodeFields(Request("GET", "/slowly"))));
  EXPECT(Eventually([&] {
    pass();
    return server.heard.count(1) == 1;
  }));
  EXPECT(FindField(server.heard[1].fields, ":path") == "/slowly");
}

TEST_CASE("new keys are taken and given in TLS 1.3; a new handshake in 1.2 is refused") {
  H2TlsServer server(TlsFor(), ClientOf(ossl::kTls13));
  server.client().AskForKeyUpdate();
  ExpectServed(server);
  H2TlsServer old(TlsFor(), ClientOf(ossl::kTls12));
  old.Greet();
  old.client().AskForRenegotiation();
  old.Exchange();
  (void)old.client().Step();
  EXPECT(!old.client().connected());
}

// Each is answered: who reads none of the answers made us keep them without end.
TEST_CASE("key updates by the thousand from a peer that reads nothing do not fill memory") {
  H2TlsServer server(TlsFor(), ClientOf(ossl::kTls13));
  server.Greet(Big(ng::kSettingsInitialWindowSize, 2) + Big(0x7FFFFFFF, 4));
  server.peer->Send(Frame(ng::kWindowUpdate, 0, 0, Big(1 << 30, 4)));
  server.peer->SendHeaders(1, Request());
  server.Turn();
  server.session->Respond(server.stream(1), kOk, false);
  for (int i = 0; i < 800; i++) {
    server.session->Write(server.stream(1), PieceOf(std::string(40'000, 'x')), WriteTag::kPlain);
  }
  for (int i = 0; i < 100 && !server.session->blocked(); i++) server.Flush();
  REQUIRE(server.session->blocked());
  int updates = 0;
  for (; updates < 100'000 && server.session != nullptr; updates++) {
    server.client().AskForKeyUpdate();
    if (updates % 10 == 0) server.peer->Send(Frame(ng::kSettings, ng::kFlagAck, 0, ""));
    if (updates % 100 == 0) server.Turn();
  }
  EXPECT(server.session == nullptr);
  EXPECT(updates < 60'000);
}

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("a connection with TLS and one stream stays under 48 KiB") {
  const auto context = MadeOf(TlsFor());
  constexpr size_t kConnections = 50;
  std::vector<std::unique_ptr<H2TlsServer>> servers;
  const auto held = [] { return mallinfo2().uordblks; };
  size_t of_sessions = 0;
  for (size_t i = 0; i < kConnections; i++) {
    servers.push_back(std::make_unique<H2TlsServer>(context));
    H2TlsServer& server = *servers.back();
    server.Greet();
    server.peer->SendHeaders(1, Request());
    server.Turn();
    server.session->Respond(server.stream(1), kOk, false);
    server.session->Write(server.stream(1), PieceOf("x"), WriteTag::kPlain);
    server.Exchange();
  }
  const size_t before = held();
  for (auto& server : servers) server->session.reset();
  of_sessions = before - held();
  CAPTURE(of_sessions / kConnections);
  EXPECT(of_sessions / kConnections < (48 << 10));
}
#endif

}  // namespace holdfast::test
