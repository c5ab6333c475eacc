#include "listener/first_look.h"

#include <array>
#include <climits>

#include "support/client_hello.h"
#include "support/doctest.h"
#include "support/sockets.h"
#include "support/test_worker.h"
#include "support/threads.h"

namespace holdfast::test {
namespace {

// A first look with this thread for the listener's, and the time told by the test.
class Fixture {
 public:
  explicit Fixture(const FirstLookLimits& limits, std::shared_ptr<const PortContext> tls = nullptr)
      : poller(Poller::Create()) {
    REQUIRE(poller != nullptr);
    node->accepting = true;
    reactor->takes_sessions = true;
    look.emplace(Registry::Get(), *poller, std::move(tls), limits);
  }

  // The client's end of a connection that was begun at `now_ms`, with `first` already there.
  Fd Begin(uint64_t now_ms, std::string_view first = {}) {
    SocketPair connection = MakeConnection();
    Send(connection.client, first);
    REQUIRE(Eventually(
        [&] { return UnreadBytes(connection.server.get()) == static_cast<int>(first.size()); }));
    look->Begin(connection.server.Release(), now_ms);
    return std::move(connection.client);
  }
  static void Send(const Fd& client, std::string_view bytes) {
    if (bytes.empty()) return;
    REQUIRE(write(client.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }
  // How many events there were, of those that come within `timeout_ms`.
  int Process(int timeout_ms) {
    std::array<PollEvent, 16> events;
    const int count = poller->Wait(events, timeout_ms);
    REQUIRE(count >= 0);
    for (int i = 0; i < count; i++) look->OnInput(events[static_cast<size_t>(i)]);
    return count;
  }
  static size_t Taken(const TestWorker& worker) {
    size_t count = 0;
    for (const auto& connection : worker.Take().connections) {
      CHECK(close(connection.fd) == 0);
      count++;
    }
    return count;
  }

  const TestWorker node;
  const TestWorker reactor;
  const CountedSince counted;
  const std::unique_ptr<Poller> poller;
  std::optional<FirstLook> look;
};

}  // namespace

TEST_CASE("a peer that has said a little and then nothing does not keep the listener busy") {
  Fixture fixture({});
  const Fd client = fixture.Begin(0, "PR");
  fixture.Process(10);  // that there was input when the watch began may be told once
  for (int i = 0; i < 3; i++) EXPECT(fixture.Process(10) == 0);
  Fixture::Send(client, "I");
  EXPECT(fixture.Process(10'000) == 1);
  for (int i = 0; i < 3; i++) EXPECT(fixture.Process(10) == 0);
  Fixture::Send(client, " * HTTP/2");
  EXPECT(fixture.Process(10'000) == 1);
  const std::vector<Connection> placed = fixture.reactor.Take().connections;
  REQUIRE(placed.size() == 1);
  const Fd taken(placed[0].fd);
  Fixture::Send(client, ".0\r\n\r\nSM\r\n\r\n");
  EXPECT(fixture.Process(10) == 0);  // it is watched here no longer
}

TEST_CASE("those whose time is up are closed, each in its own time, and counted") {
  Fixture fixture({.timeout_ms = 1000});
  EXPECT(fixture.look->Expire(0) == -1);
  const Fd first = fixture.Begin(0);
  const Fd second = fixture.Begin(400, "PRI");
  EXPECT(fixture.look->Expire(400) == 600);
  EXPECT(fixture.look->Expire(999) == 1);
  EXPECT(fixture.counted[Counter::kConnectionsTimedOut] == 0);
  EXPECT(fixture.look->Expire(1000) == 400);
  EXPECT(fixture.counted[Counter::kConnectionsTimedOut] == 1);
  char byte;
  EXPECT(read(first.get(), &byte, 1) == 0);
  EXPECT(fixture.look->Expire(5000) == -1);
  EXPECT(fixture.counted[Counter::kConnectionsTimedOut] == 2);
  EXPECT(fixture.counted[Counter::kConnectionsPlaced] == 0);
  // What it says too late finds nobody.
  (void)send(second.get(), " * HTTP/2", 9, MSG_NOSIGNAL);
  EXPECT(fixture.Process(10) == 0);
}

TEST_CASE("a time-out beyond what a poller can wait for is waited for in parts") {
  Fixture fixture({.timeout_ms = uint64_t{1} << 40});
  const Fd client = fixture.Begin(0);
  EXPECT(fixture.look->Expire(1) == INT_MAX);
}

TEST_CASE("with as many waiting as may, the oldest goes to a Node thread") {
  Fixture fixture({.timeout_ms = 1000, .most_waiting = 2});
  const Fd oldest = fixture.Begin(0);
  const Fd second = fixture.Begin(100);
  EXPECT(Fixture::Taken(fixture.node) == 0);
  const Fd third = fixture.Begin(200);
  EXPECT(Fixture::Taken(fixture.node) == 1);
  EXPECT(fixture.look->Expire(200) == 900);  // the second's
  Fixture::Send(second, "PRI * HTTP/2.0\r\n\r\n");
  Fixture::Send(third, "PRI * HTTP/2.0\r\n\r\n");
  for (int told = 0; told < 2;) told += fixture.Process(10'000);
  EXPECT(Fixture::Taken(fixture.reactor) == 2);
  EXPECT(Fixture::Taken(fixture.node) == 0);
}

TEST_CASE("a peer that leaves, whatever it has said so far, is let go and counted") {
  Fixture fixture({});
  Fd silent = fixture.Begin(0);
  Fd short_of_it = fixture.Begin(0, "PRI *");
  Fd half_closed = fixture.Begin(0, "P");
  Fd reset = fixture.Begin(0, "PRI");
  while (fixture.Process(10) > 0) continue;
  silent.Close();
  short_of_it.Close();
  REQUIRE(shutdown(half_closed.get(), SHUT_WR) == 0);
  const linger hard{1, 0};
  REQUIRE(setsockopt(reset.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard) == 0);
  reset.Close();
  REQUIRE(Eventually([&] {
    fixture.Process(10);
    return fixture.counted[Counter::kConnectionsAbandoned] == 4;
  }));
  EXPECT(fixture.look->Expire(0) == -1);
  EXPECT(fixture.counted[Counter::kConnectionsPlaced] == 0);
}

TEST_CASE("a peer that had left before it was looked at is let go and counted") {
  Fixture fixture({});
  SocketPair gone = MakeConnection();
  gone.client.Close();
  REQUIRE(Eventually([&] {
    char byte;
    return recv(gone.server.get(), &byte, 1, MSG_PEEK) == 0;
  }));
  fixture.look->Begin(gone.server.Release(), 0);
  EXPECT(fixture.counted[Counter::kConnectionsAbandoned] == 1);
  // With a few bytes first, that is told by the watch.
  SocketPair half = MakeConnection();
  Fixture::Send(half.client, "PRI");
  REQUIRE(Eventually([&] { return UnreadBytes(half.server.get()) == 3; }));
  half.client.Close();
  fixture.look->Begin(half.server.Release(), 0);
  REQUIRE(Eventually([&] {
    fixture.Process(10);
    return fixture.counted[Counter::kConnectionsAbandoned] == 2;
  }));
}

TEST_CASE("when nobody takes sessions any longer, all that wait go to Node threads") {
  Fixture fixture({});
  const Fd one = fixture.Begin(0);
  const Fd two = fixture.Begin(0, "PRI");
  fixture.look->GiveUp();
  EXPECT(Fixture::Taken(fixture.node) == 2);
  EXPECT(fixture.look->Expire(0) == -1);
}

TEST_CASE("while nobody takes connections, those that wait stay, and are given away unread later") {
  Fixture fixture({.timeout_ms = 1000});
  fixture.node->takes_requests = true;
  const Fd decided = fixture.Begin(0);
  const Fd silent = fixture.Begin(0);
  while (fixture.Process(10) > 0) continue;
  fixture.reactor->takes_sessions = false;
  fixture.node->accepting = false;
  Fixture::Send(decided, "PRI * HTTP/2.0\r\n\r\n");
  REQUIRE(fixture.Process(10'000) > 0);
  EXPECT(fixture.counted[Counter::kConnectionsDropped] == 0);
  fixture.reactor->takes_sessions = true;
  fixture.look->LookAgain();
  EXPECT(Fixture::Taken(fixture.reactor) == 1);
  EXPECT(Fixture::Taken(fixture.node) == 0);
  Fixture::Send(silent, "PRI * HTTP/2.0\r\n\r\n");
  REQUIRE(fixture.Process(10'000) > 0);
  EXPECT(Fixture::Taken(fixture.reactor) == 1);
  EXPECT(fixture.counted[Counter::kConnectionsDropped] == 0);
}

TEST_CASE("a first look that ends closes what waits, and leaks no descriptor") {
  Fixture fixture({});
  const int before = OpenDescriptors();
  {
    const Fd one = fixture.Begin(0);
    const Fd two = fixture.Begin(0, "PRI");
    const Fd three = fixture.Begin(0, "GET");
    fixture.look.reset();
    EXPECT(Fixture::Taken(fixture.node) == 1);
    char byte;
    EXPECT(read(one.get(), &byte, 1) == 0);
  }
  EXPECT(fixture.counted[Counter::kConnectionsAbandoned] == 2);
  EXPECT(OpenDescriptors() == before);
}

TEST_CASE("whether bytes are read as TLS is the port's to say, and it travels with them") {
  const auto tls = std::make_shared<const PortContext>();
  Fixture fixture({}, tls);
  const Fd client = fixture.Begin(0, ClientHello({"h2"}));
  const std::vector<Connection> placed = fixture.reactor.Take().connections;
  REQUIRE(placed.size() == 1);
  EXPECT(placed[0].port == tls);
  CHECK(close(placed[0].fd) == 0);
  const Fd clear = fixture.Begin(0, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  EXPECT(Fixture::Taken(fixture.node) == 1);
}

}  // namespace holdfast::test
