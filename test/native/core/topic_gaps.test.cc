// Members of a topic are told that a worker's full mailbox refused messages of it: each of them,
// where they are missing, and once.
#include <array>
#include <atomic>
#include <sstream>
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
#include "support/threads.h"

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
  explicit Owner(const Options& options = SmallBudget()) : worker(options), socket(worker.Open()) {}
  StreamUid Create(uint32_t handle, SlowPolicy policy = SlowPolicy::kDrop) {
    return worker.Create(socket, StreamKind::kRaw, {}, handle, policy, /*marks_gaps=*/true).uid;
  }
  StreamUid CreateMember(uint32_t handle, SlowPolicy policy = SlowPolicy::kDrop) {
    const StreamUid uid = Create(handle, policy);
    REQUIRE(Subscribe(Registry::Get(), *worker, uid, "t"));
    return uid;
  }
  // All that is left; false if others were quicker.
  bool TryFill() {
    const uint64_t reserved = worker->mailbox.reserved();
    if (reserved > Mailbox::kLimitBytes) return false;
    const uint64_t rest = Mailbox::kLimitBytes - reserved;
    if (!worker->mailbox.Reserve(rest)) return false;
    filled += rest;
    return true;
  }
  void Fill() { REQUIRE(TryFill()); }
  void Empty() { worker->mailbox.Unreserve(std::exchange(filled, 0)); }
  // For one turn of a loop; whether there is more.
  bool DeliverOnce() {
    Mailbox::Batch batch;
    worker->mailbox.Take(&batch);
    inbox.Put(std::move(batch.chunks));
    return inbox.Deliver();
  }
  void Deliver() {
    while (DeliverOnce()) continue;
  }
  // The socket takes so many bytes of what was written.
  Released Release(StreamUid uid, uint64_t bytes) {
    (void)worker->held_back.Taken(uid, bytes);
    return GiveBack(Registry::Get(), worker.get(), *worker->cache.Find(uid), uid, bytes);
  }
  Released Take(StreamUid uid, uint64_t bytes) {
    const Released released = Release(uid, bytes);
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

  TestWorker worker;
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
  EXPECT(owner.DeliverOnce());
  EXPECT(owner.carrier.operation_count() < kMembers);
  owner.Deliver();
  EXPECT(owner.carrier.operation_count() == kMembers);
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

// It waited for the end of its publisher's tick, and another's messages went past it.
TEST_CASE("a gap that is not posted yet tells of nothing that others miss") {
  Owner owner;
  Publisher one;
  Publisher two;
  (void)owner.CreateMember(0);
  one.MakeBursty();
  two.Publish("before");
  two.sender.Flush();
  owner.Fill();
  one.Publish("refused");
  two.Publish("refused as well");
  owner.Empty();
  two.Publish("after");
  two.sender.Flush();
  one.sender.Flush();
  owner.Deliver();
  EXPECT(owner.Told(0) == Texts{"many", "many", "before", "gap", "after"});
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

TEST_CASE("while a mailbox fills and empties, no message of any thread is missing without a gap") {
  for (const bool kept : {false, true}) {
    CAPTURE(kept);
    Options options = RoomyOptions();
    // However late the owner comes, it takes no more than the mailbox has.
    options[Option::kSendBudgetBytes] = 2 * Mailbox::kLimitBytes;
    Owner owner(options);
    if (kept) Keep();
    const StreamUid uid = owner.CreateMember(0);
    StreamLine& line = *owner.worker->cache.Find(uid);
    const CountedSince counted;
    std::atomic<bool> done{false};
    std::atomic<size_t> delivered{0};
    std::array<Publisher, 2> publishers;
    std::array<int, 2> last{};
    const auto publish = [&](size_t who) {
      while (!done) {
        for (int i = 0; i < 5; i++) {
          std::string text(1, who == 0 ? 'a' : 'b');
          text += std::to_string(++last[who]);
          publishers[who].Publish(text += ' ');
        }
        publishers[who].sender.Flush();
      }
    };
    const auto deliver = [&] {
      const bool more = owner.DeliverOnce();
      delivered = owner.carrier.operation_count();
      const uint64_t queued = line.queued_bytes();
      if (queued > 0) EXPECT(!owner.Release(uid, queued).gap);
      return more;
    };
    const auto deliver_all = [&] {
      while (!done) (void)deliver();
    };
    const auto fill_and_empty = [&] {
      for (int round = 0; round < 50; round++) {
        const uint64_t dropped = counted[Counter::kMessagesDropped];
        // Again and again, as what the owner takes makes room.
        REQUIRE(Eventually([&] {
          (void)owner.TryFill();
          return counted[Counter::kMessagesDropped] > dropped;
        }));
        owner.Empty();
        const size_t before = delivered;
        REQUIRE(Eventually([&] { return delivered > before + 1; }));
      }
      done = true;
    };
    RunTogether({[&] { publish(0); }, [&] { publish(1); }, deliver_all, fill_and_empty});
    while (deliver()) continue;
    uint64_t missing = 0;
    std::array<int, 2> seen{};
    std::array<bool, 2> told{};
    for (const std::string& text : owner.Told(0)) {
      if (text == "gap") {
        told = {true, true};
        continue;
      }
      std::istringstream words(text);
      for (std::string word; words >> word;) {
        const size_t who = word[0] == 'a' ? 0 : 1;
        const int number = std::stoi(word.substr(1));
        REQUIRE(number > seen[who]);
        if (number > seen[who] + 1) REQUIRE(told[who]);
        missing += static_cast<uint64_t>(number - seen[who] - 1);
        seen[who] = number;
        told[who] = false;
      }
    }
    for (const size_t who : {0u, 1u}) {
      EXPECT((seen[who] == last[who] || told[who]));
      missing += static_cast<uint64_t>(last[who] - seen[who]);
    }
    EXPECT(missing >= 50);
    EXPECT(missing == counted[Counter::kMessagesDropped]);
  }
}

}  // namespace holdfast::test
