#include "listener/listener.h"

#include <fcntl.h>
#include <netinet/tcp.h>

#include "support/doctest.h"
#include "support/sockets.h"
#include "support/test_worker.h"
#include "support/threads.h"

namespace holdfast::test {
namespace {

void Accept(const TestWorker& worker, bool accepting = true) {
  worker->accepting.store(accepting);
  Listener::NotifyAll();
}

// Waits for `count` connections and takes them.
std::vector<Fd> TakeConnections(const TestWorker& worker, size_t count) {
  std::vector<Fd> fds;
  EXPECT(Eventually([&] {
    for (const auto& connection : worker.Take().connections) fds.emplace_back(connection.fd);
    return fds.size() >= count;
  }));
  EXPECT(fds.size() == count);
  return fds;
}

bool Echoes(const Fd& from, const Fd& to) {
  char byte = 0;
  if (write(from.get(), "x", 1) != 1) return false;
  return Eventually([&] { return read(to.get(), &byte, 1) == 1; }) && byte == 'x';
}

}  // namespace

TEST_CASE("connections to a port of the system's choice reach a worker, over IPv4 and IPv6") {
  const TestWorker worker;
  Accept(worker);
  for (const bool ipv6 : {false, true}) {
    const auto listener = Listener::Open(Registry::Get(), {ipv6 ? "::1" : "127.0.0.1"});
    REQUIRE(listener != nullptr);
    REQUIRE(listener->port() != 0);
    const Fd client = ConnectTo(listener->port(), ipv6);
    const std::vector<Fd> fds = TakeConnections(worker, 1);
    REQUIRE(fds.size() == 1);
    EXPECT(Echoes(client, fds[0]));
    int on = 0;
    socklen_t size = sizeof on;
    REQUIRE(getsockopt(fds[0].get(), IPPROTO_TCP, TCP_NODELAY, &on, &size) == 0);
    EXPECT(on != 0);
    EXPECT((fcntl(fds[0].get(), F_GETFD) & FD_CLOEXEC) != 0);
  }
}

TEST_CASE("connections that come before anyone accepts wait in the backlog, and are then taken") {
  const TestWorker worker;
  const CountedSince counted;
  const auto listener = Listener::Open(Registry::Get(), {"127.0.0.1"});
  REQUIRE(listener != nullptr);
  std::vector<Fd> clients;
  for (int i = 0; i < 10; i++) clients.push_back(ConnectTo(listener->port()));
  EXPECT(counted[Counter::kConnectionsPlaced] == 0);
  EXPECT(worker.wakes() == 0);
  Accept(worker);
  const std::vector<Fd> fds = TakeConnections(worker, 10);
  EXPECT(counted[Counter::kConnectionsPlaced] == 10);
  EXPECT(counted[Counter::kConnectionsDropped] == 0);
}

TEST_CASE("when the last worker ceases to accept, new connections wait again") {
  const TestWorker worker;
  const auto listener = Listener::Open(Registry::Get(), {"127.0.0.1"});
  REQUIRE(listener != nullptr);
  Accept(worker);
  const Fd first = ConnectTo(listener->port());
  TakeConnections(worker, 1);
  Accept(worker, false);
  const CountedSince counted;
  const Fd second = ConnectTo(listener->port());
  Accept(worker, true);
  TakeConnections(worker, 1);
  EXPECT(counted[Counter::kConnectionsPlaced] == 1);
  EXPECT(counted[Counter::kConnectionsDropped] == 0);
}

TEST_CASE("a listener that stops, with connections still in its backlog, leaks no descriptor") {
  const TestWorker worker;
  const int before = OpenDescriptors();
  for (int round = 0; round < 5; round++) {
    auto listener = Listener::Open(Registry::Get(), {"127.0.0.1"});
    REQUIRE(listener != nullptr);
    std::vector<Fd> clients;
    for (int i = 0; i < 5; i++) clients.push_back(ConnectTo(listener->port()));
    if (round % 2 == 0) {
      Accept(worker);
      TakeConnections(worker, 5);
      Accept(worker, false);
    }
    listener.reset();
  }
  EXPECT(OpenDescriptors() == before);
}

TEST_CASE("two listeners place on the same workers, and one stops without the other") {
  const TestWorker worker;
  Accept(worker);
  auto one = Listener::Open(Registry::Get(), {"127.0.0.1"});
  const auto two = Listener::Open(Registry::Get(), {"127.0.0.1"});
  REQUIRE(one != nullptr);
  REQUIRE(two != nullptr);
  const Fd first = ConnectTo(one->port());
  TakeConnections(worker, 1);
  one.reset();
  const Fd second = ConnectTo(two->port());
  TakeConnections(worker, 1);
}

TEST_CASE("a burst of connections is spread evenly over workers that take none of them yet") {
  std::vector<std::unique_ptr<TestWorker>> workers;
  for (int i = 0; i < 4; i++) {
    workers.push_back(std::make_unique<TestWorker>());
    Accept(*workers.back());
  }
  const CountedSince counted;
  const auto listener = Listener::Open(Registry::Get(), {"127.0.0.1"});
  REQUIRE(listener != nullptr);
  std::vector<Fd> clients;
  for (int i = 0; i < 80; i++) clients.push_back(ConnectTo(listener->port()));
  REQUIRE(Eventually([&] { return counted[Counter::kConnectionsPlaced] == 80; }));
  for (const auto& worker : workers) TakeConnections(*worker, 20);
}

TEST_CASE("an address that cannot be listened on is refused with its reason") {
  EXPECT(Listener::Open(Registry::Get(), {"not an address"}) == nullptr);
  EXPECT(errno == EINVAL);
  const auto listener = Listener::Open(Registry::Get(), {"127.0.0.1"});
  REQUIRE(listener != nullptr);
  EXPECT(Listener::Open(Registry::Get(), {"127.0.0.1", listener->port()}) == nullptr);
  EXPECT(errno == EADDRINUSE);
}

}  // namespace holdfast::test
