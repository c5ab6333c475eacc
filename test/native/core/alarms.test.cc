#include "core/alarms.h"

#include <string>

#include "base/clock.h"
#include "core/heartbeat.h"
#include "core/inbox.h"
#include "support/doctest.h"
#include "support/random.h"
#include "support/recording_carrier.h"
#include "support/test_worker.h"
#include "support/threads.h"

namespace holdfast::test {
namespace {

constexpr uint32_t kInterval = 100;

struct Beating {
  Beating() : uid(owner.Create(owner.Open(), StreamKind::kSse, {}, 0).uid) {}

  StreamLine& line() { return *owner->cache.Find(uid); }
  // As if the stream's next heartbeat had been due that long ago.
  void LetPass(uint64_t quiet_ms) {
    (void)owner->alarms.Set({uid, MonotonicMs() - 1, kInterval});
    line().Touch(MonotonicMs() - quiet_ms);
    (void)inbox.Deliver();
  }

  TestWorker owner;
  StreamUid uid;
  RecordingCarrier carrier;
  Inbox inbox{Registry::Get(), *owner, carrier};
};

}  // namespace

TEST_CASE("what is due comes in its order, once, and what was set anew or forgotten does not") {
  Alarms alarms;
  EXPECT(alarms.next_due_ms() == Alarms::kNever);
  EXPECT(alarms.Set({StreamUid{1}, 30, 5}));
  EXPECT(alarms.Set({StreamUid{2}, 20, 5}));
  EXPECT(alarms.Set({StreamUid{3}, 10, 0}));
  EXPECT(!alarms.Set({StreamUid{1}, 15, 7}));
  EXPECT(alarms.next_due_ms() == 10);
  alarms.Forget(StreamUid{3});
  alarms.Forget(StreamUid{4});
  EXPECT(alarms.next_due_ms() == 15);
  EXPECT(alarms.TakeDue(14, 10).empty());
  const std::vector<Alarm> due = alarms.TakeDue(20, 10);
  REQUIRE(due.size() == 2);
  EXPECT(due[0].uid == StreamUid{1});
  EXPECT(due[0].interval_ms == 7);
  EXPECT(due[1].uid == StreamUid{2});
  EXPECT(alarms.next_due_ms() == Alarms::kNever);
}

TEST_CASE(
    "a stream that was quiet for its interval is sent a comment, and again when it still is") {
  Beating one;
  SetHeartbeat(*one.owner, one.uid, kInterval);
  EXPECT(one.owner.wakes() == 1);
  (void)one.inbox.Deliver();
  EXPECT(one.carrier.Written(0).empty());
  REQUIRE(one.owner.wakes_in().size() == 1);
  EXPECT(one.owner.wakes_in()[0] <= kInterval + kInterval / 16);
  for (const char* expected : {":\n\n", ":\n\n:\n\n"}) {
    one.LetPass(kInterval);
    EXPECT(one.carrier.Written(0) == expected);
    (void)one.line().Release(one.uid, 3);
  }
  EXPECT(one.owner->alarms.next_due_ms() != Alarms::kNever);
}

TEST_CASE("a heartbeat is activity, and no message") {
  Beating one;
  const CountedSince counted;
  const uint64_t now_ms = MonotonicMs();
  one.LetPass(10 * kInterval);
  EXPECT(one.carrier.operations().at(0).messages == 0);
  EXPECT(one.line().last_active_ms() >= now_ms);
  EXPECT(counted[Counter::kMessagesSent] == 0);
}

TEST_CASE("a stream that was sent something has its heartbeat put off by so long") {
  Beating one;
  const uint64_t now_ms = MonotonicMs();
  one.LetPass(kInterval / 2);
  EXPECT(one.carrier.operations().empty());
  const uint64_t due_ms = one.owner->alarms.next_due_ms();
  EXPECT(due_ms >= now_ms + kInterval / 2);
  EXPECT(due_ms < now_ms + kInterval);
}

TEST_CASE("where a reader is behind, no comments pile up") {
  Beating one;
  REQUIRE(one.line().Reserve(one.uid, 10, 100) == Status::kOk);
  one.LetPass(kInterval);
  EXPECT(one.carrier.operations().empty());
  (void)one.line().Release(one.uid, 10);
  one.LetPass(kInterval);
  EXPECT(one.carrier.Written(0) == ":\n\n");
}

TEST_CASE("the heartbeats of many streams are handed over together") {
  Beating one;
  const uint32_t socket = one.owner.Open();
  constexpr uint32_t kStreams = 10'000;
  std::vector<StreamUid> uids;
  for (uint32_t i = 1; i <= kStreams; i++) {
    uids.push_back(one.owner.Create(socket, StreamKind::kSse, {}, i).uid);
    SetHeartbeat(*one.owner, uids.back(), kInterval);
    one.owner->cache.Find(uids.back())->Touch(MonotonicMs() - kInterval);
  }
  EXPECT(one.owner.wakes() == 1);
  // When the last of them is due, all are.
  const auto stop = Clock::now() + std::chrono::seconds(10);
  while (one.carrier.operations().size() < kStreams && Clock::now() < stop) {
    (void)one.inbox.Deliver();
  }
  EXPECT(one.carrier.operations().size() == kStreams);
  EXPECT(one.carrier.fan_outs < 100);
}

TEST_CASE("more heartbeats than a turn takes are sent over several, each once") {
  Beating one;
  const uint32_t socket = one.owner.Open();
  constexpr uint32_t kHour = 3'600'000;
  constexpr uint32_t kStreams = 10'000;
  for (uint32_t i = 1; i <= kStreams; i++) {
    const StreamUid uid = one.owner.Create(socket, StreamKind::kSse, {}, i).uid;
    one.owner->cache.Find(uid)->Touch(MonotonicMs() - kHour);
    (void)one.owner->alarms.Set({uid, i, kHour});
  }
  EXPECT(one.inbox.Deliver());
  const size_t first = one.carrier.operations().size();
  EXPECT(first > 0);
  EXPECT(first < kStreams);
  // Mail that comes meanwhile does not wait for all of them.
  TestWorker other;
  Sender sender(Registry::Get(), other.get());
  StringBuffer local;
  REQUIRE(sender.Send(one.uid, Text("mail"), local) == Sender::Result::kQueued);
  Mailbox::Batch batch;
  one.owner->mailbox.Take(&batch);
  one.inbox.Put(std::move(batch.chunks));
  EXPECT(one.inbox.Deliver());
  EXPECT(one.carrier.Written(0) == "data: mail\n\n");
  EXPECT(one.carrier.operations().size() < kStreams);
  while (one.inbox.Deliver()) continue;
  EXPECT(one.carrier.operations().size() == kStreams + 1);
  // Nothing was due any more, so the loop was asked to wake but once.
  EXPECT(one.owner.wakes_in().size() == 1);
}

TEST_CASE("a heartbeat wakes its thread only if it is the first to be due") {
  Beating one;
  const StreamUid later = one.owner.Create(one.owner.Open(), StreamKind::kSse, {}, 1).uid;
  SetHeartbeat(*one.owner, one.uid, 1000);
  (void)one.owner.Take();
  REQUIRE(one.owner.wakes() == 1);
  SetHeartbeat(*one.owner, later, 2'000'000);
  EXPECT(one.owner.wakes() == 1);
  SetHeartbeat(*one.owner, later, 100);
  EXPECT(one.owner.wakes() == 2);
}

TEST_CASE("a stream that ends, or wants no more, has no heartbeat left") {
  Beating one;
  SetHeartbeat(*one.owner, one.uid, kInterval);
  SetHeartbeat(*one.owner, one.uid, 0);
  EXPECT(one.owner->alarms.next_due_ms() == Alarms::kNever);
  SetHeartbeat(*one.owner, one.uid, kInterval);
  one.owner.Destroy(one.uid);
  EXPECT(one.owner->alarms.next_due_ms() == Alarms::kNever);
}

TEST_CASE("a stream that keeps a queue takes its heartbeat out of turn, and gives its room back") {
  Beating one;
  one.owner.Destroy(one.uid);
  one.uid =
      one.owner.Create(one.owner.Open(), StreamKind::kSse, {}, 0, SlowPolicy::kDropOldest).uid;
  one.LetPass(kInterval);
  EXPECT(one.carrier.Written(0) == ":\n\n");
  EXPECT(!one.owner->held_back.Taken(one.uid, 3));
}

}  // namespace holdfast::test
