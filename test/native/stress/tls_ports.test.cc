// Handshakes of many threads beside the one that gives their port other certificates.
#include <algorithm>

#include "support/threads.h"
#include "support/tls_server.h"

namespace holdfast::test {
namespace {

// Connects, is served, and comes back with its ticket, until told otherwise.
void Connect(const TlsPort& port, long version, const std::atomic<bool>& done,
             std::atomic<uint32_t>* resumed, std::atomic<uint32_t>* wrong) {
  TlsClientOptions client;
  client.version = version;
  while (!done.load()) {
    H2TlsServer server(port.Current(), client);
    const std::string name = server.client().server();
    if (!server.connected || (name != "one.example" && name != "other.example")) {
      wrong->fetch_add(1);
      return;
    }
    ExpectServed(server);
    if (client.session != nullptr) (server.client().resumed() ? resumed : wrong)->fetch_add(1);
    client.session = server.client().session();
    server.client().Close();  // without it the library spoils the session
  }
}

}  // namespace

TEST_CASE("clients of many threads come and resume while their port is given other certificates") {
  const TlsSettings settings[] = {TlsFor("one.example"), TlsFor("other.example")};
  std::string why_not;
  const std::shared_ptr<TlsPort> port = TlsPort::Make(settings[0], &why_not);
  REQUIRE(port != nullptr);
  const std::weak_ptr<const TlsContext> first = port->Current();
  std::atomic<bool> done{false};
  std::atomic<uint32_t> resumed[3] = {};
  std::atomic<uint32_t> wrong{0};
  std::atomic<uint32_t> refused{0};
  std::vector<std::function<void()>> bodies;
  for (size_t i = 0; i < std::size(resumed); i++) {
    const long version = i == 0 ? ossl::kTls12 : ossl::kTls13;
    bodies.push_back([&, i, version] { Connect(*port, version, done, &resumed[i], &wrong); });
  }
  bodies.push_back([&] {
    std::string reason;
    const Clock::time_point until = Clock::now() + StressTime();
    const auto came = [](const auto& count) { return count.load() > 0; };
    for (size_t i = 1; Clock::now() < until || !std::ranges::all_of(resumed, came); i++) {
      if (!port->Replace(settings[i % 2], &reason)) refused.fetch_add(1);
      if (wrong.load() > 0) break;
    }
    done.store(true);
  });
  RunTogether(bodies);
  EXPECT(wrong.load() == 0);
  EXPECT(refused.load() == 0);
  EXPECT(first.expired());
  EXPECT(port->Current().use_count() == 2);
}

}  // namespace holdfast::test
