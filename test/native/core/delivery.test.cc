#include <map>

#include "core/inbox.h"
#include "core/sender.h"
#include "support/doctest.h"
#include "support/random.h"
#include "support/recording_carrier.h"
#include "support/test_worker.h"
#include "support/turns.h"

namespace holdfast::test {
namespace {

using Operation = RecordingCarrier::Operation;

void Take(const TestWorker& worker, Inbox& inbox) {
  Mailbox::Batch batch;
  worker->mailbox.Take(&batch);
  inbox.Put(std::move(batch.chunks));
}

void DeliverAll(const TestWorker& worker, Inbox& inbox) {
  Take(worker, inbox);
  while (inbox.Deliver()) continue;
}

// One owner with some streams, whose handles count from 0, and another thread's sender.
struct Pair {
  explicit Pair(uint32_t streams) {
    const uint32_t socket = owner.Open();
    for (uint32_t i = 0; i < streams; i++) {
      uids.push_back(owner.Create(socket, StreamKind::kRaw, {}, i).uid);
    }
  }
  void Send(StreamUid uid, std::string_view text) {
    StringBuffer local;
    REQUIRE(sender.Send(uid, Text(text), local) == Sender::Result::kQueued);
  }
  void Deliver() {
    sender.Flush();
    DeliverAll(owner, inbox);
  }

