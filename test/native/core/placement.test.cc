#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "core/registry.h"
#include "support/doctest.h"
#include "support/test_worker.h"
#include "support/threads.h"

namespace holdfast::test {
namespace {

int Descriptor() {
  const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  CHECK(fd >= 0);
  return fd;
}

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

void Place(int fd, Destination destination = Destination::kSockets) {
  Registry::Get().Place({fd, nullptr, destination});
}

std::vector<int> TakeConnections(const TestWorker& worker) {
  std::vector<int> fds;
  for (const Connection& connection : worker.Take().connections) fds.push_back(connection.fd);
  return fds;
}

void CloseAll(const std::vector<int>& fds) {
  for (const int fd : fds) CHECK(close(fd) == 0);
}

}  // namespace

TEST_CASE("a connection goes to the least loaded worker that accepts") {
  TestWorker busy;
  TestWorker idle;
  const TestWorker deaf;
  busy->accepting = true;
  idle->accepting = true;
  for (int i = 0; i < 3; i++) busy.Open();
  idle.Open();
  const CountedSince counted;
  Place(Descriptor());
  EXPECT(idle->connections.load() == 1);
  EXPECT(idle.wakes() == 1);
  CloseAll(TakeConnections(idle));
  EXPECT(TakeConnections(busy).empty());
  EXPECT(TakeConnections(deaf).empty());
  EXPECT(counted[Counter::kConnectionsPlaced] == 1);
}

TEST_CASE("a burst spreads evenly before any worker has taken its first connection") {
  std::vector<std::unique_ptr<TestWorker>> workers;
  for (int i = 0; i < 4; i++) {
    workers.push_back(std::make_unique<TestWorker>());
    (*workers.back())->accepting = true;
  }
  for (int i = 0; i < 40; i++) Place(Descriptor());
  for (const auto& worker : workers) {
    const std::vector<int> fds = TakeConnections(*worker);
    EXPECT(fds.size() == 10);
    EXPECT((*worker)->load.load() == 10);
    CloseAll(fds);
  }
}

TEST_CASE("streams weigh as well as connections") {
  TestWorker one;
  TestWorker two;
  one->accepting = true;
  two->accepting = true;
  const uint32_t socket = one.Open();
  for (int i = 0; i < 6; i++) one.Create(socket);
  for (int i = 0; i < 6; i++) Place(Descriptor());
  const std::vector<int> fds = TakeConnections(two);
  EXPECT(fds.size() == 6);
  CloseAll(fds);
  CloseAll(TakeConnections(one));
}

TEST_CASE("a connection in flight to a worker that leaves is taken by another") {
  TestWorker leaves;
  leaves->accepting = true;
  const int fd = Descriptor();
  Place(fd);
  TestWorker takes;
  takes->accepting = true;
  const CountedSince counted;
  leaves.Leave();
  EXPECT(counted[Counter::kConnectionsReturned] == 1);
  EXPECT(counted[Counter::kConnectionsPlaced] == 1);
  EXPECT(takes->connections.load() == 1);
  const std::vector<int> fds = TakeConnections(takes);
  REQUIRE(fds == std::vector<int>{fd});
  EXPECT(IsOpen(fd));
  CloseAll(fds);
}

TEST_CASE("with no worker left a connection is closed and counted, not leaked") {
  TestWorker worker;
  worker->accepting = true;
  const int waiting = Descriptor();
  Place(waiting);
  const CountedSince counted;
  worker.Leave();
  EXPECT(!IsOpen(waiting));
  EXPECT(counted[Counter::kConnectionsReturned] == 1);
  EXPECT(counted[Counter::kConnectionsDropped] == 1);
  const int late = Descriptor();
  EXPECT(!Registry::Get().AnyoneAccepts());
  Place(late);
  EXPECT(!IsOpen(late));
  EXPECT(counted[Counter::kConnectionsDropped] == 2);
}

TEST_CASE("whoever takes a dead worker's number begins with no load of it") {
  TestWorker stays;
  uint32_t number = 0;
  {
    TestWorker leaves;
    number = leaves->id;
    leaves->accepting = true;
    leaves->takes_sessions = true;
    for (int i = 0; i < 5; i++) leaves.Open();
    Place(Descriptor());
  }
  const TestWorker next;
  REQUIRE(next->id == number);
  EXPECT(next->load.load() == 0);
  EXPECT(next->connections.load() == 0);
  EXPECT(!next->accepting.load());
  EXPECT(!next->takes_sessions.load());
}

TEST_CASE("a session goes to the least loaded worker that takes sessions, with its port") {
  TestWorker node;
  TestWorker busy;
  TestWorker idle;
  node->accepting = true;
  busy->takes_sessions = true;
  idle->takes_sessions = true;
  for (int i = 0; i < 3; i++) busy.Open();
  const auto port = std::make_shared<const PortContext>();
  Registry::Get().Place({Descriptor(), port, Destination::kSessions});
  EXPECT(idle->connections.load() == 1);
  EXPECT(idle->load.load() == 1);
  EXPECT(idle.wakes() == 1);
  const std::vector<Connection> placed = idle.Take().connections;
  REQUIRE(placed.size() == 1);
  EXPECT(placed[0].port == port);
  CloseAll({placed[0].fd});
  idle->ForgetConnection();
  EXPECT(idle->connections.load() == 0);
  EXPECT(idle->load.load() == 0);
  EXPECT(TakeConnections(node).empty());
  EXPECT(TakeConnections(busy).empty());
}

TEST_CASE("what is no session never goes to a worker that only takes sessions") {
  TestWorker node;
  const TestWorker reactor;
  node->accepting = true;
  reactor->takes_sessions = true;
  for (int i = 0; i < 5; i++) node.Open();
  Place(Descriptor());
  EXPECT(TakeConnections(reactor).empty());
  CloseAll(TakeConnections(node));
  node->accepting = false;
  const CountedSince counted;
  Place(Descriptor());
  EXPECT(TakeConnections(reactor).empty());
  EXPECT(counted[Counter::kConnectionsDropped] == 1);
}

TEST_CASE("a session goes to a Node thread when no worker takes sessions") {
  const TestWorker node;
  const TestWorker deaf;
  node->accepting = true;
  Place(Descriptor(), Destination::kSessions);
  const std::vector<int> fds = TakeConnections(node);
  EXPECT(fds.size() == 1);
  CloseAll(fds);
  EXPECT(TakeConnections(deaf).empty());
}

TEST_CASE("a session in flight to a worker that leaves is taken by another that takes sessions") {
  TestWorker leaves;
  const TestWorker node;
  leaves->takes_sessions = true;
  node->accepting = true;
  const auto port = std::make_shared<const PortContext>();
  Registry::Get().Place({Descriptor(), port, Destination::kSessions});
  const TestWorker takes;
  takes->takes_sessions = true;
  for (int i = 0; i < 3; i++) takes->load.fetch_add(1);  // more than the Node thread has
  leaves->takes_sessions = false;                        // as a reactor's does before it leaves
  leaves.Leave();
  EXPECT(TakeConnections(node).empty());
  const std::vector<Connection> placed = takes.Take().connections;
  REQUIRE(placed.size() == 1);
  EXPECT(placed[0].port == port);
  CloseAll({placed[0].fd});
}

TEST_CASE("sessions are taken only while somebody answers their requests") {
  Registry& registry = Registry::Get();
  EXPECT(!registry.AnyoneTakesSessions());
  TestWorker reactor;
  TestWorker node;
  reactor->takes_sessions = true;
  EXPECT(!registry.AnyoneTakesSessions());
  node->takes_requests = true;
  EXPECT(registry.AnyoneTakesSessions());
  node.Leave();
  EXPECT(!node->takes_requests.load());
  EXPECT(!registry.AnyoneTakesSessions());
  TestWorker other;
  other->takes_requests = true;
  EXPECT(registry.AnyoneTakesSessions());
  reactor.Leave();
  EXPECT(!registry.AnyoneTakesSessions());
}

}  // namespace holdfast::test
