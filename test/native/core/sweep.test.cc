#include "core/sweep.h"

#include <map>

#include "base/clock.h"
#include "support/doctest.h"
#include "support/test_worker.h"

namespace holdfast::test {
namespace {

Options Times(uint64_t idle_ms, uint64_t max_age_ms) {
  Options options = RoomyOptions();
  options[Option::kIdleTimeoutMs] = idle_ms;
  options[Option::kMaxAgeMs] = max_age_ms;
  return options;
}

std::map<uint32_t, Expiry> SweepAt(const TestWorker& worker, uint64_t now_ms) {
  Sweep sweep(*worker);
  sweep.Start();
  std::map<uint32_t, Expiry> by_handle;
  while (sweep.under_way()) {
    sweep.Look(now_ms);
    while (const auto expired = sweep.Next(now_ms)) {
      REQUIRE(by_handle.emplace(expired->handle, expired->expiry).second);
    }
  }
  return by_handle;
}

}  // namespace

// The time-outs were configured and never looked at.
TEST_CASE("a stream without a byte for idleTimeoutMs is swept, one that had a byte is not") {
  TestWorker worker(Times(1000, 0));
  const uint32_t socket = worker.Open();
  const uint64_t born = worker.Create(socket, StreamKind::kRaw, {}, 1).created_ms;
  const StreamUid busy = worker.Create(socket, StreamKind::kRaw, {}, 2).uid;
  EXPECT(SweepAt(worker, born + 999).empty());
  Registry::Get().FindLine(busy)->Touch(born + 900);
  EXPECT(SweepAt(worker, born + 1500) == std::map<uint32_t, Expiry>{{1, Expiry::kIdle}});
  EXPECT(SweepAt(worker, born + 1900) ==
         std::map<uint32_t, Expiry>{{1, Expiry::kIdle}, {2, Expiry::kIdle}});
}

// A batch of them may be ended over several turns, and user code runs in between.
TEST_CASE("one that was found too old and had a byte since, or has gone, is not ended") {
  TestWorker worker(Times(1000, 0));
  const uint32_t socket = worker.Open();
  const uint64_t born = worker.Create(socket, StreamKind::kRaw, {}, 1).created_ms;
  const StreamUid busy = worker.Create(socket, StreamKind::kRaw, {}, 2).uid;
  const StreamUid gone = worker.Create(socket, StreamKind::kRaw, {}, 3).uid;
  Sweep sweep(*worker);
  sweep.Start();
  sweep.Look(born + 2000);
  Registry::Get().FindLine(busy)->Touch(born + 1900);
  worker.Destroy(gone);
  (void)worker.Create(socket, StreamKind::kRaw, {}, 3);
  const auto expired = sweep.Next(born + 2000);
  REQUIRE(expired.has_value());
  EXPECT(expired->handle == 1);
  EXPECT(!sweep.Next(born + 2000).has_value());
  // One that is under way goes on.
  sweep.Start();
  while (sweep.under_way()) sweep.Look(born);
}

TEST_CASE("a stream of maxAgeMs is swept however busy it is") {
  TestWorker worker(Times(1000, 5000));
  const StreamFacts facts = worker.Create(worker.Open(), StreamKind::kRaw, {}, 1);
  for (uint64_t age = 0; age < 5000; age += 500) {
    Registry::Get().FindLine(facts.uid)->Touch(facts.created_ms + age);
    EXPECT(SweepAt(worker, facts.created_ms + age).empty());
  }
  Registry::Get().FindLine(facts.uid)->Touch(facts.created_ms + 5000);
  EXPECT(SweepAt(worker, facts.created_ms + 5000) ==
         std::map<uint32_t, Expiry>{{1, Expiry::kMaxAge}});
}

TEST_CASE("a detached stream is swept as any other") {
  TestWorker worker(Times(1000, 0));
  const StreamFacts facts = worker.Create(worker.Open(), StreamKind::kSse, {}, 4);
  worker.Detach(facts.uid);
  EXPECT(SweepAt(worker, facts.created_ms + 2000).count(4) == 1);
}

TEST_CASE("with both time-outs off no age is too much") {
  TestWorker worker(Times(0, 0));
  const StreamFacts facts = worker.Create(worker.Open());
  EXPECT(SweepAt(worker, facts.created_ms + (uint64_t{1} << 40)).empty());
}

// Another thread makes and closes streams of a reactor while that sweeps.
TEST_CASE("what happens to a stream while a sweep is under way does not make it old") {
  TestWorker worker(Times(1000, 1000));
  const StreamFacts fresh = worker.Create(worker.Open());
  const StreamFacts closing = worker.Create(worker.Open(), StreamKind::kRaw, {}, 1);
  Registry::Get().FindLine(closing.uid)->MarkClosing(closing.created_ms + 4);
  EXPECT(SweepAt(worker, fresh.created_ms - 4).empty());
}

TEST_CASE("a stream that was told to close and does not go is found stuck after five seconds") {
  TestWorker worker(Times(0, 0));
  const StreamFacts facts = worker.Create(worker.Open(), StreamKind::kRaw, {}, 9);
  const uint64_t told = facts.created_ms + 60'000;
  Registry::Get().FindLine(facts.uid)->MarkClosing(told);
  EXPECT(SweepAt(worker, told + 4999).empty());
  EXPECT(SweepAt(worker, told + 5000) == std::map<uint32_t, Expiry>{{9, Expiry::kStuck}});
}

// It ended as reset: what was told to the owner by mail was taken for a stream that does not go.
TEST_CASE("a silent stream that another thread breaks off is not stuck before its owner knows") {
  TestWorker worker(Times(0, 0));
  const StreamFacts facts = worker.Create(worker.Open(), StreamKind::kRaw, {}, 9);
  StreamLine* line = Registry::Get().FindLine(facts.uid);
  const uint64_t later = facts.created_ms + 60'000;
  REQUIRE(line->StartClosing(facts.uid));
  EXPECT(SweepAt(worker, later).empty());
  line->MarkClosing(later);
  EXPECT(SweepAt(worker, later + 4999).empty());
  EXPECT(SweepAt(worker, later + 5000) == std::map<uint32_t, Expiry>{{9, Expiry::kStuck}});
}

}  // namespace holdfast::test
