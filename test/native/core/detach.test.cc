#include <algorithm>
#include <set>

#include "core/registry.h"
#include "support/doctest.h"
#include "support/random.h"
#include "support/test_worker.h"

namespace holdfast::test {
namespace {

std::set<uint64_t> Listed() {
  std::set<uint64_t> uids;
  for (const StreamUid uid : Registry::Get().AutonomousStreams()) {
    REQUIRE(uids.insert(uid.value).second);
  }
  return uids;
}

}  // namespace

// Every detached stream was counted as a WebSocket.
TEST_CASE("a detached stream goes on counting as its own kind") {
  TestWorker worker;
  const uint32_t socket = worker.Open();
  for (const StreamKind kind : {StreamKind::kRaw, StreamKind::kSse, StreamKind::kWebSocket}) {
    const CountedSince counted;
    const StreamUid uid = worker.Create(socket, kind).uid;
    EXPECT(worker.Detach(uid));
    EXPECT(counted[Counter::kStreamsDetached] == 1);
    StreamFacts facts;
    REQUIRE(Registry::Get().Find(worker.get(), uid, &facts));
    EXPECT(facts.kind == kind);
    EXPECT(facts.detached);
    EXPECT(counted[CreatedOf(kind)] == 1);
    worker.Destroy(uid);
    for (const StreamKind other : {StreamKind::kRaw, StreamKind::kSse, StreamKind::kWebSocket}) {
      EXPECT(counted[DestroyedOf(other)] == (other == kind ? 1 : 0));
    }
    EXPECT(counted[Counter::kDetachedDestroyed] == 1);
  }
}

// A stream was listed first and flagged later, so a second detach listed it twice.
TEST_CASE("a second detach is a no-op: listed once, counted once, first time kept") {
  TestWorker worker;
  const StreamUid uid = worker.Create(worker.Open()).uid;
  const CountedSince counted;
  EXPECT(worker.Detach(uid));
  StreamFacts first;
  REQUIRE(Registry::Get().Find(nullptr, uid, &first));
  EXPECT(worker.Detach(uid));
  StreamFacts second;
  REQUIRE(Registry::Get().Find(nullptr, uid, &second));
  EXPECT(Listed() == std::set<uint64_t>{uid.value});
  EXPECT(counted[Counter::kStreamsDetached] == 1);
  EXPECT(second.detached_ms == first.detached_ms);
  EXPECT(first.detached_ms >= first.created_ms);
  worker.Destroy(uid);
  EXPECT(Listed().empty());
  EXPECT(counted[Counter::kDetachedDestroyed] == 1);
}

TEST_CASE("a stream that has gone cannot be detached and leaves nothing behind") {
  TestWorker worker;
  const StreamUid uid = worker.Create(worker.Open()).uid;
  worker.Destroy(uid);
  const CountedSince counted;
  EXPECT(!worker.Detach(uid));
  EXPECT(Listed().empty());
  EXPECT(counted[Counter::kStreamsDetached] == 0);
}

TEST_CASE("the line's next tenant is not detached because the last one was") {
  TestWorker worker;
  const uint32_t socket = worker.Open();
  StreamUid uid = worker.Create(socket).uid;
  worker.Detach(uid);
  worker.Destroy(uid);
  uid = worker.Create(socket).uid;
  StreamFacts facts;
  REQUIRE(Registry::Get().Find(nullptr, uid, &facts));
  EXPECT(!facts.detached);
  EXPECT(facts.detached_ms == 0);
}

// The last of the list takes the place of the one that goes; a place not told to it would take a
// stranger off the list later.
TEST_CASE("the list of detached streams is the detached streams, in whatever order they go") {
  Random random("detach");
  TestWorker one;
  TestWorker two;
  TestWorker* const workers[] = {&one, &two};
  const uint32_t sockets[] = {one.Open(), two.Open()};
  std::vector<StreamUid> attached;
  std::vector<StreamUid> detached;
  const auto owner = [&](StreamUid uid) -> TestWorker& {
    return uid.worker_id() == one->id ? one : two;
  };
  const auto take = [&](std::vector<StreamUid>& from) {
    std::swap(from[random.Below(static_cast<uint32_t>(from.size()))], from.back());
    const StreamUid uid = from.back();
    from.pop_back();
    return uid;
  };
  for (int step = 0; step < 5000; step++) {
    const uint32_t draw = random.Below(10);
    if (draw < 4) {
      const uint32_t which = random.Below(2);
      attached.push_back(workers[which]->Create(sockets[which]).uid);
    } else if (draw < 7 && !attached.empty()) {
      detached.push_back(take(attached));
      REQUIRE(owner(detached.back()).Detach(detached.back()));
    } else if (draw < 9 && !detached.empty()) {
      const StreamUid uid = take(detached);
      REQUIRE(owner(uid).Destroy(uid));
    } else if (!attached.empty()) {
      const StreamUid uid = take(attached);
      REQUIRE(owner(uid).Destroy(uid));
    }
    if (step % 100 != 0) continue;
    std::set<uint64_t> expected;
    for (const StreamUid uid : detached) expected.insert(uid.value);
    REQUIRE(Listed() == expected);
  }
  const uint32_t number = two->id;
  two.Leave();
  std::erase_if(detached, [&](StreamUid uid) { return uid.worker_id() == number; });
  EXPECT(Listed().size() == detached.size());
}

}  // namespace holdfast::test