  TestWorker owner;
  TestWorker other;
  std::vector<StreamUid> uids;
  RecordingCarrier carrier;
  Inbox inbox{Registry::Get(), *owner, carrier};
  Sender sender{Registry::Get(), other.get()};
  CountedSince counted;
};

}  // namespace

TEST_CASE("what a batch brings for one stream is one write, in the order it was sent") {
  Pair pair(3);
  std::string expected[3];
  for (int i = 0; i < 30; i++) {
    const std::string text = std::to_string(i) + ' ';
    pair.Send(pair.uids[i % 3], text);
    expected[i % 3] += text;
  }
  pair.Deliver();
  const auto operations = pair.carrier.operations();
  REQUIRE(operations.size() == 3);
  for (uint32_t i = 0; i < 3; i++) {
    EXPECT(operations[i].what == Operation::kWrite);
    EXPECT(operations[i].whom == i);
    EXPECT(operations[i].messages == 10);
    EXPECT(operations[i].text == expected[i]);
  }
  EXPECT(pair.carrier.flushes == 1);
  EXPECT(pair.owner->mailbox.reserved() == 0);
}

TEST_CASE(
    "a turn writes to no more streams than its carrier says, and what is left keeps its place") {
  Pair pair(10);
  pair.carrier.streams = 4;
  for (int i = 0; i < 30; i++) pair.Send(pair.uids[i % 10], std::to_string(i / 10));
  REQUIRE(pair.sender.Close(pair.uids[0], 0, ""));
  for (const StreamUid uid : pair.uids) pair.Send(uid, "late");
  pair.sender.Flush();
  Take(pair.owner, pair.inbox);
  std::vector<size_t> turns;
  bool more = true;
  while (more) {
    EXPECT(pair.owner->mailbox.reserved() > 0);
    more = pair.inbox.Deliver();
    turns.push_back(pair.carrier.operation_count());
  }
  EXPECT(turns == std::vector<size_t>{4, 8, 12, 16, 20, 21});
  const auto operations = pair.carrier.operations();
  for (uint32_t i = 0; i < 10; i++) {
    EXPECT(operations[i].whom == i);
    EXPECT(operations[i].messages == 3);
    EXPECT(operations[i].text == "012");
  }
  EXPECT(operations[10].what == Operation::kClose);
  for (uint32_t i = 0; i < 10; i++) EXPECT(operations[11 + i].text == "late");
  EXPECT(pair.owner->mailbox.reserved() == 0);
}

TEST_CASE("a session's streams are written to in one turn, in whatever order they were sent to") {
  Pair pair(0);
  uint32_t sockets[30];
  for (uint32_t& socket : sockets) socket = pair.owner.Open();
  // Handles tell the session.
  for (uint32_t i = 0; i < 150; i++) {
    pair.uids.push_back(pair.owner.Create(sockets[i % 30], StreamKind::kRaw, {}, i % 30).uid);
  }
  pair.carrier.streams = 32;
  for (const StreamUid uid : pair.uids) pair.Send(uid, "1");
  for (const StreamUid uid : pair.uids) pair.Send(uid, "2");
  pair.sender.Flush();
  Take(pair.owner, pair.inbox);
  const auto turns = DeliverByTurn(pair.inbox, pair.carrier);
  REQUIRE(turns.size() == 30);
  for (const auto& [session, of_session] : turns) EXPECT(of_session.size() == 1);
  const auto operations = pair.carrier.operations();
  EXPECT(operations.size() == 150);
  for (const Operation& operation : operations) EXPECT(operation.text == "12");
}

TEST_CASE("the room of what was written is given back while more is left, turn by turn") {
  Pair pair(3);
  pair.carrier.streams = 4;
  // A window takes one for each of the three.
  const std::string large(80 << 10, 'x');
  for (int i = 0; i < 30; i++) pair.Send(pair.uids[i % 3], large);
  pair.sender.Flush();
  Take(pair.owner, pair.inbox);
  uint64_t before = pair.owner->mailbox.reserved();
  EXPECT(pair.inbox.Deliver());
  bool more = true;
  while (more) {
    more = pair.inbox.Deliver();
    EXPECT(pair.owner->mailbox.reserved() < before);
    before = pair.owner->mailbox.reserved();
  }
  EXPECT(before == 0);
}

TEST_CASE("a stream that ends between two turns gets no write of the second, and it is counted") {
  Pair pair(3);
  pair.carrier.streams = 2;
  for (const StreamUid uid : pair.uids) pair.Send(uid, "x");
  pair.sender.Flush();
  Take(pair.owner, pair.inbox);
  EXPECT(pair.inbox.Deliver());
  pair.owner.Destroy(pair.uids[2]);
  EXPECT(!pair.inbox.Deliver());
  EXPECT(pair.carrier.operation_count() == 2);
  EXPECT(pair.counted[Counter::kMessagesUndeliverable] == 1);
}

TEST_CASE("what is left of a turn is counted when the worker leaves, and its room given back") {
  Pair pair(10);
  pair.carrier.streams = 4;
  for (int i = 0; i < 30; i++) pair.Send(pair.uids[i % 10], "x");
  pair.sender.Flush();
  Take(pair.owner, pair.inbox);
  EXPECT(pair.inbox.Deliver());
  pair.inbox.Discard();
  EXPECT(pair.counted[Counter::kMessagesUndeliverable] == 18);
  EXPECT(pair.owner->mailbox.reserved() == 0);
  EXPECT(!pair.inbox.Deliver());
}

TEST_CASE("a close comes after the writes that were sent before it, and before those after it") {
  Pair pair(2);
  pair.Send(pair.uids[0], "a");
  REQUIRE(pair.sender.Close(pair.uids[1], 8, "why"));
  pair.Send(pair.uids[0], "b");
  pair.Deliver();
  const auto operations = pair.carrier.operations();
  REQUIRE(operations.size() == 3);
  EXPECT(operations[0].text == "a");
  EXPECT(operations[1].what == Operation::kClose);
  EXPECT(operations[1].whom == 1);
  EXPECT(operations[1].code == 8);
  EXPECT(operations[1].text == "why");
  EXPECT(operations[2].text == "b");
}

TEST_CASE("messages to a stream that went on the way are counted, the others arrive") {
  Pair pair(2);
  for (int i = 0; i < 4; i++) pair.Send(pair.uids[0], "lost");
  pair.Send(pair.uids[1], "kept");
  REQUIRE(pair.sender.Close(pair.uids[0], 0, ""));
  pair.owner.Destroy(pair.uids[0]);
  pair.Deliver();
  EXPECT(pair.carrier.Written(0).empty());
  EXPECT(pair.carrier.Written(1) == "kept");
  EXPECT(pair.carrier.operations().size() == 1);
  EXPECT(pair.counted[Counter::kMessagesUndeliverable] == 4);
}

// Flushing runs the application's code, which may close any stream of the worker.
TEST_CASE(
    "a stream that the carrier's own work closes gets no write, and its messages are counted") {
  Pair pair(2);
  for (int i = 0; i < 3; i++) pair.Send(pair.uids[0], "lost");
  pair.Send(pair.uids[1], "kept");
  pair.carrier.on_prepare = [&] { pair.owner.Destroy(pair.uids[0]); };
  pair.Deliver();
  EXPECT(pair.carrier.Written(0).empty());
  EXPECT(pair.carrier.Written(1) == "kept");
  EXPECT(pair.counted[Counter::kMessagesUndeliverable] == 3);
}

TEST_CASE("when the carrier takes no more, all that is left is counted and its room given back") {
  Pair pair(2);
  const std::string large(200 << 10, 'x');
  for (int i = 0; i < 3; i++) pair.Send(pair.uids[0], large);
  REQUIRE(pair.sender.Close(pair.uids[1], 0, ""));
  for (int i = 0; i < 2; i++) pair.Send(pair.uids[1], "late");
  // The second window finds the carrier shut.
  pair.carrier.on_prepare = [&] { pair.carrier.open = pair.carrier.prepares < 2; };
  pair.Deliver();
  EXPECT(pair.carrier.Written(0) == large);
  EXPECT(pair.carrier.Written(1).empty());
  EXPECT(pair.counted[Counter::kMessagesUndeliverable] == 4);
  EXPECT(pair.owner->mailbox.reserved() == 0);
}

TEST_CASE("a message larger than a window arrives whole, in its place") {
  Pair pair(1);
  const std::string large(700'000, 'L');
  pair.Send(pair.uids[0], "before ");
  pair.Send(pair.uids[0], large);
  pair.Send(pair.uids[0], " after");
  pair.Deliver();
  EXPECT(pair.carrier.Written(0) == "before " + large + " after");
  EXPECT(pair.owner->mailbox.reserved() == 0);
}

TEST_CASE("an empty message is a message: it reaches the carrier and counts") {
  Pair pair(1);
  pair.Send(pair.uids[0], "");
  pair.Deliver();
  REQUIRE(pair.carrier.operations().size() == 1);
  EXPECT(pair.carrier.operations()[0].messages == 1);
  EXPECT(pair.carrier.operations()[0].text.empty());
}

TEST_CASE("a worker's exit reaches the carrier with its number and stream count") {
  TestWorker stays;
  uint32_t number = 0;
  {
    TestWorker leaves;
    number = leaves->id;
    leaves.Create(leaves.Open());
  }
  RecordingCarrier carrier;
  Inbox inbox(Registry::Get(), *stays, carrier);
  DeliverAll(stays, inbox);
  const auto operations = carrier.operations();
  REQUIRE(operations.size() == 1);
  EXPECT(operations[0].what == Operation::kExit);
  EXPECT(operations[0].whom == number);
  EXPECT(operations[0].streams == 1);
  EXPECT(stays->mailbox.reserved() == 0);
}

TEST_CASE("a chunk that is discarded is counted by its messages and gives its room back") {
  Pair pair(1);
  for (int i = 0; i < 5; i++) pair.Send(pair.uids[0], "x");
  pair.sender.Flush();
  Mailbox::Batch batch;
  pair.owner->mailbox.Take(&batch);
  pair.inbox.Put(std::move(batch.chunks));
  pair.inbox.Discard();
  EXPECT(pair.counted[Counter::kMessagesUndeliverable] == 5);
  EXPECT(pair.owner->mailbox.reserved() == 0);
}

TEST_CASE("whatever two senders send, each stream gets each sender's messages in order") {
  Random random("delivery");
  for (int round = 0; round < 20; round++) {
    Pair pair(1 + random.Below(300));
    pair.carrier.streams = 1 + random.Below(400);
    Sender second(Registry::Get(), nullptr);
    StringBuffer local;
    std::map<uint32_t, std::string> expected[2];
    uint64_t queued = 0;
    const uint32_t steps = random.Below(20'000);
    for (uint32_t i = 0; i < steps; i++) {
      const uint32_t who = random.Below(2);
      const uint32_t stream = random.Below(static_cast<uint32_t>(pair.uids.size()));
      std::string text = who == 0 ? "A" : "B";
      text += std::to_string(i);
      text.append(random.OneIn(50) ? random.Below(9000) : 0, '.');
      text += ';';
      Sender& sender = who == 0 ? pair.sender : second;
      const Sender::Result result = sender.Send(pair.uids[stream], Text(text), local);
      if (result == Sender::Result::kQueued) {
        expected[who][stream] += text;
        queued++;
      } else {
        REQUIRE(result == Sender::Result::kFull);
      }
      if (random.OneIn(500)) sender.Flush();
      if (random.OneIn(3000)) DeliverAll(pair.owner, pair.inbox);
      if (!random.OneIn(1000)) continue;
      Take(pair.owner, pair.inbox);
      (void)pair.inbox.Deliver();
    }
    second.Flush();
    pair.Deliver();
    uint64_t messages = 0;
    for (const auto& operation : pair.carrier.operations()) messages += operation.messages;
    REQUIRE(messages == queued);
    for (uint32_t stream = 0; stream < pair.uids.size(); stream++) {
      std::string got[2];
      const std::string all = pair.carrier.Written(stream);
      for (size_t begin = 0; begin < all.size();) {
        const size_t end = all.find(';', begin) + 1;
        got[all[begin] == 'A' ? 0 : 1] += all.substr(begin, end - begin);
        begin = end;
      }
      REQUIRE(got[0] == expected[0][stream]);
      REQUIRE(got[1] == expected[1][stream]);
    }
    EXPECT(pair.owner->mailbox.reserved() == 0);
  }
}

}  // namespace holdfast::test
