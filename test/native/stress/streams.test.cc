// One owner creates, detaches, sends, delivers and destroys; two threads find, send and close by
// uid; one walks, sums and reads the usage.
#include <array>
#include <optional>

#include "core/enumerate.h"
#include "core/sender.h"
#include "support/counting_carrier.h"
#include "support/doctest.h"
#include "support/random.h"
#include "support/recording_carrier.h"
#include "support/test_worker.h"
#include "support/threads.h"

namespace holdfast::test {
namespace {

constexpr uint32_t kPlaces = 64;

// What every thread knows of: the uids of places that the owner fills anew all the time.
struct Known {
  std::array<std::atomic<uint64_t>, kPlaces> uids{};
  std::atomic<bool> done{false};
  std::atomic<uint64_t> finds{0};
  std::atomic<uint64_t> wrong{0};
};

void Own(TestWorker& worker, Known& known, uint64_t seed, uint64_t* delivered) {
  Random random(seed);
  CountingCarrier carrier;
  Inbox inbox(Registry::Get(), *worker, carrier);
  Sender sender(Registry::Get(), worker.get());
  StringBuffer local;
  std::array<StreamUid, kPlaces> uids{};
  std::array<uint32_t, kPlaces> sockets;
  for (uint32_t& socket : sockets) socket = worker.Open();
  const auto empty = [&](uint32_t place) {
    worker.Destroy(uids[place], static_cast<CloseReason>(random.Below(kCloseReasons)));
    if (random.OneIn(3)) {
      worker.CloseSocket(sockets[place]);
      sockets[place] = worker.Open();
    }
    uids[place] = {};
  };
  const auto take_mail = [&] {
    Mailbox::Batch batch;
    worker->mailbox.Take(&batch);
    inbox.Put(std::move(batch.chunks));
    while (inbox.Deliver()) continue;
    for (const uint32_t place : carrier.closed) {
      if (uids[place].value != 0) empty(place);
    }
    carrier.closed.clear();
  };
  const Clock::time_point end = Clock::now() + StressTime();
  while (Clock::now() < end) {
    const uint32_t place = random.Below(kPlaces);
    if (uids[place].value != 0) empty(place);
    const auto kind = static_cast<StreamKind>(random.Below(kStreamKinds));
    uids[place] = worker.Create(sockets[place], kind, std::string_view("t\0", 2), place).uid;
    known.uids[place].store(uids[place].value, std::memory_order_release);
    if (random.OneIn(2)) worker.Detach(uids[place]);
    if (random.OneIn(2)) (void)sender.Send(uids[place], Text("own"), local);
    if (random.OneIn(4)) take_mail();
  }
  known.done.store(true);
  take_mail();
  *delivered = carrier.delivered;
}

// A worker or, with nullptr, any thread.
void Use(Worker* self, Known& known, uint64_t seed) {
  Random random(seed);
  Sender sender(Registry::Get(), self);
  StringBuffer local;
  while (!known.done.load()) {
    const uint32_t place = random.Below(kPlaces);
    const StreamUid uid{known.uids[place].load(std::memory_order_acquire)};
    StreamFacts facts;
    const bool found = Registry::Get().Find(self, uid, &facts);
    known.finds.fetch_add(1);
    if (found && facts.handle != place) known.wrong.fetch_add(1);
    (void)sender.Send(uid, Text("0123456789"), local);
    if (random.OneIn(64)) (void)sender.Close(uid, 0, "");
    if (random.OneIn(16)) sender.Flush();
  }
}

void Watch(Worker& owner, Known& known) {
  const auto count = [](const auto& totals, Counter counter) {
    return totals[static_cast<uint32_t>(counter)];
  };
  while (!known.done.load()) {
    const auto totals = Registry::Get().Totals();
    for (uint32_t kind = 0; kind < kStreamKinds; kind++) {
      const auto as_kind = static_cast<StreamKind>(kind);
      if (count(totals, DestroyedOf(as_kind)) > count(totals, CreatedOf(as_kind))) {
        known.wrong.fetch_add(1);
      }
    }
    (void)owner.cache.Usage();
    StreamFilter filter;
    filter.tag = "t";
    filter.detached = totals[0] % 2 == 0 ? std::optional(true) : std::nullopt;
    Enumeration walk(Registry::Get(), filter);
    std::vector<FoundStream> streams;
    while (walk.Next(16, &streams)) {
      for (const FoundStream& stream : streams) {
        if (stream.facts.handle >= kPlaces) known.wrong.fetch_add(1);
      }
      streams.clear();
    }
  }
}

}  // namespace

TEST_CASE("stress: beside an owner's churn no reader errs, and what is counted in is counted out") {
  Random random("stream churn");
  const CountedSince counted;
  Known known;
  TestWorker owner;
  TestWorker other;
  uint64_t delivered = 0;
  const uint64_t seeds[] = {random.Next(), random.Next(), random.Next()};
  RunTogether({[&] { Own(owner, known, seeds[0], &delivered); },
               [&] { Use(other.get(), known, seeds[1]); }, [&] { Use(nullptr, known, seeds[2]); },
               [&] { Watch(*owner, known); }});
  owner.Leave();
  other.Leave();
  EXPECT(known.wrong.load() == 0);
  EXPECT(delivered > 0);
  EXPECT(counted[Counter::kCacheHits] + counted[Counter::kCrossWorkerLookups] +
             counted[Counter::kCacheMisses] ==
         known.finds.load());
  EXPECT(counted[Counter::kMessagesQueued] == delivered + counted[Counter::kMessagesUndeliverable]);
  uint64_t created = 0;
  uint64_t destroyed = 0;
  uint64_t closed = 0;
  for (uint32_t kind = 0; kind < kStreamKinds; kind++) {
    created += counted[CreatedOf(static_cast<StreamKind>(kind))];
    destroyed += counted[DestroyedOf(static_cast<StreamKind>(kind))];
  }
  for (uint32_t reason = 0; reason < kCloseReasons; reason++) {
    closed += counted[ClosedBy(static_cast<CloseReason>(reason))];
  }
  EXPECT(created > 0);
  EXPECT(created == destroyed);
  EXPECT(created == closed);
  EXPECT(counted[Counter::kStreamsDetached] == counted[Counter::kDetachedDestroyed]);
  EXPECT(counted[Counter::kSocketsOpened] == counted[Counter::kSocketsClosed]);
  EXPECT(Registry::Get().total_streams() == 0);
  EXPECT(Registry::Get().AutonomousStreams().empty());
  EXPECT(owner->mailbox.reserved() == 0);
}

// Both change the one list of the process; without its lock places are lost and strangers removed.
TEST_CASE("stress: two owners that detach and destroy at once keep the list of detached streams") {
  TestWorker one;
  TestWorker two;
  Random random("detach churn");
  const auto churn = [](TestWorker& worker, uint64_t seed, std::vector<StreamUid>* left) {
    return [&worker, seed, left] {
      Random draws(seed);
      const uint32_t socket = worker.Open();
      const Clock::time_point end = Clock::now() + StressTime();
      while (Clock::now() < end) {
        if (left->size() < 50 && !draws.OneIn(3)) {
          left->push_back(worker.Create(socket).uid);
          CHECK(worker.Detach(left->back()));
        } else if (!left->empty()) {
          std::swap((*left)[draws.Below(static_cast<uint32_t>(left->size()))], left->back());
          CHECK(worker.Destroy(left->back()));
          left->pop_back();
        }
      }
    };
  };
  std::vector<StreamUid> left[2];
  RunTogether({churn(one, random.Next(), &left[0]), churn(two, random.Next(), &left[1])});
  std::vector<uint64_t> expected;
  for (const auto& uids : left) {
    for (const StreamUid uid : uids) expected.push_back(uid.value);
  }
  std::vector<uint64_t> listed;
  for (const StreamUid uid : Registry::Get().AutonomousStreams()) listed.push_back(uid.value);
  std::sort(expected.begin(), expected.end());
  std::sort(listed.begin(), listed.end());
  EXPECT(listed == expected);
}

}  // namespace holdfast::test
