// Topics whose last messages are kept, and streams that go on behind one of them.
#include <optional>
#include <string>
#include <vector>

#include "core/admission.h"
#include "core/inbox.h"
#include "core/resume.h"
#include "core/sender.h"
#include "core/subscriptions.h"
#include "core/topic_news.h"
#include "support/doctest.h"
#include "support/random.h"
#include "support/recording_carrier.h"
#include "support/test_worker.h"
#include "support/threads.h"

namespace holdfast::test {
namespace {

using Result = Resumption::Result;
using Operation = RecordingCarrier::Operation;
constexpr RingLimits kRoomy{100000, 64 << 20};

Options KeepingOptions() {
  Options options = RoomyOptions();
  options[Option::kMaxReplayBytes] = 128 << 20;
  return options;
}

void Keep(std::string_view topic, RingLimits limits = kRoomy) {
  REQUIRE(IsOk(Registry::Get().rings().Keep(topic, limits, 128 << 20)));
}

// A worker that holds event streams and writes down what each is sent.
struct Holder {
  Holder() { socket = worker.Open(); }
  StreamUid Create(SlowPolicy policy = SlowPolicy::kDrop, bool marks_gaps = false) {
    return worker.Create(socket, StreamKind::kSse, {}, next_handle++, policy, marks_gaps).uid;
  }
  Resumption Join(StreamUid uid, std::string_view after, bool gap_told = false) {
    return Resume(Registry::Get(), *worker, *worker, uid, "t", after, gap_told);
  }
  bool DeliverATurn() {
    Mailbox::Batch batch;
    worker->mailbox.Take(&batch);
    inbox.Put(std::move(batch.chunks));
    return inbox.Deliver();
  }
  void Deliver() {
    while (DeliverATurn()) continue;
  }

