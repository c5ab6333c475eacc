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

std::vector<int> TakeConnections(const TestWorker& worker) { return worker.Take().connections; }

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
  Registry::Get().Place(Descriptor());
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
  for (int i = 0; i < 40; i++) Registry::Get().Place(Descriptor());
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
  for (int i = 0; i < 6; i++) Registry::Get().Place(Descriptor());
  const std::vector<int> fds = TakeConnections(two);
  EXPECT(fds.size() == 6);
  CloseAll(fds);
  CloseAll(TakeConnections(one));
}

TEST_CASE("a connection in flight to a worker that leaves is taken by another") {
  TestWorker leaves;
  leaves->accepting = true;
  const int fd = Descriptor();
  Registry::Get().Place(fd);
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
  Registry::Get().Place(waiting);
  const CountedSince counted;
  worker.Leave();
  EXPECT(!IsOpen(waiting));
  EXPECT(counted[Counter::kConnectionsReturned] == 1);
  EXPECT(counted[Counter::kConnectionsDropped] == 1);
  const int late = Descriptor();
  EXPECT(!Registry::Get().AnyoneAccepts());
  Registry::Get().Place(late);
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
    for (int i = 0; i < 5; i++) leaves.Open();
    Registry::Get().Place(Descriptor());
  }
  const TestWorker next;
  REQUIRE(next->id == number);
  EXPECT(next->load.load() == 0);
  EXPECT(next->connections.load() == 0);
  EXPECT(!next->accepting.load());
}

}  // namespace holdfast::test
