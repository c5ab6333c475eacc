#include <map>
#include <set>
#include <string>

#include "core/inbox.h"
#include "core/sender.h"
#include "core/subscriptions.h"
#include "support/doctest.h"
#include "support/random.h"
#include "support/recording_carrier.h"
#include "support/test_worker.h"
#include "support/threads.h"
#include "support/turns.h"

namespace holdfast::test {
namespace {

using Operation = RecordingCarrier::Operation;

void DeliverAll(const TestWorker& worker, Inbox& inbox) {
  Mailbox::Batch batch;
  worker->mailbox.Take(&batch);
  inbox.Put(std::move(batch.chunks));
  while (inbox.Deliver()) continue;
}

struct Owner {
  explicit Owner(uint32_t streams, StreamKind kind = StreamKind::kRaw,
                 const Options& options = RoomyOptions())
      : worker(options) {
    const uint32_t socket = worker.Open();
    for (uint32_t i = 0; i < streams; i++) {
      uids.push_back(worker.Create(socket, kind, {}, i).uid);
    }
  }
  void SubscribeAll(std::string_view topic) {
    for (const StreamUid uid : uids) REQUIRE(Subscribe(Registry::Get(), *worker, uid, topic));
  }

  TestWorker worker;
  std::vector<StreamUid> uids;
  RecordingCarrier carrier;
  Inbox inbox{Registry::Get(), *worker, carrier};
};

uint64_t PublishText(Sender& sender, std::string_view topic, std::string_view text,
                     StreamUid except = {}) {
  Receivers own;
  return sender.Publish(topic, Text(text), except, &own);
}

}  // namespace

TEST_CASE("a publish crosses to each worker once and reaches every member there, and nobody else") {
  Owner a(3);
  Owner b(2);
  TestWorker other;
  a.SubscribeAll("news");
  REQUIRE(Subscribe(Registry::Get(), *b.worker, b.uids[1], "news"));
  REQUIRE(Subscribe(Registry::Get(), *b.worker, b.uids[0], "else"));
  const CountedSince counted;
  Sender sender(Registry::Get(), other.get());
  EXPECT(PublishText(sender, "news", "hello") == 4);
  EXPECT(PublishText(sender, "nobody's", "hello") == 0);
  sender.Flush();
  EXPECT(a.worker.wakes() == 1);
  DeliverAll(a.worker, a.inbox);
  DeliverAll(b.worker, b.inbox);
  for (uint32_t i = 0; i < 3; i++) EXPECT(a.carrier.Written(i) == "hello");
  EXPECT(a.carrier.fan_outs == 1);
  EXPECT(b.carrier.Written(1) == "hello");
  EXPECT(b.carrier.Written(0).empty());
  EXPECT(counted[Counter::kMessagesPublished] == 4);
  EXPECT(a.worker->mailbox.reserved() == 0);
  EXPECT(b.worker->mailbox.reserved() == 0);
}

TEST_CASE("each kind of member gets its own wire form, and the one who speaks is left out") {
  Owner raw(2);
  const StreamUid sse = raw.worker.Create(raw.worker.Open(), StreamKind::kSse, {}, 7).uid;
  raw.SubscribeAll("room");
  REQUIRE(Subscribe(Registry::Get(), *raw.worker, sse, "room"));
  TestWorker other;
  Sender sender(Registry::Get(), other.get());
  EXPECT(PublishText(sender, "room", "x", raw.uids[0]) == 2);
  // Of another topic, or of none: nobody is left out.
  EXPECT(PublishText(sender, "room", "y", StreamUid{1}) == 3);
  sender.Flush();
  DeliverAll(raw.worker, raw.inbox);
  EXPECT(raw.carrier.Written(0) == "y");
  EXPECT(raw.carrier.Written(1) == "xy");
  EXPECT(raw.carrier.Written(7) == "data: x\n\ndata: y\n\n");
}

TEST_CASE("members of the own worker are handed to the caller, who writes in the order it spoke") {
  Owner own(3);
  own.SubscribeAll("t");
  Sender sender(Registry::Get(), own.worker.get());
  Receivers receivers;
  EXPECT(sender.Publish("t", Text("abc"), own.uids[1], &receivers) == 2);
  EXPECT(receivers.handles[0] == std::vector<uint32_t>{0, 2});
  EXPECT(receivers.forms[0]->size() == 3);
  EXPECT(!sender.pending());
  StreamFacts facts;
  REQUIRE(Registry::Get().Read(own.uids[0], &facts));
  EXPECT(facts.queued_bytes == 3);
}

TEST_CASE("what one sender sends and publishes arrives in the order it did so") {
  Owner owner(2);
  owner.SubscribeAll("t");
  TestWorker other;
  Sender sender(Registry::Get(), other.get());
  StringBuffer local;
  std::string expected[2];
  Random random("publish order");
  for (int i = 0; i < 500; i++) {
    const std::string text = std::to_string(i) + ' ';
    if (random.Below(2) == 0) {
      REQUIRE(PublishText(sender, "t", text) == 2);
      for (std::string& one : expected) one += text;
    } else {
      const uint32_t to = static_cast<uint32_t>(random.Below(2));
      REQUIRE(sender.Send(owner.uids[to], Text(text), local) == Sender::Result::kQueued);
      expected[to] += text;
    }
  }
  sender.Flush();
  DeliverAll(owner.worker, owner.inbox);
  for (uint32_t i = 0; i < 2; i++) EXPECT(owner.carrier.Written(i) == expected[i]);
}

TEST_CASE("publishes one behind the other to one topic are one write a stream, and count each") {
  Owner owner(2);
  owner.SubscribeAll("t");
  TestWorker other;
  Sender sender(Registry::Get(), other.get());
  const CountedSince counted;
  for (const char* text : {"a", "b", "c"}) REQUIRE(PublishText(sender, "t", text) == 2);
  REQUIRE(PublishText(sender, "t", "d", owner.uids[0]) == 1);
  sender.Flush();
  DeliverAll(owner.worker, owner.inbox);
  // The first left by itself; the second and third were joined.
  EXPECT(owner.carrier.fan_outs == 3);
  EXPECT(owner.carrier.Written(0) == "abc");
  EXPECT(owner.carrier.Written(1) == "abcd");
  uint64_t messages = 0;
  for (const Operation& operation : owner.carrier.operations()) messages += operation.messages;
  EXPECT(messages == 7);
  EXPECT(counted[Counter::kMessagesPublished] == 7);
}

TEST_CASE("a member over its budget loses the message alone, and it is counted") {
  Options options = RoomyOptions();
  options[Option::kSendBudgetBytes] = 10;
  Owner owner(2, StreamKind::kRaw, options);
  owner.SubscribeAll("t");
  TestWorker other;
  Sender sender(Registry::Get(), other.get());
  REQUIRE(Registry::Get().FindLine(owner.uids[0])->Reserve(owner.uids[0], 8, 10) == Status::kOk);
  const CountedSince counted;
  REQUIRE(PublishText(sender, "t", "12345") == 2);
  sender.Flush();
  DeliverAll(owner.worker, owner.inbox);
  EXPECT(owner.carrier.Written(0).empty());
  EXPECT(owner.carrier.Written(1) == "12345");
  EXPECT(counted[Counter::kMessagesPublished] == 2);
  EXPECT(counted[Counter::kMessagesDropped] == 1);
}

TEST_CASE("publishes that fit a budget one by one are not refused for being joined") {
  Options options = RoomyOptions();
  options[Option::kSendBudgetBytes] = 1000;
  Owner owner(1, StreamKind::kRaw, options);
  owner.SubscribeAll("t");
  TestWorker other;
  Sender sender(Registry::Get(), other.get());
  const CountedSince counted;
  const std::string text(90, 'x');
  for (int i = 0; i < 20; i++) REQUIRE(PublishText(sender, "t", text) == 1);
  sender.Flush();
  DeliverAll(owner.worker, owner.inbox);
  // What is joined is at most a quarter of the budget.
  EXPECT(owner.carrier.Written(0).size() > 1000 - 1000 / 4);
  EXPECT(counted[Counter::kMessagesDropped] == 20 - owner.carrier.Written(0).size() / text.size());
}

TEST_CASE("a key takes room in the mailbox as its message does") {
  Owner owner(1);
  owner.SubscribeAll("t");
  TestWorker other;
  Sender sender(Registry::Get(), other.get());
  Receivers own;
  OutgoingMessage message = Text("x");
  const std::string key(4096, 'k');
  message.key = key;
  for (int i = 0; i < 100; i++) REQUIRE(sender.Publish("t", message, {}, &own) == 1);
  sender.Flush();
  EXPECT(owner.worker->mailbox.reserved() > 100 * key.size());
  DeliverAll(owner.worker, owner.inbox);
  EXPECT(owner.worker->mailbox.reserved() == 0);
}

TEST_CASE(
    "a stream leaves its topics on whatever way out, and the topic goes with its last member") {
  Owner owner(3);
  Registry& registry = Registry::Get();
  owner.SubscribeAll("t");
  REQUIRE(Subscribe(registry, *owner.worker, owner.uids[0], "u"));
  EXPECT(!Subscribe(registry, *owner.worker, owner.uids[0], "u"));
  EXPECT(TopicsOf(registry, owner.uids[0]).size() == 2);
  EXPECT(Subscribers(registry, "t").size() == 3);
  owner.worker.Destroy(owner.uids[0], CloseReason::kReset);
  EXPECT(Subscribers(registry, "u").empty());
  EXPECT(TopicsOf(registry, owner.uids[0]).empty());
  EXPECT(Unsubscribe(registry, *owner.worker, owner.uids[1], "t"));
  EXPECT(!Unsubscribe(registry, *owner.worker, owner.uids[1], "t"));
  EXPECT(Subscribers(registry, "t") == std::vector<StreamUid>{owner.uids[2]});
  owner.worker.Leave();
  EXPECT(registry.topics().List().empty());
}

TEST_CASE("what a worker that leaves had not delivered of a publish is counted for each member") {
  Owner owner(3);
  owner.SubscribeAll("t");
  TestWorker other;
  Sender sender(Registry::Get(), other.get());
  const CountedSince counted;
  REQUIRE(PublishText(sender, "t", "lost", owner.uids[0]) == 2);
  sender.Flush();
  owner.worker.Leave();
  EXPECT(counted[Counter::kMessagesPublished] == 2);
  EXPECT(counted[Counter::kMessagesUndeliverable] == 2);
  EXPECT(owner.worker->mailbox.reserved() == 0);
}

TEST_CASE("a mailbox with no room takes no publish, and it is counted as dropped for each member") {
  Owner owner(2);
  owner.SubscribeAll("t");
  TestWorker other;
  Sender sender(Registry::Get(), other.get());
  REQUIRE(owner.worker->mailbox.Reserve(Mailbox::kLimitBytes));
  const CountedSince counted;
  EXPECT(PublishText(sender, "t", "no room") == 2);
  EXPECT(counted[Counter::kMessagesPublished] == 2);
  EXPECT(counted[Counter::kMessagesDropped] == 2);
  owner.worker->mailbox.Unreserve(Mailbox::kLimitBytes);
}

TEST_CASE("more members than a turn takes are reached over several, each once") {
  Owner owner(10'000);
  owner.SubscribeAll("t");
  TestWorker other;
  Sender sender(Registry::Get(), other.get());
  const CountedSince counted;
  REQUIRE(PublishText(sender, "t", "x") == 10'000);
  sender.Flush();
  Mailbox::Batch batch;
  owner.worker->mailbox.Take(&batch);
  owner.inbox.Put(std::move(batch.chunks));
  EXPECT(owner.inbox.Deliver());
  EXPECT(owner.carrier.operations().size() < 10'000);
  EXPECT(owner.worker->mailbox.reserved() > 0);
  // What goes between two turns is told to nobody who has it; who comes has no claim.
  owner.worker.Destroy(owner.uids.back());
  while (owner.inbox.Deliver()) continue;
  std::set<uint64_t> reached;
  for (const Operation& operation : owner.carrier.operations()) reached.insert(operation.whom);
  EXPECT(owner.carrier.operations().size() == 9'999);
  EXPECT(owner.worker->mailbox.reserved() == 0);
  EXPECT(counted[Counter::kMessagesUndeliverable] == 1);
  EXPECT(reached.size() == 9'999);
}

TEST_CASE("a session's streams have a publication in one turn, in whatever order they joined") {
  constexpr uint32_t kSessions = 40;
  constexpr uint32_t kEach = 6;
  Owner owner(0);
  std::vector<uint32_t> sockets;
  for (uint32_t i = 0; i < kSessions; i++) sockets.push_back(owner.worker.Open());
  for (uint32_t i = 0; i < kSessions * kEach; i++) {
    const StreamKind kind = i % 2 == 0 ? StreamKind::kRaw : StreamKind::kSse;
    // Handles tell the session.
    const uint32_t socket = i % kSessions;
    owner.uids.push_back(owner.worker.Create(sockets[socket], kind, {}, socket).uid);
  }
  owner.SubscribeAll("t");
  owner.carrier.streams = 64;
  TestWorker other;
  Sender sender(Registry::Get(), other.get());
  REQUIRE(PublishText(sender, "t", "x") == kSessions * kEach);
  sender.Flush();
  Mailbox::Batch batch;
  owner.worker->mailbox.Take(&batch);
  owner.inbox.Put(std::move(batch.chunks));
  const auto turns = DeliverByTurn(owner.inbox, owner.carrier);
  EXPECT(owner.carrier.operation_count() == kSessions * kEach);
  REQUIRE(turns.size() == kSessions);
  for (const auto& [session, of_session] : turns) EXPECT(of_session.size() == 1);
}

TEST_CASE(
    "who unsubscribes between two turns gets nothing more of a publication, and it is counted") {
  Owner owner(6);
  owner.SubscribeAll("t");
  owner.carrier.streams = 2;
  TestWorker other;
  Sender sender(Registry::Get(), other.get());
  const CountedSince counted;
  REQUIRE(PublishText(sender, "t", "x") == 6);
  sender.Flush();
  Mailbox::Batch batch;
  owner.worker->mailbox.Take(&batch);
  owner.inbox.Put(std::move(batch.chunks));
  EXPECT(owner.inbox.Deliver());
  EXPECT(owner.carrier.operations().size() == 2);
  REQUIRE(Unsubscribe(Registry::Get(), *owner.worker, owner.uids[4], "t"));
  while (owner.inbox.Deliver()) continue;
  for (uint32_t i = 0; i < 6; i++) EXPECT(owner.carrier.Written(i) == (i == 4 ? "" : "x"));
  EXPECT(counted[Counter::kMessagesUndeliverable] == 1);
}

TEST_CASE("topic churn: members come and go while others publish, and every message is counted") {
  Owner owner(64);
  CountingWaker waker;
  std::atomic<bool> done{false};
  const CountedSince counted;
  const auto stop = Clock::now() + StressTime();
  const auto publish = [&] {
    TestWorker self;
    Sender sender(Registry::Get(), self.get());
    while (Clock::now() < stop) {
      for (int i = 0; i < 10; i++) PublishText(sender, "churn", "x");
      sender.Flush();
      (void)Subscribers(Registry::Get(), "churn");
    }
  };
  RunTogether({publish, publish, [&] {
                 Random random("topic churn");
                 while (Clock::now() < stop) {
                   const StreamUid uid = owner.uids[random.Below(owner.uids.size())];
                   if (!Subscribe(Registry::Get(), *owner.worker, uid, "churn")) {
                     REQUIRE(Unsubscribe(Registry::Get(), *owner.worker, uid, "churn"));
                   }
                   DeliverAll(owner.worker, owner.inbox);
                   for (const StreamUid one : owner.uids) {
                     StreamFacts facts;
                     REQUIRE(Registry::Get().Read(one, &facts));
                     Registry::Get().FindLine(one)->Release(one, facts.queued_bytes);
                   }
                 }
                 done = true;
               }});
  DeliverAll(owner.worker, owner.inbox);
  uint64_t delivered = 0;
  for (const Operation& operation : owner.carrier.operations()) delivered += operation.messages;
  EXPECT(delivered > 0);
  EXPECT(counted[Counter::kMessagesPublished] ==
         delivered + counted[Counter::kMessagesDropped] + counted[Counter::kMessagesUndeliverable]);
}

}  // namespace holdfast::test
