#include "core/registry.h"

#include <set>

#include "support/doctest.h"
#include "support/test_worker.h"
#include "support/threads.h"

namespace holdfast::test {
namespace {

Registry& Shared() { return Registry::Get(); }

Options With(Option option, uint64_t value) {
  Options options = RoomyOptions();
  options[option] = value;
  return options;
}

}  // namespace

TEST_CASE("the first worker's options hold for all, and only an explicit difference is refused") {
  const TestWorker first(With(Option::kIdleTimeoutMs, 5000));
  Worker* other = nullptr;
  const Options different = With(Option::kIdleTimeoutMs, 1);
  const uint32_t given = 1u << static_cast<uint32_t>(Option::kIdleTimeoutMs);
  EXPECT(Shared().Join(different, given, &other) == Status::kOptionsMismatch);
  EXPECT(other == nullptr);
  EXPECT(Shared().LiveWorkers().size() == 1);
  const TestWorker joined(different);
  EXPECT(joined->options[Option::kIdleTimeoutMs] == 5000);
  const uint32_t another = 1u << static_cast<uint32_t>(Option::kMaxAgeMs);
  REQUIRE(Shared().Join(different, another, &other) == Status::kOk);
  CountingWaker waker;
  other->mailbox.Open(&waker);
  Shared().Leave(*other, CloseReason::kWorker);
}

TEST_CASE("when the last worker has left, the next one may open with other options") {
  {
    const TestWorker worker(With(Option::kMaxAgeMs, 1));
  }
  const TestWorker worker(With(Option::kMaxAgeMs, 2));
  EXPECT(worker->options[Option::kMaxAgeMs] == 2);
}

TEST_CASE("a dead worker's number is used again and its uids are not") {
  std::set<uint64_t> uids;
  uint32_t number = 0;
  for (int turn = 0; turn < 5; turn++) {
    TestWorker worker;
    if (turn == 0) number = worker->id;
    EXPECT(worker->id == number);
    for (int i = 0; i < 100; i++) {
      REQUIRE(uids.insert(worker.Create(worker.Open()).uid.value).second);
    }
    EXPECT(worker.Leave() == 100);
    EXPECT(!worker->alive.load());
    for (const uint64_t uid : uids) REQUIRE(Shared().FindLine({uid}) == nullptr);
    EXPECT(worker->cache.Usage().sockets == 0);
    EXPECT(worker->load.load() >= 0);
  }
  EXPECT(Shared().total_streams() == 0);
}

TEST_CASE("a worker that leaves is announced to the others with the number of its streams") {
  const TestWorker stays;
  uint32_t number = 0;
  {
    TestWorker leaves;
    number = leaves->id;
    const uint32_t socket = leaves.Open();
    for (int i = 0; i < 3; i++) leaves.Create(socket);
  }
  EXPECT(stays.wakes() == 1);
  EXPECT(stays->mailbox.reserved() > 0);
  const Mailbox::Batch batch = stays.Take();
  REQUIRE(batch.chunks.size() == 1);
  const MessageHeader* message = batch.chunks[0]->At(0);
  EXPECT(message->op == MessageOp::kWorkerExit);
  EXPECT(message->uid.value == number);
  uint64_t streams = 0;
  std::memcpy(&streams, message->bytes(), sizeof streams);
  EXPECT(streams == 3);
  EXPECT(stays->mailbox.reserved() == 0);
}

TEST_CASE("every find counts exactly once: a hit, a cross-worker look-up or a miss") {
  TestWorker one;
  TestWorker two;
  const StreamUid mine = one.Create(one.Open()).uid;
  const StreamUid theirs = two.Create(two.Open()).uid;
  const StreamUid gone = two.Create(two.Open()).uid;
  two.Destroy(gone);
  const StreamUid nowhere = StreamUid::Of(kMaxWorkers - 1, 1, 0, 0);
  StreamFacts facts;
  const auto counts = [&](Worker* self, StreamUid uid, bool found, int hit, int cross, int miss) {
    const CountedSince counted;
    EXPECT(Shared().Find(self, uid, &facts) == found);
    EXPECT(counted[Counter::kCacheHits] == static_cast<uint64_t>(hit));
    EXPECT(counted[Counter::kCrossWorkerLookups] == static_cast<uint64_t>(cross));
    EXPECT(counted[Counter::kCacheMisses] == static_cast<uint64_t>(miss));
  };
  counts(one.get(), mine, true, 1, 0, 0);
  counts(one.get(), theirs, true, 0, 1, 0);
  counts(two.get(), gone, false, 0, 0, 1);
  counts(one.get(), gone, false, 0, 0, 1);
  counts(one.get(), nowhere, false, 0, 0, 1);
  counts(one.get(), StreamUid{0}, false, 0, 0, 1);
  // A thread that is no worker has no cache to hit.
  counts(nullptr, mine, true, 0, 1, 0);
  counts(nullptr, gone, false, 0, 0, 1);
  REQUIRE(Shared().Find(one.get(), theirs, &facts));
  EXPECT(facts.uid == theirs);
}

// Streams were never un-registered, and neither creations nor destructions were counted.
TEST_CASE("each stream counts once as created and once as destroyed, by kind and by reason") {
  TestWorker worker;
  const uint32_t socket = worker.Open();
  for (uint32_t kind = 0; kind < kStreamKinds; kind++) {
    for (uint32_t reason = 0; reason < kCloseReasons; reason++) {
      const CountedSince counted;
      const auto as_kind = static_cast<StreamKind>(kind);
      const auto as_reason = static_cast<CloseReason>(reason);
      const StreamUid uid = worker.Create(socket, as_kind).uid;
      EXPECT(counted[CreatedOf(as_kind)] == 1);
      EXPECT(counted[DestroyedOf(as_kind)] == 0);
      EXPECT(worker.Destroy(uid, as_reason));
      EXPECT(!worker.Destroy(uid, as_reason));
      for (uint32_t other = 0; other < kStreamKinds; other++) {
        const uint64_t expected = other == kind ? 1 : 0;
        EXPECT(counted[CreatedOf(static_cast<StreamKind>(other))] == expected);
        EXPECT(counted[DestroyedOf(static_cast<StreamKind>(other))] == expected);
      }
      for (uint32_t other = 0; other < kCloseReasons; other++) {
        EXPECT(counted[ClosedBy(static_cast<CloseReason>(other))] == (other == reason ? 1 : 0));
      }
    }
  }
  EXPECT(worker->live_streams.load() == 0);
  EXPECT(Shared().total_streams() == 0);
}

TEST_CASE("a worker that leaves counts each of its streams under its reason, detached or not") {
  const CountedSince counted;
  TestWorker worker;
  const uint32_t socket = worker.Open();
  for (int i = 0; i < 10; i++) {
    const StreamUid uid = worker.Create(socket, StreamKind::kSse).uid;
    if (i < 4) worker.Detach(uid);
  }
  EXPECT(worker.Leave(CloseReason::kManager) == 10);
  EXPECT(counted[ClosedBy(CloseReason::kManager)] == 10);
  EXPECT(counted[DestroyedOf(StreamKind::kSse)] == 10);
  EXPECT(counted[Counter::kDetachedDestroyed] == 4);
  EXPECT(counted[Counter::kSocketsClosed] == 1);
  EXPECT(Shared().AutonomousStreams().empty());
}

// Limits that nothing looked at.
TEST_CASE("a worker takes no more streams than maxStreamsPerWorker") {
  TestWorker worker(With(Option::kMaxStreamsPerWorker, 3));
  const uint32_t socket = worker.Open();
  StreamFacts facts;
  StreamUid last;
  for (int i = 0; i < 3; i++) last = worker.Create(socket).uid;
  EXPECT(Shared().CreateStream(*worker, socket, {}, &facts) == Status::kWorkerLimit);
  EXPECT(Shared().total_streams() == 3);
  worker.Destroy(last);
  worker.Create(socket);
}

TEST_CASE("the process takes no more streams than maxTotalStreams, also from two threads at once") {
  constexpr uint64_t kLimit = 50;
  TestWorker one(With(Option::kMaxTotalStreams, kLimit));
  TestWorker two;
  // One word, raised behind each creation and lowered before each end: never above what lives.
  std::atomic<uint64_t> held{0};
  std::atomic<uint64_t> above{0};
  std::atomic<uint64_t> refused{0};
  const auto churn = [&](TestWorker& worker) {
    return [&] {
      const uint32_t socket = worker.Open();
      std::vector<StreamUid> live;
      for (int i = 0; i < 20'000; i++) {
        StreamFacts facts;
        const Status status = Shared().CreateStream(*worker, socket, {}, &facts);
        if (IsOk(status)) {
          live.push_back(facts.uid);
          if (held.fetch_add(1) >= kLimit) above.fetch_add(1);
        }
        if (status == Status::kTotalLimit) refused.fetch_add(1);
        if (!live.empty() && (!IsOk(status) || i % 3 == 0)) {
          held.fetch_sub(1);
          worker.Destroy(live.back());
          live.pop_back();
        }
      }
      for (const StreamUid uid : live) {
        held.fetch_sub(1);
        worker.Destroy(uid);
      }
    };
  };
  RunTogether({churn(one), churn(two)});
  EXPECT(above.load() == 0);
  EXPECT(refused.load() > 0);
  // Each refusal was undone: exactly the limit can be had again.
  EXPECT(Shared().total_streams() == 0);
  const uint32_t socket = one.Open();
  for (uint64_t i = 0; i < kLimit; i++) one.Create(socket);
  StreamFacts facts;
  EXPECT(Shared().CreateStream(*two, two.Open(), {}, &facts) == Status::kTotalLimit);
}

TEST_CASE("a worker's load is its sockets and every stream beyond a socket's first") {
  TestWorker worker;
  EXPECT(worker->load.load() == 0);
  const uint32_t socket = worker.Open();
  EXPECT(worker->load.load() == 1);
  const StreamUid first = worker.Create(socket).uid;
  EXPECT(worker->load.load() == 1);
  const StreamUid second = worker.Create(socket).uid;
  worker.Create(socket);
  EXPECT(worker->load.load() == 3);
  worker.Destroy(first);
  worker.Destroy(second);
  EXPECT(worker->load.load() == 1);
  // A socket that the listener placed was counted by it.
  const uint32_t placed = Shared().OpenSocket(*worker, {}, /*placed=*/true);
  EXPECT(worker->load.load() == 1);
  Shared().CloseSocket(*worker, placed, /*placed=*/true);
  EXPECT(worker->load.load() == 1);
}

}  // namespace holdfast::test
