// Contexts for test servers, and clients for them.
#pragma once

#include "h2/tls_port.h"
#include "support/certificates.h"
#include "support/h2_server.h"

namespace holdfast::test {

inline TlsSettings TlsFor(const std::string& hosts = "localhost") {
  LoadedOpenSsl();
  TlsSettings settings;
  settings.identity.pairs = {Certificates::For(hosts)};
  return settings;
}

inline std::shared_ptr<const TlsContext> MadeOf(const TlsSettings& settings) {
  std::string why_not;
  std::shared_ptr<const TlsContext> context = TlsContext::Make(settings, &why_not);
  CAPTURE(why_not);
  REQUIRE(context != nullptr);
  return context;
}

// A session behind TLS, shaken hands with.
class H2TlsServer : public H2TestServer {
 public:
  explicit H2TlsServer(const TlsSettings& settings = TlsFor(), const TlsClientOptions& client = {},
                       const H2Limits& limits = {})
      : H2TlsServer(MadeOf(settings), client, limits) {}
  explicit H2TlsServer(std::shared_ptr<const TlsContext> tls, const TlsClientOptions& client = {},
                       const H2Limits& limits = {})
      : H2TestServer(limits, std::move(tls), &client) {
    connected = Shake();
  }
  TlsClient& client() { return peer->tls(); }

  bool connected;
};

// One request and its answer.
inline void ExpectServed(H2TestServer& server) {
  server.Greet();
  server.peer->SendHeaders(1, Request());
  server.Turn();
  REQUIRE(server.session != nullptr);
  REQUIRE(server.session->Respond(server.stream(1), FieldText({{":status", "200"}}), false));
  REQUIRE(server.session->Write(server.stream(1), PieceOf("sealed"), WriteTag::kPlain));
  REQUIRE(server.session->End(server.stream(1)));
  const auto frames = server.Exchange();
  EXPECT(BodyOf(frames, 1) == "sealed");
  EXPECT(EndOf(frames, 1));
  EXPECT(server.heard[1].end == StreamEnd::kFinished);
}

}  // namespace holdfast::test
