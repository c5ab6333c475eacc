#ifdef __linux__
#include <malloc.h>
#endif

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/admission.h"
#include "core/inbox.h"
#include "core/sender.h"
#include "core/subscriptions.h"
#include "support/doctest.h"
#include "support/recording_carrier.h"
#include "support/test_worker.h"

namespace holdfast::test {
namespace {

using Operation = RecordingCarrier::Operation;
using Result = Sender::Result;

constexpr uint64_t kBudget = 1000;

Options SmallBudget() {
  Options options = RoomyOptions();
  options[Option::kSendBudgetBytes] = kBudget;
  return options;
}

// A stream whose socket takes bytes only when the test says so, and another thread's sender.
struct Reader {
  explicit Reader(SlowPolicy policy, bool marks_gaps = false)
      : uid(owner.Create(socket, StreamKind::kRaw, {}, 0, policy, marks_gaps).uid) {}

  Result Send(std::string_view text, std::string_view key = {}) {
    OutgoingMessage message = Text(text);
    message.key = key;
    StringBuffer local;
    return sender.Send(uid, message, local);
  }
  void Deliver() {
    sender.Flush();
    Mailbox::Batch batch;
    owner->mailbox.Take(&batch);
    inbox.Put(std::move(batch.chunks));
    while (inbox.Deliver()) continue;
  }
  // The socket takes so many bytes of what was written.
  Released Take(uint64_t bytes) {
    (void)owner->held_back.Taken(uid, bytes);
    return GiveBack(Registry::Get(), owner.get(), *owner->cache.Find(uid), uid, bytes);
  }
  // All that was written is taken, and what waited is written, until nothing waits.
  void CatchUp() {
    for (size_t taken = 0; taken < carrier.Written(0).size();) {
      const size_t written = carrier.Written(0).size();
      Take(written - taken);
      taken = written;
      Deliver();
    }
  }
  uint64_t Queued() {
    StreamFacts facts;
    CHECK(owner->cache.Find(uid)->Read(uid, &facts));
    return facts.queued_bytes;
  }
  size_t Gaps() {
    size_t gaps = 0;
    for (const Operation& operation : carrier.operations())
      gaps += operation.what == Operation::kGap;
    return gaps;
  }