  TestWorker worker{KeepingOptions()};
  RecordingCarrier carrier;
  Inbox inbox{Registry::Get(), *worker, carrier};
  uint32_t socket;
  uint32_t next_handle = 0;
};

uint64_t Publish(Sender& sender, std::string_view text, std::string_view topic = "t") {
  Receivers own;
  return sender.Publish(topic, Text(text), {}, &own);
}

std::string TextOf(const Resumption& resumption) {
  if (!resumption.missed) return {};
  const auto bytes = resumption.missed->bytes();
  return std::string(bytes.begin(), bytes.end());
}

// The numbers in the ids of what an event stream was sent.
std::vector<uint64_t> NumbersIn(std::string_view text) {
  std::vector<uint64_t> numbers;
  for (size_t at = text.find("id: "); at != std::string_view::npos; at = text.find("id: ", at)) {
    at += 4;
    const auto id = RingId::Parse(text.substr(at, text.find('\n', at) - at));
    REQUIRE(id.has_value());
    numbers.push_back(id->sequence());
  }
  return numbers;
}

// Of the last message that was published to the topic.
RingId LastId(std::string_view topic = "t") {
  RingId id;
  REQUIRE(Registry::Get().rings().Find(topic)->With(
      [&](const RingState& state) { id = state.log.IdOf(state.log.last()); }));
  return id;
}

std::vector<uint64_t> Range(uint64_t first, uint64_t last) {
  std::vector<uint64_t> range;
  for (; first <= last; first++) range.push_back(first);
  return range;
}

}  // namespace

TEST_CASE("a stream that comes back gets what it missed, then what is published, nothing twice") {
  Holder holder;
  TestWorker other;
  Sender sender(Registry::Get(), other.get());
  Keep("t");
  const uint64_t base = LastId().sequence();
  EXPECT(Publish(sender, "1") == 0);
  const RingId seen = LastId();
  EXPECT(Publish(sender, "2") == 0);
  const StreamUid first = holder.Create();
  REQUIRE(Subscribe(Registry::Get(), *holder.worker, first, "t"));
  const CountedSince counted;
  // On its way to the worker when the second one joins, who has it from the ring.
  EXPECT(Publish(sender, "3") == 1);
  const StreamUid second = holder.Create();
  const Resumption resumption = holder.Join(second, seen.text());
  REQUIRE(resumption.result == Result::kJoined);
  EXPECT(NumbersIn(TextOf(resumption)) == Range(base + 2, base + 3));
  EXPECT(TextOf(resumption).find("data: 2\n\n") != std::string::npos);
  EXPECT(Publish(sender, "4") == 2);
  EXPECT(Publish(sender, "5") == 2);
  holder.Deliver();
  EXPECT(NumbersIn(holder.carrier.Written(0)) == Range(base + 3, base + 5));
  EXPECT(NumbersIn(holder.carrier.Written(1)) == Range(base + 4, base + 5));
  EXPECT(counted[Counter::kMessagesReplayed] == 2);
  EXPECT(counted[Counter::kMessagesUndeliverable] == 0);
  EXPECT(counted[Counter::kReplayGaps] == 0);
  // What it is to be written is reserved.
  StreamFacts facts;
  REQUIRE(Registry::Get().Read(second, &facts));
  EXPECT(facts.queued_bytes == TextOf(resumption).size() + holder.carrier.Written(1).size());
  EXPECT(holder.Join(second, seen.text()).result == Result::kNotJoined);
}

TEST_CASE("who leaves and comes back between two turns of a publication has it once") {
  Holder holder;
  holder.carrier.streams = 1;
  TestWorker other;
  Sender sender(Registry::Get(), other.get());
  Keep("t");
  const RingId seen = LastId();
  std::vector<StreamUid> uids;
  for (int i = 0; i < 3; i++) {
    uids.push_back(holder.Create());
    REQUIRE(Subscribe(Registry::Get(), *holder.worker, uids.back(), "t"));
  }
  EXPECT(Publish(sender, "x") == 3);
  EXPECT(holder.DeliverATurn());
  REQUIRE(Unsubscribe(Registry::Get(), *holder.worker, uids[2], "t"));
  const Resumption resumption = holder.Join(uids[2], seen.text());
  REQUIRE(resumption.result == Result::kJoined);
  EXPECT(NumbersIn(TextOf(resumption)).size() == 1);
  holder.Deliver();
  EXPECT(NumbersIn(holder.carrier.Written(1)).size() == 1);
  EXPECT(holder.carrier.Written(2).empty());
}

TEST_CASE(
    "one who has missed more than is kept is to be told so first, once, and changes nothing") {
  Holder holder;
  TestWorker other;
  Sender sender(Registry::Get(), other.get());
  Keep("t", {2, 1 << 20});
  const RingId seen = LastId();
  for (int i = 0; i < 5; i++) (void)Publish(sender, "x");
  const StreamUid uid = holder.Create();
  const CountedSince counted;
  const Resumption gap = holder.Join(uid, seen.text());
  REQUIRE(gap.result == Result::kGapFirst);
  EXPECT(gap.gap_at.sequence() == LastId().sequence() - 2);
  EXPECT(!IsMember(Registry::Get(), uid, "t"));
  // More goes while it is told: the one mark stands for that as well.
  (void)Publish(sender, "x");
  const Resumption joined = holder.Join(uid, seen.text(), /*gap_told=*/true);
  REQUIRE(joined.result == Result::kJoined);
  const uint64_t last = LastId().sequence();
  EXPECT(NumbersIn(TextOf(joined)) == Range(last - 1, last));
  EXPECT(counted[Counter::kReplayGaps] == 1);
  // Who comes back from the mark itself has missed nothing.
  EXPECT(holder.Join(holder.Create(), RingId(LastId().epoch(), last - 2).text()).result ==
         Result::kJoined);
}

TEST_CASE("an id of another process, of another topic or of nobody is told of a gap") {
  Holder holder;
  Keep("t");
  Keep("other");
  for (const std::string& id :
       {std::string(RingId(1, 0).text()), std::string(LastId("other").text()),
        std::string("whatever"), std::string(4096, 'x')}) {
    const StreamUid uid = holder.Create();
    EXPECT(holder.Join(uid, id).result == Result::kGapFirst);
    EXPECT(holder.Join(uid, id, /*gap_told=*/true).result == Result::kJoined);
  }
  // A topic of which nothing is kept: nobody knows what was missed.
  const RingId last = LastId();
  EXPECT(GiveUpTopic(Registry::Get(), "t"));
  EXPECT(!GiveUpTopic(Registry::Get(), "t"));
  const StreamUid uid = holder.Create();
  EXPECT(holder.Join(uid, last.text()).result == Result::kGapFirst);
  EXPECT(holder.Join(uid, last.text(), /*gap_told=*/true).result == Result::kJoined);
  EXPECT(IsMember(Registry::Get(), uid, "t"));
}

TEST_CASE("a topic that is kept anew has other ids, and its members get each of its messages") {
  Holder holder;
  TestWorker other;
  Sender sender(Registry::Get(), other.get());
  Keep("t");
  for (int i = 0; i < 5; i++) (void)Publish(sender, "old");
  const RingId before = LastId();
  REQUIRE(holder.Join(holder.Create(), before.text()).result == Result::kJoined);
  EXPECT(GiveUpTopic(Registry::Get(), "t"));
  EXPECT(Publish(sender, "not kept") == 1);
  sender.Flush();
  Keep("t");
  EXPECT(LastId().epoch() != before.epoch());
  EXPECT(Publish(sender, "new") == 1);
  holder.Deliver();
  EXPECT(holder.carrier.Written(0) ==
         "data: not kept\n\nid: " + std::string(LastId().text()) + "\ndata: new\n\n");
}

TEST_CASE(
    "what is brought again fits what the stream may have waiting; the rest counts as missing") {
  Holder holder;
  TestWorker other;
  Sender sender(Registry::Get(), other.get());
  Keep("t");
  const RingId seen = LastId();
  const std::string large(300 << 10, 'x');
  for (int i = 0; i < 5; i++) (void)Publish(sender, large);
  const StreamUid uid = holder.Create();
  EXPECT(holder.Join(uid, seen.text()).result == Result::kGapFirst);
  const Resumption joined = holder.Join(uid, seen.text(), /*gap_told=*/true);
  REQUIRE(joined.result == Result::kJoined);
  const uint64_t last = LastId().sequence();
  EXPECT(NumbersIn(TextOf(joined)) == Range(last - 2, last));
  StreamFacts facts;
  REQUIRE(Registry::Get().Read(uid, &facts));
  EXPECT(facts.queued_bytes <= RoomyOptions()[Option::kSendBudgetBytes]);
}

TEST_CASE("what was published before its topic was kept comes to nobody who resumed behind it") {
  Holder holder;
  TestWorker other;
  Sender sender(Registry::Get(), other.get());
  REQUIRE(Subscribe(Registry::Get(), *holder.worker, holder.Create(), "t"));
  EXPECT(Publish(sender, "before") == 1);
  sender.Flush();
  Keep("t");
  EXPECT(Publish(sender, "behind") == 1);
  sender.Flush();
  // With an id of another process: all that is kept.
  const StreamUid late = holder.Create();
  const Resumption joined = holder.Join(late, "0000000000000000-1", /*gap_told=*/true);
  REQUIRE(joined.result == Result::kJoined);
  EXPECT(NumbersIn(TextOf(joined)).size() == 1);
  holder.Deliver();
  EXPECT(holder.carrier.Written(0).find("behind") != std::string::npos);
  EXPECT(holder.carrier.Written(1).find("behind") == std::string::npos);
}

TEST_CASE("a stream that is closing joins nothing, and nothing is reserved for it") {
  Holder holder;
  TestWorker other;
  Sender sender(Registry::Get(), other.get());
  Keep("t");
  const RingId seen = LastId();
  (void)Publish(sender, "x");
  const StreamUid uid = holder.Create();
  holder.worker->cache.Find(uid)->MarkClosing(1);
  EXPECT(holder.Join(uid, seen.text()).result == Result::kNotJoined);
  EXPECT(!IsMember(Registry::Get(), uid, "t"));
}

TEST_CASE("members of the publisher's own thread get it by mail, behind what others published") {
  Holder holder;
  TestWorker other;
  Sender theirs(Registry::Get(), other.get());
  Sender own(Registry::Get(), holder.worker.get());
  Keep("t");
  const uint64_t base = LastId().sequence();
  REQUIRE(holder.Join(holder.Create(), LastId().text()).result == Result::kJoined);
  EXPECT(Publish(theirs, "1") == 1);
  Receivers receivers;
  EXPECT(own.Publish("t", Text("2"), {}, &receivers) == 1);
  EXPECT(receivers.handles[1].empty());
  holder.Deliver();
  EXPECT(NumbersIn(holder.carrier.Written(0)) == Range(base + 1, base + 2));
}

TEST_CASE("what a thread sent before it published is delivered before") {
  Holder holder;
  TestWorker other;
  Sender sender(Registry::Get(), other.get());
  Keep("t");
  const StreamUid uid = holder.Create();
  REQUIRE(Subscribe(Registry::Get(), *holder.worker, uid, "t"));
  StringBuffer local;
  for (int i = 0; i < 3; i++) {
    REQUIRE(sender.Send(uid, Text("sent"), local) == Sender::Result::kQueued);
  }
  (void)Publish(sender, "published");
  holder.Deliver();
  const std::string sent = "data: sent\n\n";
  EXPECT(holder.carrier.Written(0) ==
         sent + sent + sent + "id: " + std::string(LastId().text()) + "\ndata: published\n\n");
}

TEST_CASE("members are told once that a full mailbox took no message, where it is missing") {
  Holder holder;
  TestWorker other;
  Sender sender(Registry::Get(), other.get());
  Keep("t");
  const uint64_t base = LastId().sequence();
  REQUIRE(Subscribe(Registry::Get(), *holder.worker,
                    holder.Create(SlowPolicy::kDrop, /*marks_gaps=*/true), "t"));
  (void)holder.Create();
  REQUIRE(holder
              .Join(StreamUid{holder.worker.Create(holder.socket, StreamKind::kSse, {}, 9).uid},
                    LastId().text())
              .result == Result::kJoined);
  (void)Publish(sender, "1");
  const uint64_t rest = Mailbox::kLimitBytes - holder.worker->mailbox.reserved();
  REQUIRE(holder.worker->mailbox.Reserve(rest));
  const CountedSince counted;
  EXPECT(Publish(sender, "2") == 2);
  EXPECT(Publish(sender, "3") == 2);
  EXPECT(counted[Counter::kMessagesDropped] == 4);
  holder.worker->mailbox.Unreserve(rest);
  (void)Publish(sender, "4");
  holder.Deliver();
  const std::vector<Operation> operations = holder.carrier.operations();
  std::vector<std::string> first;
  for (const Operation& operation : operations) {
    if (operation.whom == 0) first.push_back(operation.text);
  }
  REQUIRE(first.size() == 3);
  EXPECT(NumbersIn(first[0]) == Range(base + 1, base + 1));
  EXPECT(first[1] == "gap");
  EXPECT(NumbersIn(first[2]) == Range(base + 4, base + 4));
  // The other one did not ask to be told.
  for (const Operation& operation : operations) {
    if (operation.whom == 9) EXPECT(operation.what == Operation::kWrite);
  }
  EXPECT(holder.worker->mailbox.reserved() == 0);
}

TEST_CASE("all rings together keep no more than was promised, and they end with the last worker") {
  ReplayRings& rings = Registry::Get().rings();
  {
    Holder holder;
    EXPECT(rings.Keep("a", {10, 600}, 1000) == Status::kOk);
    EXPECT(rings.Keep("b", {10, 500}, 1000) == Status::kFull);
    EXPECT(rings.Find("b") == nullptr);
    EXPECT(rings.Keep("a", {10, 500}, 1000) == Status::kOk);
    EXPECT(rings.Keep("b", {10, 500}, 1000) == Status::kOk);
    EXPECT(rings.Keep("b", {10, 501}, 1000) == Status::kFull);
    EXPECT(rings.Forget("a").has_value());
    EXPECT(rings.Keep("b", {10, 1000}, 1000) == Status::kOk);
    Sender sender(Registry::Get(), holder.worker.get());
    for (int i = 0; i < 50; i++) (void)Publish(sender, std::string(100, 'x'), "b");
    EXPECT(rings.UsageOf().rings == 1);
    EXPECT(rings.UsageOf().bytes <= 1000);
    EXPECT(rings.UsageOf().events == 1000 / (100 + RingLog::kEntryBytes));
  }
  EXPECT(rings.UsageOf().rings == 0);
  EXPECT(rings.Find("b") == nullptr);
}

TEST_CASE(
    "a thread that waits for a topic reads what is there, or is told once of the next message") {
  Holder holder;
  TestWorker other;
  Sender sender(Registry::Get(), other.get());
  const auto read = [&](std::string_view after, uint64_t max_bytes = 1 << 20) {
    std::vector<std::string> texts;
    const TopicNews news =
        ReadTopic(Registry::Get(), *holder.worker, "t", after, max_bytes,
                  [&](const OutgoingMessage& message) { texts.emplace_back(message.data); });
    return std::pair(news, texts);
  };
  EXPECT(read({}).first.ring == 0);
  Keep("t", {3, 1 << 20});
  const auto [begin, none] = read({});
  EXPECT(none.empty());
  EXPECT(begin.cursor.text() == LastId().text());
  (void)read({});
  for (const char* text : {"1", "2", "3"}) (void)Publish(sender, text);
  holder.Deliver();
  REQUIRE(holder.carrier.operations().size() == 1);
  EXPECT(holder.carrier.operations()[0].what == Operation::kNews);
  EXPECT(holder.carrier.operations()[0].whom == begin.ring);
  const auto [all, texts] = read(begin.cursor.text());
  EXPECT(texts == std::vector<std::string>{"1", "2", "3"});
  EXPECT(all.cursor.text() == LastId().text());
  EXPECT(!all.gap);
  // The oldest first, and at least one.
  const auto [some, first] = read(begin.cursor.text(), 0);
  EXPECT(first == std::vector<std::string>{"1"});
  EXPECT(read(some.cursor.text(), 2).second == std::vector<std::string>{"2", "3"});
  (void)Publish(sender, "4");
  const auto [gap, rest] = read(begin.cursor.text());
  EXPECT(gap.gap);
  EXPECT(rest == std::vector<std::string>{"2", "3", "4"});
  holder.Deliver();
  EXPECT(holder.carrier.operations().size() == 1);
}

TEST_CASE("while threads publish, a stream that leaves and comes back gets each message once") {
  Random random("comings and goings");
  Holder holder;
  Keep("t");
  constexpr uint32_t kPlaces = 8;
  constexpr int kMessages = 4000;
  struct Place {
    StreamUid uid{};
    uint32_t handle = 0;
    std::string received;
    std::string last;
  };
  std::vector<Place> places(kPlaces);
  for (Place& place : places) place.last = LastId().text();
  const uint64_t base = LastId().sequence();
  std::atomic<int> publishing{3};
  const auto publish = [&](Worker* self) {
    Sender sender(Registry::Get(), self);
    for (int i = 0; i < kMessages; i++) (void)Publish(sender, std::string(20, 'x'));
    publishing--;
  };
  const auto leave = [&](Place& place) {
    holder.Deliver();
    place.received += holder.carrier.Written(place.handle);
    holder.worker.Destroy(place.uid);
    place.uid = {};
    if (const std::vector<uint64_t> numbers = NumbersIn(place.received); !numbers.empty()) {
      place.last = RingId(LastId().epoch(), numbers.back()).text();
    }
  };
  const auto come_back = [&](Place& place) {
    place.handle = holder.next_handle;
    place.uid = holder.Create();
    const Resumption resumption = holder.Join(place.uid, place.last);
    REQUIRE(resumption.result == Result::kJoined);
    place.received += TextOf(resumption);
    (void)GiveBack(Registry::Get(), holder.worker.get(), *holder.worker->cache.Find(place.uid),
                   place.uid, TextOf(resumption).size());
  };
  const auto come_and_go = [&] {
    while (publishing > 0) {
      Place& place = places[random.Below(kPlaces)];
      if (place.uid.value == 0)
        come_back(place);
      else if (random.OneIn(4))
        leave(place);
      else
        holder.Deliver();
    }
  };
  TestWorker one(KeepingOptions());
  TestWorker two(KeepingOptions());
  RunTogether({come_and_go, [&] { publish(one.get()); }, [&] { publish(two.get()); },
               [&] { publish(nullptr); }});
  for (Place& place : places) {
    if (place.uid.value == 0) come_back(place);
    leave(place);
    EXPECT(NumbersIn(place.received) == Range(base + 1, base + 3 * kMessages));
  }
}

}  // namespace holdfast::test
