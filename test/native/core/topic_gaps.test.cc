// Members of a topic are told that a worker's full mailbox refused messages of it: each of them,
// where they are missing, and once.
#include <string>
#include <utility>
#include <vector>

#include "core/admission.h"
#include "core/inbox.h"
#include "core/resume.h"
#include "core/sender.h"
#include "core/subscriptions.h"
#include "support/doctest.h"
#include "support/recording_carrier.h"
#include "support/test_worker.h"

namespace holdfast::test {
namespace {

using Operation = RecordingCarrier::Operation;
using Texts = std::vector<std::string>;

constexpr uint64_t kBudget = 1000;

Options SmallBudget() {
  Options options = RoomyOptions();
  options[Option::kSendBudgetBytes] = kBudget;
  options[Option::kMaxReplayBytes] = 1 << 20;
  return options;
}

// A worker with members of a topic, whose mailbox is full when the test says so.
struct Owner {
  Owner() : socket(worker.Open()) {}
  StreamUid Create(uint32_t handle, SlowPolicy policy = SlowPolicy::kDrop) {
    return worker.Create(socket, StreamKind::kRaw, {}, handle, policy, /*marks_gaps=*/true).uid;
  }
  StreamUid CreateMember(uint32_t handle, SlowPolicy policy = SlowPolicy::kDrop) {
    const StreamUid uid = Create(handle, policy);
    REQUIRE(Subscribe(Registry::Get(), *worker, uid, "t"));
    return uid;
  }
  void Fill() {
    REQUIRE(filled == 0);
    filled = Mailbox::kLimitBytes - worker->mailbox.reserved();
    REQUIRE(worker->mailbox.Reserve(filled));
  }
  void Empty() { worker->mailbox.Unreserve(std::exchange(filled, 0)); }
  void Deliver() {
    Mailbox::Batch batch;
    worker->mailbox.Take(&batch);
    inbox.Put(std::move(batch.chunks));
    while (inbox.Deliver()) continue;
  }
  Released Take(StreamUid uid, uint64_t bytes) {
    (void)worker->held_back.Taken(uid, bytes);
    const Released released =
        GiveBack(Registry::Get(), worker.get(), *worker->cache.Find(uid), uid, bytes);
    Deliver();
    return released;
  }
  // What the stream was told, in its order: texts, and "gap".
  Texts Told(uint32_t handle) const {
    Texts texts;
    for (const Operation& operation : carrier.operations()) {
      if (operation.whom == handle) texts.push_back(operation.text);
    }
    return texts;
  }

  TestWorker worker{SmallBudget()};
  RecordingCarrier carrier;
  Inbox inbox{Registry::Get(), *worker, carrier};
  const uint32_t socket;
  uint64_t filled = 0;
};

struct Publisher {
  void Publish(std::string_view text, StreamUid except = {}) {
    Receivers own;
    (void)sender.Publish("t", Text(text), except, &own);
  }
  // Its next publish waits for the end of the tick.
  void MakeBursty() {
    for (int i = 0; i < 2; i++) Publish("many");
    sender.Flush();
  }