  TestWorker owner{SmallBudget()};
  uint32_t socket = owner.Open();
  TestWorker other;
  const StreamUid uid;
  RecordingCarrier carrier;
  Inbox inbox{Registry::Get(), *owner, carrier};
  Sender sender{Registry::Get(), other.get()};
  CountedSince counted;
};

std::string Numbered(int i) {
  std::string text = std::to_string(1000 + i);
  return text + std::string(100 - text.size(), '.');
}

}  // namespace

TEST_CASE("drop-oldest takes every message, and the reader that catches up gets the newest") {
  Reader reader(SlowPolicy::kDropOldest);
  for (int i = 0; i < 50; i++) {
    REQUIRE(reader.Send(Numbered(i)) == Result::kQueued);
    reader.Deliver();
    REQUIRE(reader.Queued() <= kBudget);
  }
  reader.CatchUp();
  const std::string text = reader.carrier.Written(0);
  // Five were in the carrier's hands already; of the others the last five are left.
  std::string expected;
  for (const int i : {0, 1, 2, 3, 4, 45, 46, 47, 48, 49}) expected += Numbered(i);
  EXPECT(text == expected);
  EXPECT(reader.counted[Counter::kMessagesDropped] == 40);
  EXPECT(reader.counted[Counter::kMessagesQueued] == 50);
  EXPECT(reader.Queued() == 0);
}

TEST_CASE("what is held back does not come before what a turn has left for the same stream") {
  Reader reader(SlowPolicy::kDropOldest);
  std::vector<StreamUid> others;
  for (uint32_t i = 1; i <= 2; i++) {
    others.push_back(
        reader.owner.Create(reader.socket, StreamKind::kRaw, {}, i, SlowPolicy::kDrop).uid);
  }
  REQUIRE(reader.Send(std::string(300, 'a')) == Result::kQueued);
  reader.Deliver();
  reader.carrier.streams = 1;
  StringBuffer local;
  for (const StreamUid uid : others) {
    REQUIRE(reader.sender.Send(uid, Text("x"), local) == Result::kQueued);
  }
  // The first may pass, and is written in the third turn; there is no room for the second behind
  // it.
  REQUIRE(reader.Send(std::string(150, 'b')) == Result::kQueued);
  REQUIRE(reader.Send(std::string(150, 'c')) == Result::kQueued);
  reader.sender.Flush();
  Mailbox::Batch batch;
  reader.owner->mailbox.Take(&batch);
  reader.inbox.Put(std::move(batch.chunks));
  EXPECT(reader.inbox.Deliver());
  reader.Take(300);
  EXPECT(reader.inbox.Deliver());
  EXPECT(reader.carrier.Written(0).size() == 300);
  while (reader.inbox.Deliver()) continue;
  EXPECT(reader.carrier.Written(0) ==
         std::string(300, 'a') + std::string(150, 'b') + std::string(150, 'c'));
}

TEST_CASE("latest keeps one message a key, in the order of the last ones") {
  Reader reader(SlowPolicy::kLatest);
  // Half the budget goes to the carrier; what comes after waits.
  for (int i = 0; i < 5; i++) REQUIRE(reader.Send(Numbered(i), "first") == Result::kQueued);
  reader.Deliver();
  for (int i = 0; i < 10; i++) {
    for (const char* key : {"a", "b"}) {
      REQUIRE(reader.Send(key + std::to_string(i) + ' ', key) == Result::kQueued);
    }
  }
  REQUIRE(reader.Send("no key ") == Result::kQueued);
  REQUIRE(reader.Send("a10 ", "a") == Result::kQueued);
  reader.Deliver();
  const size_t before = reader.carrier.Written(0).size();
  reader.CatchUp();
  EXPECT(reader.carrier.Written(0).substr(before) == "b9 no key a10 ");
  EXPECT(reader.counted[Counter::kMessagesDropped] == 19);
  EXPECT(reader.Queued() == 0);
}

TEST_CASE("a stream that holds back more than half its budget is slow, told of once") {
  Reader reader(SlowPolicy::kDropOldest);
  // The carrier has half of it.
  for (int i = 0; i < 5; i++) REQUIRE(reader.Send(Numbered(i)) == Result::kQueued);
  reader.Deliver();
  EXPECT(reader.carrier.slow.size() == 0);
  for (int i = 5; i < 30; i++) {
    REQUIRE(reader.Send(Numbered(i)) == Result::kQueued);
    reader.Deliver();
    EXPECT(reader.carrier.slow.size() == 1);
    EXPECT(reader.owner->held_back.Holds(reader.uid));
  }
  reader.CatchUp();
  EXPECT(!reader.owner->held_back.Holds(reader.uid));
  EXPECT(reader.carrier.slow.size() == 1);
}

TEST_CASE("a dropped message is told of once, where it is missing") {
  Reader reader(SlowPolicy::kDropOldest, /*marks_gaps=*/true);
  for (int i = 0; i < 30; i++) {
    REQUIRE(reader.Send(Numbered(i)) == Result::kQueued);
    reader.Deliver();
  }
  EXPECT(reader.Gaps() == 0);
  reader.CatchUp();
  EXPECT(reader.Gaps() == 1);
  const auto operations = reader.carrier.operations();
  size_t gap = 0;
  while (operations[gap].what != Operation::kGap) gap++;
  // Before it the first ones, behind it the last.
  EXPECT(operations[gap - 1].text.ends_with(Numbered(4)));
  EXPECT(operations[gap + 1].text.starts_with(Numbered(25)));
}

TEST_CASE(
    "a stream that refused a message takes none until all is gone, and then tells of the gap") {
  Reader reader(SlowPolicy::kDrop, /*marks_gaps=*/true);
  const std::string large(600, 'x');
  REQUIRE(reader.Send(large) == Result::kQueued);
  EXPECT(reader.Send(large) == Result::kFull);
  // It would fit, but would stand where the refused one is missing.
  EXPECT(reader.Send("small") == Result::kFull);
  reader.Deliver();
  EXPECT(!reader.Take(100).gap);
  EXPECT(reader.Send("small") == Result::kFull);
  EXPECT(reader.Take(500).gap);
  EXPECT(reader.Send("small") == Result::kQueued);
}

TEST_CASE("a message larger than the budget is refused, and its gap is told though nothing waits") {
  Reader reader(SlowPolicy::kDrop, /*marks_gaps=*/true);
  EXPECT(reader.Send(std::string(kBudget + 1, 'x')) == Result::kFull);
  EXPECT(reader.Send("fits, and would stand before the gap") == Result::kFull);
  reader.Deliver();
  EXPECT(reader.Gaps() == 1);
  EXPECT(reader.Send("fits") == Result::kQueued);
  Reader oldest(SlowPolicy::kDropOldest);
  EXPECT(oldest.Send(std::string(kBudget + 1, 'x')) == Result::kFull);
  EXPECT(oldest.Send("fits") == Result::kQueued);
}

TEST_CASE("disconnect refuses the message that is too many, and breaks the stream off once") {
  Reader reader(SlowPolicy::kDisconnect);
  const std::string large(600, 'x');
  REQUIRE(reader.Send(large) == Result::kQueued);
  EXPECT(reader.Send(large) == Result::kFull);
  EXPECT(reader.Send(large) == Result::kGone);
  reader.Deliver();
  const auto operations = reader.carrier.operations();
  REQUIRE(operations.size() == 2);
  EXPECT(operations[1].what == Operation::kClose);
  EXPECT(operations[1].code == kSlowCode);
  EXPECT(reader.carrier.reasons == std::vector{CloseReason::kSlow});
}

TEST_CASE(
    "a publish to a slow member that is to be broken off closes that one, and reaches the others") {
  Reader reader(SlowPolicy::kDisconnect);
  const StreamUid good = reader.owner.Create(reader.owner.Open(), StreamKind::kRaw, {}, 1).uid;
  for (const StreamUid uid : {reader.uid, good}) {
    REQUIRE(Subscribe(Registry::Get(), *reader.owner, uid, "t"));
  }
  REQUIRE(reader.Send(std::string(600, 'x')) == Result::kQueued);
  Receivers own;
  REQUIRE(reader.sender.Publish("t", Text(std::string(600, 'y')), {}, &own) == 2);
  reader.Deliver();
  EXPECT(reader.carrier.Written(1) == std::string(600, 'y'));
  EXPECT(reader.carrier.reasons == std::vector{CloseReason::kSlow});
  EXPECT(reader.counted[Counter::kMessagesDropped] == 1);
}

TEST_CASE("publishes wait for a slow member by reference, in order with what was sent to it") {
  Reader reader(SlowPolicy::kDropOldest);
  REQUIRE(Subscribe(Registry::Get(), *reader.owner, reader.uid, "t"));
  std::string expected;
  Receivers own;
  for (int i = 0; i < 9; i++) {
    expected += Numbered(i);
    if (i % 2 == 0) {
      REQUIRE(reader.Send(Numbered(i)) == Result::kQueued);
    } else {
      REQUIRE(reader.sender.Publish("t", Text(Numbered(i)), {}, &own) == 1);
    }
  }
  reader.Deliver();
  reader.CatchUp();
  EXPECT(reader.carrier.Written(0) == expected);
  EXPECT(reader.counted[Counter::kMessagesDropped] == 0);
}

TEST_CASE("as much again as the budget may be on its way to a stream that drops its oldest") {
  Reader reader(SlowPolicy::kDropOldest, /*marks_gaps=*/true);
  for (int i = 0; i < 20; i++) REQUIRE(reader.Send(Numbered(i)) == Result::kQueued);
  EXPECT(reader.Send(Numbered(20)) == Result::kFull);
  reader.Deliver();
  EXPECT(reader.Queued() == kBudget);
  EXPECT(reader.Send(Numbered(20)) == Result::kQueued);
}

TEST_CASE("messages held back for a stream that goes are counted as undeliverable") {
  Reader reader(SlowPolicy::kDropOldest);
  for (int i = 0; i < 9; i++) REQUIRE(reader.Send(Numbered(i)) == Result::kQueued);
  reader.Deliver();
  reader.owner.Destroy(reader.uid);
  EXPECT(reader.counted[Counter::kMessagesUndeliverable] == 4);
}

TEST_CASE("at the process's bound a stream with much waiting takes no more, one with little does") {
  Options options = RoomyOptions();
  options[Option::kMaxQueuedBytes] = 4 << 20;
  TestWorker owner(options);
  const uint32_t socket = owner.Open();
  const uint64_t at_start = Registry::Get().queued_bytes();
  Sender sender(Registry::Get(), owner.get());
  StringBuffer local;
  const std::string large(64 << 10, 'x');
  std::vector<StreamUid> slow;
  for (int i = 0; i < 8; i++) slow.push_back(owner.Create(socket).uid);
  int taken = 0;
  for (int i = 0; i < 100; i++) {
    taken += sender.Send(slow[static_cast<size_t>(i) % 8], Text(large), local) == Result::kSent;
  }
  // Three quarters of it, to the precision of what a thread keeps to itself.
  EXPECT(taken >= 48 - 1);
  EXPECT(taken <= 48 + 2);
  const StreamUid good = owner.Create(socket).uid;
  EXPECT(sender.Send(good, Text("still here"), local) == Result::kSent);
  int small = 0;
  for (int i = 0; i < 1000; i++) {
    const StreamUid uid = owner.Create(socket).uid;
    small += sender.Send(uid, Text(std::string(16 << 10, 's')), local) == Result::kSent;
  }
  EXPECT(Registry::Get().queued_bytes() - at_start <= (4 << 20) + (64 << 10));
  EXPECT(small < 70);
  EXPECT(sender.Send(good, Text("nobody any more"), local) == Result::kFull);
  owner.Leave();
  EXPECT(Registry::Get().queued_bytes() == at_start);
}

TEST_CASE("more slow streams than a window has places, in one batch, neither hang nor abort") {
  Reader reader(SlowPolicy::kDropOldest);
  const uint32_t socket = reader.owner.Open();
  const StreamUid good = reader.owner.Create(socket, StreamKind::kRaw, {}, 1).uid;
  std::vector<StreamUid> slow;
  for (uint32_t i = 0; i < 9000; i++) {
    const SlowPolicy policy = SlowPolicy::kDropOldest;
    slow.push_back(reader.owner.Create(socket, StreamKind::kRaw, {}, 2 + i, policy).uid);
  }
  StringBuffer local;
  const auto send_to_all = [&](const std::string& text) {
    REQUIRE(reader.sender.Send(good, Text("good"), local) == Result::kQueued);
    for (const StreamUid uid : slow) {
      REQUIRE(reader.sender.Send(uid, Text(text), local) == Result::kQueued);
    }
    reader.Deliver();
  };
  send_to_all(std::string(kBudget / 2, 'x'));
  send_to_all("held back");
  EXPECT(reader.carrier.Written(1) == "goodgood");
  for (const StreamUid uid : slow) REQUIRE(reader.owner.Destroy(uid));
  EXPECT(reader.counted[Counter::kMessagesUndeliverable] == 9000);
}

TEST_CASE("a stream that keeps much waiting gives way to others near the process's bound") {
  Options options = RoomyOptions();
  options[Option::kMaxQueuedBytes] = 4 << 20;
  options[Option::kSendBudgetBytes] = 8 << 20;
  TestWorker owner(options);
  const uint32_t socket = owner.Open();
  Sender sender(Registry::Get(), owner.get());
  StringBuffer local;
  const StreamUid slow = owner.Create(socket, StreamKind::kRaw, {}, 0, SlowPolicy::kDropOldest).uid;
  const StreamUid good = owner.Create(socket, StreamKind::kRaw, {}, 1).uid;
  for (int i = 0; i < 1000; i++) {
    (void)sender.Send(slow, Text(std::string(8 << 10, 'x')), local);
  }
  EXPECT(sender.Send(good, Text(std::string(8 << 10, 'y')), local) == Result::kSent);
}

TEST_CASE("what is sent in the middle of a batch comes behind what that batch has for the stream") {
  // It overtook what was held back before it: that was in the batch, and no longer in the queue.
  Reader reader(SlowPolicy::kDropOldest, /*marks_gaps=*/true);
  Sender own(Registry::Get(), reader.owner.get());
  StringBuffer local;
  bool sent = false;
  // User code runs when the batch is carried out; here after all of it was gathered.
  reader.carrier.on_flush = [&] {
    if (std::exchange(sent, true)) return;
    EXPECT(own.Send(reader.uid, Text("from the middle"), local) == Result::kQueued);
  };
  std::string expected;
  for (int i = 0; i < 9; i++) {
    REQUIRE(reader.Send(Numbered(i)) == Result::kQueued);
    expected += Numbered(i);
  }
  sent = true;
  reader.Deliver();
  sent = false;
  reader.CatchUp();
  EXPECT(sent);
  EXPECT(reader.carrier.Written(0) == expected + "from the middle");
  EXPECT(own.Send(reader.uid, Text("afterwards"), local) == Result::kSent);
}

// A carrier makes one buffer for a large message, of its size: the process was aborted.
TEST_CASE(
    "latest: what takes a message's place while there is made room for it has room of its own") {
  Reader reader(SlowPolicy::kLatest);
  const std::string large(600, 'x');
  REQUIRE(reader.Send(large, "first") == Result::kQueued);
  reader.Deliver();
  REQUIRE(reader.Send(large, "k") == Result::kQueued);
  reader.Deliver();
  Sender own(Registry::Get(), reader.owner.get());
  StringBuffer local;
  bool sent = false;
  reader.carrier.on_prepare = [&] {
    if (reader.carrier.room_left() != large.size() || std::exchange(sent, true)) return;
    OutgoingMessage small = Text("small");
    small.key = "k";
    EXPECT(own.Send(reader.uid, small, local) == Result::kQueued);
  };
  reader.Take(large.size());
  reader.Deliver();
  EXPECT(sent);
  EXPECT(reader.carrier.Written(0) == large + "small");
  EXPECT(reader.carrier.room_left() == 0);
}

TEST_CASE("a graceful end comes behind what is held back, and the stream takes no more") {
  Reader reader(SlowPolicy::kDropOldest);
  std::string expected;
  for (int i = 0; i < 9; i++) {
    REQUIRE(reader.Send(Numbered(i)) == Result::kQueued);
    expected += Numbered(i);
  }
  reader.Deliver();
  StreamLine* line = reader.owner->cache.Find(reader.uid);
  line->MarkClosing(0);
  REQUIRE(reader.owner->held_back.EndBehind(reader.uid));
  EXPECT(reader.Send("too late") == Result::kGone);
  reader.Deliver();
  EXPECT(reader.carrier.operations().back().what == Operation::kWrite);
  reader.CatchUp();
  EXPECT(reader.carrier.Written(0) == expected);
  EXPECT(reader.carrier.operations().back().what == Operation::kEnd);
  EXPECT(reader.counted[Counter::kMessagesUndeliverable] == 0);
}

TEST_CASE("a graceful end waits for nobody where nothing is held back") {
  Reader reader(SlowPolicy::kDropOldest);
  EXPECT(!reader.owner->held_back.EndBehind(reader.uid));
  REQUIRE(reader.Send("in the carrier's hands") == Result::kQueued);
  reader.Deliver();
  EXPECT(!reader.owner->held_back.EndBehind(reader.uid));
}

TEST_CASE("a gap is told when the process's bound refuses a message and nothing waits") {
  for (const bool own : {false, true}) {
    Reader full(SlowPolicy::kDrop);
    for (const SlowPolicy policy : {SlowPolicy::kDrop, SlowPolicy::kDropOldest}) {
      Reader reader(policy, /*marks_gaps=*/true);
      Sender sender(Registry::Get(), own ? reader.owner.get() : reader.other.get());
      StringBuffer local;
      const auto send = [&](std::string_view text) {
        return sender.Send(reader.uid, Text(text), local);
      };
      const int64_t much = int64_t{1} << 41;
      Registry::Get().AddQueued(nullptr, much);
      EXPECT(send("refused") == Result::kFull);
      EXPECT(send("refused as well") == Result::kFull);
      Registry::Get().AddQueued(nullptr, -much);
      // The one would stand before the gap; the other's is marked already.
      const bool keeps = KeepsQueue(policy);
      EXPECT(send("after the gap") == (keeps ? Result::kQueued : Result::kFull));
      sender.Flush();
      reader.Deliver();
      EXPECT(reader.Gaps() == 1);
      EXPECT(reader.carrier.operations().front().what == Operation::kGap);
      EXPECT(reader.carrier.Written(0) == (keeps ? "after the gap" : ""));
      EXPECT(send("taken again") != Result::kFull);
    }
  }
}

TEST_CASE("a gap is told when the mailbox refuses a message or a publish, and nothing waits") {
  for (const SlowPolicy policy : {SlowPolicy::kDrop, SlowPolicy::kDropOldest}) {
    Reader reader(policy, /*marks_gaps=*/true);
    const uint32_t socket = reader.owner.Open();
    const auto member = [&](uint32_t handle, bool marks_gaps) {
      const StreamUid uid =
          reader.owner.Create(socket, StreamKind::kRaw, {}, handle, policy, marks_gaps).uid;
      REQUIRE(Subscribe(Registry::Get(), *reader.owner, uid, "t"));
      return uid;
    };
    (void)member(1, true);
    (void)member(2, false);
    const StreamUid speaker = member(3, true);
    const StreamUid listed = reader.owner.Create(socket, StreamKind::kRaw, {}, 4, policy, true).uid;
    Receivers own;

    (void)reader.owner->mailbox.Reserve(Mailbox::kLimitBytes, /*control=*/true);
    EXPECT(reader.Send("refused") == Result::kFull);
    EXPECT(reader.Send("refused as well") == Result::kFull);
    for (int i = 0; i < 2; i++) {
      (void)reader.sender.Publish("t", Text("refused"), speaker, &own);
      (void)reader.sender.Multicast({listed}, Text("refused"), &own);
    }
    // What says so takes little beyond the bound.
    EXPECT(reader.owner->mailbox.reserved() < Mailbox::kLimitBytes + 1024);
    reader.owner->mailbox.Unreserve(Mailbox::kLimitBytes);
    reader.Deliver();
    std::vector<uint64_t> told;
    for (const Operation& operation : reader.carrier.operations()) {
      EXPECT(operation.what == Operation::kGap);
      told.push_back(operation.whom);
    }
    std::sort(told.begin(), told.end());
    EXPECT(told == std::vector<uint64_t>{0, 1, 4});
    EXPECT(reader.Send("taken again") == Result::kQueued);
    EXPECT(reader.sender.Publish("t", Text("to all"), {}, &own) == 3);
    reader.Deliver();
    for (const uint32_t handle : {1, 2, 3}) EXPECT(reader.carrier.Written(handle) == "to all");
    EXPECT(reader.owner->mailbox.reserved() == 0);
  }
}

TEST_CASE("a gap is told when a refused message was all that a refusal before it waited for") {
  // Two senders: the one's message counts as waiting while its mailbox refuses it, and the other's
  // is refused for its sake.
  Reader reader(SlowPolicy::kDrop, /*marks_gaps=*/true);
  StreamLine* line = reader.owner->cache.Find(reader.uid);
  REQUIRE(line->Reserve(reader.uid, kBudget, kBudget) == Status::kOk);
  EXPECT(reader.Send("refused") == Result::kFull);
  EXPECT(Withdraw(Registry::Get(), reader.other.get(), *line, reader.uid, kBudget));
}

TEST_CASE("a publish that is too large for a member is a gap of that member") {
  Reader reader(SlowPolicy::kDrop, /*marks_gaps=*/true);
  REQUIRE(Subscribe(Registry::Get(), *reader.owner, reader.uid, "t"));
  Receivers own;
  (void)reader.sender.Publish("t", Text(std::string(kBudget + 1, 'x')), {}, &own);
  reader.Deliver();
  EXPECT(reader.Gaps() == 1);
  // From the owner's own thread it hears of it by mail, too.
  Sender owner(Registry::Get(), reader.owner.get());
  (void)owner.Publish("t", Text(std::string(kBudget + 1, 'x')), {}, &own);
  owner.Flush();
  reader.Deliver();
  EXPECT(reader.Gaps() == 2);
  EXPECT(reader.Send("taken again") == Result::kQueued);
}

#ifdef __GLIBC__

TEST_CASE("a reader that never reads costs no more memory the more is sent to it") {
  // What is in use, large blocks included; a sanitizer's own allocator tells nothing here.
  const auto in_use = [] {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  TestWorker owner(SmallBudget());
  Sender sender(Registry::Get(), owner.get());
  StringBuffer local;
  const auto growth = [&](SlowPolicy policy, const std::string& text, int keys) {
    const StreamUid uid = owner.Create(owner.Open(), StreamKind::kRaw, {}, 0, policy).uid;
    // So much is in the carrier's hands that there is room for one byte, or for none.
    REQUIRE(sender.Send(uid, Text(std::string(kBudget / 2 - 1, 'x')), local) == Result::kSent);
    REQUIRE(sender.Send(uid, Text("two"), local) == Result::kQueued);
    const auto send = [&](int count) {
      for (int i = 0; i < count; i++) {
        OutgoingMessage message = Text(text);
        const std::string key = std::to_string(i % keys);
        message.key = key;
        REQUIRE(sender.Send(uid, message, local) == Result::kQueued);
      }
    };
    send(10'000);
    const size_t before = in_use();
    send(200'000);
    return static_cast<int64_t>(in_use()) - static_cast<int64_t>(before);
  };
  constexpr int64_t kLittle = 100'000;
  EXPECT(growth(SlowPolicy::kLatest, "one of a key", 2) < kLittle);
  EXPECT(growth(SlowPolicy::kLatest, "x", 1'000'000) < kLittle);
  EXPECT(growth(SlowPolicy::kDropOldest, "x", 1) < kLittle);
  EXPECT(growth(SlowPolicy::kDropOldest, "", 1) < kLittle);
}

#endif

}  // namespace holdfast::test
