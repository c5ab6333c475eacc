#include "core/sender.h"

#include "support/doctest.h"
#include "support/recording_carrier.h"
#include "support/test_worker.h"

namespace holdfast::test {
namespace {

using Result = Sender::Result;

uint64_t QueuedBytes(StreamUid uid) {
  StreamFacts facts;
  CHECK(Registry::Get().FindLine(uid)->Read(uid, &facts));
  return facts.queued_bytes;
}

uint64_t CountWrites(const Chunk& chunk) {
  uint64_t writes = 0;
  chunk.ForEach([&](const MessageHeader& message) { writes += message.op == MessageOp::kWrite; });
  return writes;
}

}  // namespace

TEST_CASE("a send to a stream of the own thread is encoded at once, by the stream's kind") {
  TestWorker worker;
  const uint32_t socket = worker.Open();
  const StreamUid raw = worker.Create(socket, StreamKind::kRaw).uid;
  const StreamUid sse = worker.Create(socket, StreamKind::kSse).uid;
  Sender sender(Registry::Get(), worker.get());
  StringBuffer local;
  const CountedSince counted;
  OutgoingMessage message = Text("a\nb");
  message.event = "e";
  EXPECT(sender.Send(raw, message, local) == Result::kSent);
  EXPECT(local.text == "a\nb");
  EXPECT(QueuedBytes(raw) == 3);
  EXPECT(sender.Send(sse, message, local) == Result::kSent);
  EXPECT(local.text == "event: e\ndata: a\ndata: b\n\n");
  EXPECT(QueuedBytes(sse) == local.text.size());
  const StreamUid websocket = worker.Create(socket, StreamKind::kWebSocket).uid;
  EXPECT(sender.Send(websocket, message, local) == Result::kSent);
  EXPECT(local.text ==
         "\x81\x03"
         "a\nb");
  message.binary = true;
  EXPECT(sender.Send(websocket, message, local) == Result::kSent);
  EXPECT(local.text ==
         "\x82\x03"
         "a\nb");
  EXPECT(QueuedBytes(websocket) == 10);
  EXPECT(!sender.pending());
  EXPECT(counted[Counter::kMessagesSent] == 4);
}

TEST_CASE("the send budget is a hard cap, over what waits in mailboxes and what was sent here") {
  Options options = RoomyOptions();
  options[Option::kSendBudgetBytes] = 100;
  TestWorker owner(options);
  TestWorker other;
  const StreamUid uid = owner.Create(owner.Open()).uid;
  Sender here(Registry::Get(), owner.get());
  Sender there(Registry::Get(), other.get());
  StringBuffer local;
  const CountedSince counted;
  const std::string forty(40, 'x');
  EXPECT(here.Send(uid, Text(std::string(101, 'x')), local) == Result::kFull);
  EXPECT(here.Send(uid, Text(forty), local) == Result::kSent);
  EXPECT(there.Send(uid, Text(forty), local) == Result::kQueued);
  EXPECT(there.Send(uid, Text(forty), local) == Result::kFull);
  EXPECT(here.Send(uid, Text(forty), local) == Result::kFull);
  EXPECT(QueuedBytes(uid) == 80);
  EXPECT(there.Send(uid, Text(std::string(20, 'x')), local) == Result::kQueued);
  EXPECT(there.Send(uid, Text("x"), local) == Result::kFull);
  Registry::Get().FindLine(uid)->Release(uid, 40);
  EXPECT(there.Send(uid, Text(forty), local) == Result::kQueued);
  EXPECT(counted[Counter::kMessagesFull] == 4);
  EXPECT(counted[Counter::kMessagesQueued] == 3);
  EXPECT(counted[Counter::kMessagesSent] == 1);
}

TEST_CASE("a send to a stream that has gone, is closing or never was is counted as gone") {
  TestWorker owner;
  TestWorker other;
  const uint32_t socket = owner.Open();
  const StreamUid gone = owner.Create(socket).uid;
  owner.Destroy(gone);
  const StreamUid closing = owner.Create(socket).uid;
  Registry::Get().FindLine(closing)->MarkClosing(1);
  Sender sender(Registry::Get(), other.get());
  StringBuffer local;
  const CountedSince counted;
  for (const StreamUid uid : {gone, closing, StreamUid{0}, StreamUid{~uint64_t{0}}}) {
    EXPECT(sender.Send(uid, Text("x"), local) == Result::kGone);
  }
  EXPECT(!sender.pending());
  EXPECT(counted[Counter::kMessagesGone] == 4);
  EXPECT(!sender.Close(gone, 0, ""));
}

TEST_CASE(
    "a full mailbox refuses messages, gives the stream's budget back and still takes a close") {
  TestWorker owner;
  TestWorker other;
  const StreamUid uid = owner.Create(owner.Open()).uid;
  REQUIRE(owner->mailbox.Reserve(Mailbox::kLimitBytes));
  StringBuffer local;
  const CountedSince counted;
  {
    Sender sender(Registry::Get(), other.get());
    EXPECT(sender.Send(uid, Text("x"), local) == Result::kFull);
    EXPECT(QueuedBytes(uid) == 0);
    EXPECT(counted[Counter::kMessagesFull] == 1);
    EXPECT(sender.Close(uid, 8, "bye"));
  }
  const Mailbox::Batch batch = owner.Take();
  REQUIRE(batch.chunks.size() == 1);
  EXPECT(batch.chunks[0]->At(0)->op == MessageOp::kClose);
  EXPECT(owner->mailbox.reserved() == Mailbox::kLimitBytes);
  owner->mailbox.Unreserve(Mailbox::kLimitBytes);
}

TEST_CASE("all that a tick has for one worker crosses with one wake-up, and not before the flush") {
  TestWorker owner;
  TestWorker other;
  const uint32_t socket = owner.Open();
  std::vector<StreamUid> uids;
  for (int i = 0; i < 50; i++) uids.push_back(owner.Create(socket).uid);
  Sender sender(Registry::Get(), other.get());
  StringBuffer local;
  const auto send_all = [&] {
    for (const StreamUid uid : uids) {
      REQUIRE(sender.Send(uid, Text("hello"), local) == Result::kQueued);
    }
  };
  send_all();
  sender.Flush();
  (void)owner.Take();
  // The tick before had several messages, so this one's are gathered.
  const uint64_t wakes = owner.wakes();
  send_all();
  EXPECT(owner.wakes() == wakes);
  EXPECT(sender.pending());
  sender.Flush();
  EXPECT(!sender.pending());
  EXPECT(owner.wakes() == wakes + 1);
  const Mailbox::Batch batch = owner.Take();
  REQUIRE(batch.chunks.size() == 1);
  EXPECT(CountWrites(*batch.chunks[0]) == 50);
}

TEST_CASE("a tick's only message waits for nothing, as long as ticks have one") {
  TestWorker owner;
  TestWorker other;
  const StreamUid uid = owner.Create(owner.Open()).uid;
  Sender sender(Registry::Get(), other.get());
  StringBuffer local;
  const auto left_at_once = [&](int messages) {
    for (int i = 0; i < messages; i++) (void)sender.Send(uid, Text("x"), local);
    uint64_t left = 0;
    for (const ChunkPtr& chunk : owner.Take().chunks) left += CountWrites(*chunk);
    sender.Flush();
    (void)owner.Take();
    return left;
  };
  EXPECT(left_at_once(1) == 1);
  EXPECT(left_at_once(1) == 1);
  EXPECT(left_at_once(3) == 1);
  EXPECT(left_at_once(1) == 0);
  EXPECT(left_at_once(1) == 1);
}

TEST_CASE("a sender that dies with mail in its outbox has flushed it") {
  TestWorker owner;
  const StreamUid uid = owner.Create(owner.Open()).uid;
  StringBuffer local;
  {
    TestWorker other;
    Sender sender(Registry::Get(), other.get());
    REQUIRE(sender.Send(uid, Text("last words"), local) == Result::kQueued);
  }
  uint64_t writes = 0;
  for (const ChunkPtr& chunk : owner.Take().chunks) {
    if (chunk->At(0)->op == MessageOp::kWrite) writes += CountWrites(*chunk);
  }
  EXPECT(writes == 1);
}

TEST_CASE("mail to a worker that has died is counted as undeliverable wherever it was") {
  TestWorker other;
  uint64_t queued = 0;
  const CountedSince counted;
  StringBuffer local;
  Sender sender(Registry::Get(), other.get());
  Worker* dead = nullptr;
  {
    TestWorker owner;
    dead = owner.get();
    const StreamUid uid = owner.Create(owner.Open()).uid;
    for (; queued < 3; queued++) {
      REQUIRE(sender.Send(uid, Text("in its mailbox"), local) == Result::kQueued);
    }
    sender.Flush();
    for (; queued < 5; queued++) {
      REQUIRE(sender.Send(uid, Text("in the outbox"), local) == Result::kQueued);
    }
  }
  EXPECT(counted[Counter::kMessagesUndeliverable] == 3);
  sender.Flush();
  EXPECT(counted[Counter::kMessagesQueued] == queued);
  EXPECT(counted[Counter::kMessagesUndeliverable] == queued);
  EXPECT(dead->mailbox.reserved() == 0);
}

TEST_CASE("a thread that is no worker can send too, and is counted") {
  TestWorker owner;
  const StreamUid uid = owner.Create(owner.Open()).uid;
  StringBuffer local;
  const CountedSince counted;
  {
    Sender sender(Registry::Get(), nullptr);
    EXPECT(sender.Send(uid, Text("x"), local) == Result::kQueued);
    EXPECT(sender.Send(StreamUid{0}, Text("x"), local) == Result::kGone);
  }
  EXPECT(counted[Counter::kMessagesQueued] == 1);
  EXPECT(counted[Counter::kMessagesGone] == 1);
  EXPECT(owner.wakes() == 1);
}

}  // namespace holdfast::test