  TestWorker worker{SmallBudget()};
  Sender sender{Registry::Get(), worker.get()};
};

void Keep() { REQUIRE(IsOk(Registry::Get().rings().Keep("t", {100, 1 << 20}, 1 << 20))); }

std::string LastId() {
  std::string id;
  REQUIRE(Registry::Get().rings().Find("t")->With(
      [&](const RingState& state) { id = state.log.IdOf(state.log.last()).text(); }));
  return id;
}

}  // namespace

// It came before all that was held back, and so before messages that had been there before it.
TEST_CASE("where a queue is kept, what a full mailbox refused is marked behind what waits there") {
  for (const SlowPolicy policy : {SlowPolicy::kDropOldest, SlowPolicy::kLatest}) {
    for (const bool kept : {false, true}) {
      CAPTURE(static_cast<int>(policy));
      CAPTURE(kept);
      Owner owner;
      Publisher publisher;
      if (kept) Keep();
      const StreamUid uid = owner.CreateMember(0, policy);
      const std::string first(kBudget / 2, 'x');
      for (const std::string& text : {first, std::string("waits")}) {
        publisher.Publish(text);
        publisher.sender.Flush();
        owner.Deliver();
      }
      EXPECT(owner.Told(0) == Texts{first});
      owner.Fill();
      publisher.Publish("refused");
      publisher.Publish("refused as well");
      owner.Empty();
      publisher.Publish("after");
      publisher.sender.Flush();
      owner.Deliver();
      EXPECT(owner.Told(0) == Texts{first});
      owner.Take(uid, first.size());
      if (policy == SlowPolicy::kDropOldest) {
        EXPECT(owner.Told(0) == Texts{first, "waits", "gap", "after"});
      } else {
        // The later one of a key goes in the place of the earlier one, and the mark before it.
        EXPECT(owner.Told(0) == Texts{first, "gap", "after"});
      }
    }
  }
}

TEST_CASE("what a full mailbox refused is not marked a second time where a gap is due already") {
  for (const SlowPolicy policy : {SlowPolicy::kDrop, SlowPolicy::kDropOldest}) {
    CAPTURE(static_cast<int>(policy));
    Owner owner;
    Publisher publisher;
    Keep();
    const StreamUid uid = owner.CreateMember(0, policy);
    const std::string first(kBudget / 2, 'x');
    publisher.Publish(first);
    owner.Deliver();
    publisher.Publish(std::string(kBudget + 1, 'x'));  // refused by the stream
    owner.Fill();
    publisher.Publish("refused by the mailbox");
    owner.Empty();
    owner.Deliver();
    EXPECT(owner.Told(0) == Texts{first});
    const bool told = owner.Take(uid, first.size()).gap;
    publisher.Publish("after");
    owner.Deliver();
    // What is released tells of the one, what is held back of the other.
    EXPECT(told == (policy == SlowPolicy::kDrop));
    EXPECT(owner.Told(0) == (told ? Texts{first, "after"} : Texts{first, "gap", "after"}));
  }
}

TEST_CASE("a gap of a topic reaches more members than a turn takes, each once") {
  Owner owner;
  Publisher publisher;
  constexpr uint32_t kMembers = 10'000;
  for (uint32_t i = 0; i < kMembers; i++) (void)owner.CreateMember(i);
  owner.Fill();
  publisher.Publish("refused");
  owner.Empty();
  Mailbox::Batch batch;
  owner.worker->mailbox.Take(&batch);
  owner.inbox.Put(std::move(batch.chunks));
  EXPECT(owner.inbox.Deliver());
  EXPECT(owner.carrier.operations().size() < kMembers);
  while (owner.inbox.Deliver()) continue;
  EXPECT(owner.carrier.operations().size() == kMembers);
  for (const uint32_t i : {0u, kMembers - 1}) EXPECT(owner.Told(i) == Texts{"gap"});
}

// The refusal behind the message was thought to be told of by the gap before it.
TEST_CASE("a publish that comes through between two that were refused stands between two gaps") {
  for (const bool kept : {false, true}) {
    CAPTURE(kept);
    Owner owner;
    Publisher publisher;
    if (kept) Keep();
    (void)owner.CreateMember(0);
    owner.Fill();
    publisher.Publish("refused");
    publisher.Publish("refused as well");
    owner.Empty();
    publisher.Publish("comes through");
    publisher.sender.Flush();
    owner.Fill();
    publisher.Publish("refused");
    publisher.Publish("refused as well");
    owner.Empty();
    publisher.sender.Flush();
    owner.Deliver();
    EXPECT(owner.Told(0) == Texts{"gap", "comes through", "gap"});
  }
}

TEST_CASE("a gap that another thread posted does not tell of what is missing behind it") {
  Owner owner;
  Publisher one;
  Publisher two;
  (void)owner.CreateMember(0);
  two.MakeBursty();
  two.Publish("waits for the end of the tick");
  owner.Fill();
  one.Publish("refused");
  two.Publish("refused behind it");
  owner.Empty();
  one.sender.Flush();
  two.sender.Flush();
  owner.Deliver();
  EXPECT(owner.Told(0) == Texts{"many", "many", "gap", "waits for the end of the tick", "gap"});
}

// Its worker was known to be cut off, and that it had joined behind the gap was not.
TEST_CASE("a stream that comes back behind a gap that is on its way is told of what it misses") {
  Owner owner;
  Publisher publisher;
  Keep();
  owner.Fill();
  (void)owner.CreateMember(0);
  publisher.Publish("refused");
  const StreamUid back = owner.Create(1);
  const Resumption resumption =
      Resume(Registry::Get(), *owner.worker, *owner.worker, back, "t", LastId(), false);
  REQUIRE(resumption.result == Resumption::Result::kJoined);
  publisher.Publish("refused behind it");
  owner.Empty();
  publisher.Publish("after");
  owner.Deliver();
  EXPECT(owner.Told(1) == Texts{"gap", "after"});
}

TEST_CASE("members on a worker are told of a gap though the last one of its number had one due") {
  for (const bool kept : {false, true}) {
    CAPTURE(kept);
    Publisher publisher;
    Owner elsewhere;
    if (kept) Keep();
    (void)elsewhere.CreateMember(0);
    uint32_t number;
    {
      Owner owner;
      number = owner.worker->id;
      (void)owner.CreateMember(0);
      owner.Fill();
      publisher.Publish("refused");
      owner.Empty();
    }
    Owner owner;
    REQUIRE(owner.worker->id == number);
    (void)owner.CreateMember(0);
    owner.Fill();
    publisher.Publish("refused");
    owner.Empty();
    publisher.sender.Flush();
    owner.Deliver();
    EXPECT(owner.Told(0) == Texts{"gap"});
  }
}

TEST_CASE("whoever speaks misses nothing of its own, but what others say meanwhile") {
  for (const bool kept : {false, true}) {
    for (const bool others : {false, true}) {
      CAPTURE(kept);
      CAPTURE(others);
      Owner owner;
      Publisher publisher;
      if (kept) Keep();
      const StreamUid speaker = owner.CreateMember(0);
      const StreamUid other = owner.CreateMember(1);
      owner.Fill();
      publisher.Publish("refused", speaker);
      publisher.Publish("refused", others ? other : speaker);
      owner.Empty();
      publisher.sender.Flush();
      owner.Deliver();
      EXPECT(owner.Told(0) == (others ? Texts{"gap"} : Texts{}));
      EXPECT(owner.Told(1) == Texts{"gap"});
    }
  }
}

}  // namespace holdfast::test
