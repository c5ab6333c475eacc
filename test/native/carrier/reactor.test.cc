// A reactor on its own thread, asked by real clients and told by a test in a Node thread's place.
#include "carrier/reactor_thread.h"

#include <unistd.h>

#include "base/clock.h"
#include "core/settle.h"
#include "core/subscriptions.h"
#include "support/doctest.h"
#include "support/node_thread.h"
#include "support/recording_carrier.h"
#include "support/tls_server.h"

namespace holdfast::test {
namespace {

// A client whose connection the reactor was given.
class Client {
 public:
  explicit Client(const std::string& settings = {}) {
    Connect(nullptr, nullptr);
    peer->Greet(settings);
  }
  Client(std::shared_ptr<const PortContext> port, const TlsClientOptions& tls) {
    Connect(std::move(port), &tls);
    REQUIRE(Eventually([&] { return peer->tls().Step(); }));
    REQUIRE(peer->tls().connected());
    peer->Greet();
  }
  // Waits until a frame like that has come, and returns all that came with it.
  std::vector<PeerFrame> Await(uint8_t type, uint32_t stream) {
    std::vector<PeerFrame> all;
    REQUIRE(Eventually([&] {
      for (PeerFrame& frame : peer->Receive()) all.push_back(std::move(frame));
      return FirstOf(all, type, stream) != nullptr;
    }));
    return all;
  }
  std::string AwaitBody(uint32_t stream, size_t bytes) {
    std::string body;
    REQUIRE(Eventually([&] {
      body += BodyOf(peer->Receive(), stream);
      return body.size() >= bytes;
    }));
    return body;
  }
  std::optional<H2Peer> peer;

 private:
  void Connect(std::shared_ptr<const PortContext> port, const TlsClientOptions* tls) {
    SocketPair pair = MakeConnection();
    Registry::Get().Place({pair.server.Release(), std::move(port), Destination::kSessions});
    peer.emplace(std::move(pair.client), tls);
  }
};

struct World {
  explicit World(const Options& options = RoomyOptions(), uint64_t mark_wait_ms = kMarkWaitMs)
      : node(options) {
    reactor = ReactorThread::Start(Registry::Get(), LibraryApi(), {}, mark_wait_ms);
    REQUIRE(reactor != nullptr);
  }
  struct Opened {
    RequestId id;
    StreamUid uid;
  };
  // The client's first request, as a stream that is answered.
  Opened Open(Client& client, StreamKind kind = StreamKind::kRaw,
              SlowPolicy policy = SlowPolicy::kDrop, bool marks_gaps = false) {
    client.peer->SendHeaders(1, Request(), /*end=*/true);
    const RequestId id = node.Await(MessageOp::kRequest).id;
    const StreamUid uid = node.Adopt(id, kind, policy, marks_gaps);
    node.Answer(id);
    return {id, uid};
  }
  NodeThread node;
  std::unique_ptr<ReactorThread> reactor;
};

Options Budget(uint64_t bytes) {
  Options options = RoomyOptions();
  options[Option::kSendBudgetBytes] = bytes;
  return options;
}

CloseReason ReasonOf(const RequestTold& closed) {
  return static_cast<CloseReason>(closed.header.a >> 1);
}

// A reader's window that takes nothing.
std::string NoWindow() { return Big(ng::kSettingsInitialWindowSize, 2) + Big(0, 4); }

}  // namespace

TEST_CASE("a request of a reactor is answered by a Node thread, with body and trailers both ways") {
  World world;
  Client client;
  client.peer->SendHeaders(1, Request("POST", "/echo"), /*end=*/false);
  const RequestTold request = world.node.Await(MessageOp::kRequest);
  EXPECT((request.header.a & kRequestEnded) == 0);
  EXPECT(FindField(std::string_view(request.bytes).substr(8), ":path") == "/echo");
  client.peer->SendData(1, "hello");
  EXPECT(world.node.Await(MessageOp::kRequestBody).bytes == "hello");
  client.peer->SendHeaders(1, {{"x-check", "7"}}, /*end=*/true);
  EXPECT(FindField(world.node.Await(MessageOp::kRequestBodyEnd).bytes, "x-check") == "7");

  world.node.Answer(request.id);
  world.node.Ask(request.id, MessageOp::kRequestWrite, {1, 0}, "world");
  EXPECT(world.node.Await(MessageOp::kRequestTaken).header.a == 5);
  world.node.Ask(request.id, MessageOp::kRequestEnd, {}, FieldText({{"x-sum", "5"}}));
  std::vector<PeerFrame> frames;
  REQUIRE(Eventually([&] {
    for (PeerFrame& frame : client.peer->Receive()) frames.push_back(std::move(frame));
    return EndOf(frames, 1);
  }));
  EXPECT(BodyOf(frames, 1) == "world");
  EXPECT(frames.back().fields.at("x-sum") == "5");
  const RequestTold closed = world.node.Await(MessageOp::kRequestClosed);
  EXPECT((closed.header.a & 1) == 1);
  EXPECT(ReasonOf(closed) == CloseReason::kEnd);
  // It is over: what still comes for it does nothing.
  world.node.Ask(request.id, MessageOp::kRequestWrite, {1, 0}, "late");
  EXPECT(world.node.Adopt(request.id).value == 0);
}

TEST_CASE("a connection of a port with TLS is spoken to through it") {
  World world;
  std::string why_not;
  Client sealed(TlsPort::Make(TlsFor(), &why_not), {});
  sealed.peer->SendHeaders(1, Request());
  const RequestTold over_tls = world.node.Await(MessageOp::kRequest);
  world.node.Answer(over_tls.id);
  world.node.Ask(over_tls.id, MessageOp::kRequestWrite, {}, "sealed");
  EXPECT(sealed.AwaitBody(1, 6) == "sealed");
}

TEST_CASE("a Node thread is told a client's certificate once, and who takes its place once more") {
  World world;
  std::string why_not;
  TlsSettings settings = TlsFor();
  settings.authorities = Certificates::Authority().certificates;
  settings.client_certificates = ClientCertificates::kRequested;
  const auto port = TlsPort::Make(settings, &why_not);
  REQUIRE(port != nullptr);
  TlsClientOptions known;
  known.identity = &Certificates::For("client.example");
  Client shows(port, known);
  Client shows_none(port, {});
  const auto ask = [](NodeThread& node, Client& client, uint32_t stream) {
    client.peer->SendHeaders(stream, Request("GET", "/" + std::to_string(stream)));
    RequestTold told = node.Await(MessageOp::kRequest);
    const size_t begin = told.header.b == 0 ? 8 : 12 + told.header.b;
    REQUIRE(told.bytes.size() > begin);
    EXPECT(FindField(std::string_view(told.bytes).substr(begin), ":path") ==
           "/" + std::to_string(stream));
    return told;
  };
  const RequestTold first = ask(world.node, shows, 1);
  EXPECT(first.header.a == (kRequestEnded | kRequestCertified));
  EXPECT(first.header.b > 0);
  for (const uint32_t stream : {3u, 5u}) {
    const RequestTold later = ask(world.node, shows, stream);
    EXPECT(later.header.a == (kRequestEnded | kRequestCertified));
    EXPECT(later.header.b == 0);
    const RequestTold other = ask(world.node, shows_none, stream);
    EXPECT(other.header.a == (kRequestEnded | kRequestUncertified));
    EXPECT(other.header.b == 0);
  }
  world.node.worker.Leave();
  NodeThread next;
  const RequestTold again = ask(next, shows, 7);
  EXPECT(again.header.a == (kRequestEnded | kRequestCertified));
  EXPECT(again.bytes.substr(8, 4 + again.header.b) == first.bytes.substr(8, 4 + first.header.b));
  EXPECT(ask(next, shows, 9).header.b == 0);
}

TEST_CASE("an event stream of a reactor that is quiet is sent comments by its own thread") {
  World world;
  Client client;
  const auto [id, uid] = world.Open(client, StreamKind::kSse);
  SetHeartbeatOnReactor(Registry::Get(), uid, 20);
  EXPECT(client.AwaitBody(1, 9).substr(0, 9) == ":\n\n:\n\n:\n\n");
}

TEST_CASE("an event stream of a reactor gets what its client missed, then what is published") {
  World world;
  Client client;
  Registry& registry = Registry::Get();
  REQUIRE(IsOk(registry.rings().Keep("t", {100, 1 << 20}, 1 << 20)));
  const auto publish = [&](std::string_view text) {
    Receivers own;
    return world.node.sender.Publish("t", Text(text), {}, &own);
  };
  const auto last_id = [&] {
    std::string id;
    REQUIRE(registry.rings().Find("t")->With(
        [&](const RingState& state) { id = state.log.IdOf(state.log.last()).text(); }));
    return id;
  };
  EXPECT(publish("0") == 0);
  const std::string seen = last_id();
  EXPECT(publish("1") == 0);
  const std::string first = "id: " + last_id() + "\ndata: 1\n\n";
  const auto [id, uid] = world.Open(client, StreamKind::kSse);
  const auto resume = [&](std::string_view after, bool gap_told) {
    return ResumeOnReactor(registry, *world.node.worker, uid, "t", after, gap_told).result;
  };
  EXPECT(resume("unknown", false) == Resumption::Result::kGapFirst);
  EXPECT(resume(seen, false) == Resumption::Result::kJoined);
  EXPECT(resume(seen, false) == Resumption::Result::kNotJoined);
  EXPECT(publish("2") == 1);
  const std::string all = first + "id: " + last_id() + "\ndata: 2\n\n";
  EXPECT(client.AwaitBody(1, all.size()) == all);
  StreamFacts facts;
  REQUIRE(Eventually([&] { return registry.Read(uid, &facts) && facts.queued_bytes == 0; }));
  client.peer->Send(Frame(ng::kRstStream, 0, 1, Big(ng::kCancel, 4)));
  (void)world.node.Await(MessageOp::kRequestClosed);
  EXPECT(resume(seen, false) == Resumption::Result::kNotJoined);
  EXPECT(registry.rings().Forget("t"));
}

TEST_CASE("a request becomes a stream of the registry when it is adopted, and goes with its peer") {
  World world;
  const CountedSince counted;
  Client client;
  client.peer->SendHeaders(1, Request(), /*end=*/true);
  const RequestTold request = world.node.Await(MessageOp::kRequest);
  EXPECT(counted[CreatedOf(StreamKind::kSse)] == 0);
  const StreamUid uid = world.node.Adopt(request.id, StreamKind::kSse);
  REQUIRE(uid.value != 0);
  EXPECT(uid.worker_id() == request.id.reactor);
  StreamFacts facts;
  REQUIRE(Registry::Get().Find(world.node.worker.get(), uid, &facts));
  EXPECT(facts.peer.port != 0);
  EXPECT(!facts.detached);
  EXPECT(DetachOnReactor(Registry::Get(), *world.node.worker, uid));
  REQUIRE(Registry::Get().Find(world.node.worker.get(), uid, &facts));
  EXPECT(facts.detached);
  world.node.Answer(request.id);
  EXPECT(world.node.Send(uid, "one") == Sender::Result::kQueued);
  EXPECT(client.AwaitBody(1, 11) == "data: one\n\n");

  client.peer->Send(Frame(ng::kRstStream, 0, 1, Big(ng::kCancel, 4)));
  const RequestTold closed = world.node.Await(MessageOp::kRequestClosed);
  EXPECT(ReasonOf(closed) == CloseReason::kAbort);
  EXPECT(world.node.Send(uid, "two") == Sender::Result::kGone);
  EXPECT(!DetachOnReactor(Registry::Get(), *world.node.worker, uid));
  EXPECT(!SubscribeOnReactor(Registry::Get(), uid, "topic"));
  EXPECT(counted[CreatedOf(StreamKind::kSse)] == 1);
  EXPECT(counted[DestroyedOf(StreamKind::kSse)] == 1);
  EXPECT(counted[Counter::kDetachedDestroyed] == 1);
  EXPECT(counted[Counter::kMessagesDelivered] == 1);
}

TEST_CASE("a publish reaches the members on a reactor, and none that has closed") {
  World world;
  Client client;
  std::vector<StreamUid> uids;
  for (const uint32_t stream : {1u, 3u, 5u}) {
    client.peer->SendHeaders(stream, Request(), /*end=*/true);
    const RequestTold request = world.node.Await(MessageOp::kRequest);
    uids.push_back(world.node.Adopt(request.id, StreamKind::kRaw));
    EXPECT(SubscribeOnReactor(Registry::Get(), uids.back(), "news"));
    EXPECT(!SubscribeOnReactor(Registry::Get(), uids.back(), "news"));
    world.node.Answer(request.id);
  }
  EXPECT(UnsubscribeOnReactor(Registry::Get(), uids[1], "news"));
  Receivers own;
  EXPECT(world.node.sender.Publish("news", Text("flash"), {}, &own) == 2);
  world.node.sender.Flush();
  std::map<uint32_t, std::string> bodies;
  REQUIRE(Eventually([&] {
    for (const PeerFrame& frame : client.peer->Receive()) {
      if (frame.type == ng::kData) bodies[frame.stream] += frame.payload;
    }
    return bodies.size() == 2;
  }));
  EXPECT(bodies == std::map<uint32_t, std::string>{{1, "flash"}, {5, "flash"}});
  client.peer->Close();
  world.node.Await(MessageOp::kSessionClosed);
  EXPECT(Subscribers(Registry::Get(), "news").empty());
}

TEST_CASE("a close by uid ends the answer behind what was sent, and is told with its reason") {
  World world;
  Client client;
  client.peer->SendHeaders(1, Request("POST"), /*end=*/false);
  const RequestTold request = world.node.Await(MessageOp::kRequest);
  const StreamUid uid = world.node.Adopt(request.id);
  world.node.Answer(request.id);
  world.node.Send(uid, "last words");
  EXPECT(world.node.sender.Close(uid, 0, "enough"));
  world.node.sender.Flush();
  std::vector<PeerFrame> frames;
  REQUIRE(Eventually([&] {
    for (PeerFrame& frame : client.peer->Receive()) frames.push_back(std::move(frame));
    return FirstOf(frames, ng::kRstStream, 1) != nullptr;
  }));
  EXPECT(BodyOf(frames, 1) == "last words");
  EXPECT(EndOf(frames, 1));
  EXPECT(FirstOf(frames, ng::kRstStream, 1)->Word(0) == ng::kNoError);
  const RequestTold closed = world.node.Await(MessageOp::kRequestClosed);
  EXPECT(ReasonOf(closed) == CloseReason::kClose);
  EXPECT((closed.header.a & 1) == 1);
  EXPECT(closed.bytes == "enough");
}

TEST_CASE("a WebSocket is asked to close in its own way") {
  World world;
  Client client;
  client.peer->SendHeaders(1, Request(), /*end=*/false);
  const RequestTold request = world.node.Await(MessageOp::kRequest);
  const StreamUid uid = world.node.Adopt(request.id, StreamKind::kWebSocket);
  world.node.sender.Close(uid, 4000, "bye");
  world.node.sender.Flush();
  const RequestTold asked = world.node.Await(MessageOp::kRequestCloseAsked);
  EXPECT(asked.header.a == 4000);
  EXPECT(asked.header.b == static_cast<uint32_t>(CloseReason::kClose));
  EXPECT(asked.bytes == "bye");
}

TEST_CASE("a reader that does not read fills its budget, is told slow, and drains") {
  World world(Budget(4096));
  Client client(NoWindow());
  const auto [id, uid] = world.Open(client, StreamKind::kRaw, SlowPolicy::kDrop, true);
  const std::string piece(1024, 'x');
  // The larger one last: the reader is slow until all has left.
  EXPECT(world.node.Send(uid, piece) == Sender::Result::kQueued);
  EXPECT(world.node.Send(uid, std::string(3072, 'x')) == Sender::Result::kQueued);
  EXPECT(world.node.Send(uid, piece) == Sender::Result::kFull);
  EXPECT(world.node.Await(MessageOp::kRequestSlow).header.a == 1);
  client.peer->Send(Frame(ng::kWindowUpdate, 0, 1, Big(1 << 20, 4)));
  EXPECT(client.AwaitBody(1, 4096).size() == 4096);
  world.node.Await(MessageOp::kRequestGap);
  EXPECT(world.node.Await(MessageOp::kRequestSlow).header.a == 0);
  world.node.Ask(id, MessageOp::kRequestGapOver);
  EXPECT(Eventually([&] { return world.node.Send(uid, piece) == Sender::Result::kQueued; }));
}

TEST_CASE("a slow reader drains also where the last that was held back for it is empty") {
  World world(Budget(4096));
  Client client(NoWindow());
  const auto [id, uid] = world.Open(client, StreamKind::kRaw, SlowPolicy::kDropOldest);
  EXPECT(world.node.Send(uid, std::string(3072, 'x')) == Sender::Result::kQueued);
  EXPECT(world.node.Await(MessageOp::kRequestSlow).header.a == 1);
  EXPECT(world.node.Send(uid, "") == Sender::Result::kQueued);
  const Mailbox& mailbox = Registry::Get().FindWorker(uid.worker_id())->mailbox;
  REQUIRE(Eventually([&] { return mailbox.reserved() == 0; }));
  client.peer->Send(Frame(ng::kWindowUpdate, 0, 1, Big(1 << 20, 4)));
  EXPECT(client.AwaitBody(1, 3072).size() == 3072);
  EXPECT(world.node.Await(MessageOp::kRequestSlow).header.a == 0);
}

TEST_CASE("a stream that ends is not stuck while its reader takes of what waits") {
  World world;
  Client client(NoWindow());
  const auto [id, uid] = world.Open(client);
  EXPECT(world.node.Send(uid, std::string(3072, 'x')) == Sender::Result::kQueued);
  world.node.sender.Close(uid, 0, "");
  world.node.sender.Flush();
  const StreamLine* line = Registry::Get().FindLine(uid);
  REQUIRE(Eventually([&] { return line->owner_closes(); }));
  const uint64_t closed_ms = line->last_active_ms();
  REQUIRE(Eventually([&] { return MonotonicMs() > closed_ms; }));
  client.peer->Send(Frame(ng::kWindowUpdate, 0, 1, Big(1024, 4)));
  EXPECT(Eventually([&] { return line->last_active_ms() > closed_ms; }));
  client.peer->Send(Frame(ng::kWindowUpdate, 0, 1, Big(1 << 20, 4)));
  client.AwaitBody(1, 3072 - 1024);
}

TEST_CASE("a peer that only sends does not keep a stream from being found stuck") {
  World world;
  Client client;
  client.peer->SendHeaders(1, Request("POST"), /*end=*/false);
  const RequestTold request = world.node.Await(MessageOp::kRequest);
  const StreamUid uid = world.node.Adopt(request.id, StreamKind::kWebSocket);
  world.node.Answer(request.id);
  world.node.sender.Close(uid, 1000, "");
  world.node.sender.Flush();
  world.node.Await(MessageOp::kRequestCloseAsked);
  const StreamLine* line = Registry::Get().FindLine(uid);
  const uint64_t closed_ms = line->last_active_ms();
  REQUIRE(Eventually([&] { return MonotonicMs() > closed_ms; }));
  client.peer->SendData(1, "x");
  EXPECT(world.node.Await(MessageOp::kRequestBody).bytes == "x");
  EXPECT(line->last_active_ms() == closed_ms);
}

// A publication has no room on its stream until it is there, so it came behind the end.
TEST_CASE("what a Node thread published before it ended a stream comes before that end") {
  World world;
  Client client;
  client.peer->SendHeaders(1, Request(), /*end=*/true);
  const RequestTold request = world.node.Await(MessageOp::kRequest);
  const StreamUid uid = world.node.Adopt(request.id);
  REQUIRE(SubscribeOnReactor(Registry::Get(), uid, "t"));
  world.node.Answer(request.id);
  Receivers own;
  const CountedSince counted;
  for (const char* text : {"a", "b"}) {
    REQUIRE(world.node.sender.Publish("t", Text(text), {}, &own) == 1);
  }
  REQUIRE(Registry::Get().FindLine(uid)->StopTaking(uid));
  EXPECT(world.node.Send(uid, "too late") == Sender::Result::kGone);
  world.node.sender.Close(uid, 0, "");
  REQUIRE(world.node.sender.Publish("t", Text("behind"), {}, &own) == 1);
  world.node.sender.Flush();
  std::vector<PeerFrame> frames;
  REQUIRE(Eventually([&] {
    for (PeerFrame& frame : client.peer->Receive()) frames.push_back(std::move(frame));
    return EndOf(frames, 1);
  }));
  EXPECT(BodyOf(frames, 1) == "ab");
  EXPECT(Eventually([&] { return counted[Counter::kMessagesUndeliverable] == 1; }));
}

TEST_CASE("nothing comes before the mark of a gap, whoever sends it") {
  World world(Budget(4096), /*mark_wait_ms=*/3'600'000);
  for (const SlowPolicy policy : {SlowPolicy::kDrop, SlowPolicy::kDropOldest}) {
    Client client(NoWindow());
    const auto [id, uid] = world.Open(client, StreamKind::kRaw, policy, true);
    const CountedSince counted;
    const std::string piece(1024, 'x');
    const bool drops_oldest = policy == SlowPolicy::kDropOldest;
    const int count = drops_oldest ? 6 : 4;
    for (int i = 0; i < count; i++) EXPECT(world.node.Send(uid, piece) == Sender::Result::kQueued);
    if (!drops_oldest) EXPECT(world.node.Send(uid, piece) == Sender::Result::kFull);
    if (drops_oldest) {
      REQUIRE(Eventually([&] { return counted[Counter::kMessagesDropped] == 2; }));
    }
    client.peer->Send(Frame(ng::kWindowUpdate, 0, 1, Big(1 << 20, 4)));
    world.node.Await(MessageOp::kRequestGap);
    const size_t before = drops_oldest ? 2048 : 4096;
    EXPECT(client.AwaitBody(1, before).size() == before);
    // The mark is on its way from here: others are refused, or wait.
    if (!drops_oldest) EXPECT(world.node.Send(uid, piece) == Sender::Result::kFull);
    OutgoingMessage mark;
    mark.data = "mark";
    EXPECT(world.node.sender.CommandAhead(uid, mark, /*ends_gap=*/true));
    world.node.sender.Flush();
    // Who has seen the mark may send.
    const std::string expected = drops_oldest ? "mark" + piece + piece : "mark";
    EXPECT(client.AwaitBody(1, expected.size()) == expected);
    EXPECT(world.node.Send(uid, "more") == Sender::Result::kQueued);
    EXPECT(client.AwaitBody(1, 4) == "more");
  }
}

TEST_CASE("a stream goes on when the mark of its gap does not come, or its Node thread has gone") {
  Options options = RoomyOptions();
  options[Option::kSendBudgetBytes] = 4096;
  options[Option::kCleanupIntervalMs] = 3'600'000;
  for (const bool leaves : {false, true}) {
    // A mark that does not come is given up after a while. None comes where the thread has gone.
    World world(options, leaves ? 3'600'000 : 100);
    TestWorker other(options);
    Sender sender(Registry::Get(), other.get());
    StringBuffer local;
    Client client(NoWindow());
    const auto [id, uid] = world.Open(client, StreamKind::kRaw, SlowPolicy::kDrop, true);
    EXPECT(DetachOnReactor(Registry::Get(), *world.node.worker, uid));
    EXPECT(world.node.Send(uid, std::string(4096, 'x')) == Sender::Result::kQueued);
    EXPECT(world.node.Send(uid, "refused") == Sender::Result::kFull);
    client.peer->Send(Frame(ng::kWindowUpdate, 0, 1, Big(1 << 20, 4)));
    world.node.Await(MessageOp::kRequestGap);
    if (leaves) world.node.worker.Leave();
    EXPECT(Eventually([&] {
      const Sender::Result result = sender.Send(uid, Text("goes on"), local);
      sender.Flush();
      return result == Sender::Result::kQueued;
    }));
  }
}

TEST_CASE("what was to come before all else is counted where the stream has gone meanwhile") {
  World world;
  Client client;
  client.peer->SendHeaders(1, Request(), /*end=*/true);
  const RequestTold request = world.node.Await(MessageOp::kRequest);
  const StreamUid uid = world.node.Adopt(request.id);
  client.peer->Send(Frame(ng::kRstStream, 0, 1, Big(ng::kCancel, 4)));
  world.node.Await(MessageOp::kRequestClosed);
  const CountedSince counted;
  world.node.sender.Command(uid.worker_id(), uid, MessageOp::kRequestAhead, {}, "mark");
  world.node.sender.Flush();
  EXPECT(Eventually([&] { return counted[Counter::kMessagesUndeliverable] == 1; }));
  // Nor does it come to a reactor that stops.
  world.reactor.reset();
  world.node.sender.Command(uid.worker_id(), uid, MessageOp::kRequestAhead, {}, "mark");
  world.node.sender.Flush();
  EXPECT(counted[Counter::kMessagesUndeliverable] == 2);
}

TEST_CASE("a stream that keeps the latest hands over only what its reader takes") {
  World world(Budget(1 << 20));
  const CountedSince counted;
  Client client(NoWindow());
  const auto [id, uid] = world.Open(client, StreamKind::kRaw, SlowPolicy::kLatest);
  const std::string first(60 << 10, 'a');
  world.node.Send(uid, first);
  for (int i = 0; i < 50; i++)
    world.node.Send(uid, std::string(8 << 10, static_cast<char>('0' + i % 10)));
  REQUIRE(Eventually([&] { return counted[Counter::kMessagesDropped] == 49; }));
  client.peer->Send(Frame(ng::kWindowUpdate, 0, 1, Big(1 << 20, 4)) +
                    Frame(ng::kWindowUpdate, 0, 0, Big(1 << 20, 4)));
  const std::string body = client.AwaitBody(1, first.size() + (8 << 10));
  EXPECT(body.size() == first.size() + (8 << 10));
  EXPECT(body.back() == '9');
}

TEST_CASE("a close comes behind what is held back, a WebSocket's as well") {
  World world(Budget(1 << 20));
  for (const StreamKind kind : {StreamKind::kRaw, StreamKind::kWebSocket}) {
    const CountedSince counted;
    Client client(NoWindow());
    const auto [id, uid] = world.Open(client, kind, SlowPolicy::kDropOldest);
    const size_t piece = 8 << 10;
    std::string expected;
    for (const char digit : {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9'}) {
      const std::string text(piece, digit);
      expected += text;
      REQUIRE(world.node.Send(uid, text) == Sender::Result::kQueued);
    }
    const bool farewell = kind == StreamKind::kWebSocket;
    EXPECT(world.node.sender.Close(uid, farewell ? 4000 : 0, "bye"));
    world.node.sender.Flush();
    client.peer->Send(Frame(ng::kWindowUpdate, 0, 1, Big(1 << 20, 4)) +
                      Frame(ng::kWindowUpdate, 0, 0, Big(1 << 20, 4)));
    if (farewell) {
      EXPECT(world.node.Await(MessageOp::kRequestCloseAsked).header.a == 4000);
      EXPECT(counted[Counter::kMessagesDelivered] == 10);
    } else {
      const bool whole = client.AwaitBody(1, expected.size()) == expected;
      EXPECT(whole);
      const RequestTold closed = world.node.Await(MessageOp::kRequestClosed);
      EXPECT(closed.header.a == (1 | static_cast<uint32_t>(CloseReason::kClose) << 1));
    }
  }
}

TEST_CASE("a wait for a message ends when the socket took it, or when the stream goes") {
  World world;
  Client client;
  const auto [id, uid] = world.Open(client);
  const Ticket taken = NewTicket(world.node.worker->id);
  world.node.Send(uid, "before");
  world.node.Send(uid, "waited for", taken);
  EXPECT(client.AwaitBody(1, 16) == "beforewaited for");
  EXPECT(Eventually([&] {
    world.node.Take();
    return world.node.settled == std::vector<uint64_t>{taken};
  }));
  Client slow(NoWindow());
  slow.peer->SendHeaders(1, Request(), /*end=*/true);
  const RequestTold second = world.node.Await(MessageOp::kRequest);
  const StreamUid other = world.node.Adopt(second.id);
  world.node.Answer(second.id);
  const Ticket gone = NewTicket(world.node.worker->id);
  world.node.Send(other, "never", gone);
  slow.peer->Close();
  EXPECT(Eventually([&] {
    world.node.Take();
    return world.node.settled == std::vector<uint64_t>{taken, gone};
  }));
}

TEST_CASE("when its Node thread goes, a request is reset and a detached stream lives on") {
  World world;
  NodeThread second;
  world.node.worker->takes_requests.store(false);
  Client client;
  client.peer->SendHeaders(1, Request(), /*end=*/true);
  client.peer->SendHeaders(3, Request(), /*end=*/true);
  const RequestTold attached = second.Await(MessageOp::kRequest);
  const RequestTold request = second.Await(MessageOp::kRequest);
  const StreamUid uid = second.Adopt(request.id);
  DetachOnReactor(Registry::Get(), *second.worker, uid);
  second.Answer(request.id);
  second.worker->takes_requests.store(false);
  second.worker.Leave();
  EXPECT(FirstOf(client.Await(ng::kRstStream, 1), ng::kRstStream, 3) == nullptr);
  EXPECT(world.node.Send(uid, "still here") == Sender::Result::kQueued);
  EXPECT(client.AwaitBody(3, 10) == "still here");
  // The session's next request has another thread to answer it.
  world.node.worker->takes_requests.store(true);
  client.peer->SendHeaders(5, Request(), /*end=*/true);
  world.node.Answer(world.node.Await(MessageOp::kRequest).id, kHeadEnds);
  client.Await(ng::kHeaders, 5);
}

// It was taken for one of the next thread's, and stayed for ever.
TEST_CASE("a request is reset also if its session's next came before its Node thread was missed") {
  World world;
  NodeThread second;
  world.node.worker->takes_requests.store(false);
  Client client;
  client.peer->SendHeaders(1, Request(), /*end=*/true);
  second.Await(MessageOp::kRequest);
  second.worker->takes_requests.store(false);
  // As `Leave` begins; it is told of at its end.
  second.worker->alive.store(false);
  world.node.worker->takes_requests.store(true);
  client.peer->SendHeaders(3, Request(), /*end=*/true);
  const RequestTold next = world.node.Await(MessageOp::kRequest);
  second.worker.Leave();
  EXPECT(FirstOf(client.Await(ng::kRstStream, 1), ng::kRstStream, 3) == nullptr);
  world.node.Answer(next.id, kHeadEnds);
  client.Await(ng::kHeaders, 3);
}

TEST_CASE("late mail for whoever had a reactor's number before it is nobody's") {
  World world;
  Client client;
  client.peer->SendHeaders(1, Request(), /*end=*/true);
  const RequestTold request = world.node.Await(MessageOp::kRequest);
  // Of a Node thread that had it, and of a reactor that had another.
  const uint32_t reactor = request.id.reactor;
  const RequestId elsewhere{reactor + 1, request.id.slot, request.id.generation};
  const uint32_t words[2] = {};
  const std::string_view body(reinterpret_cast<const char*>(words), sizeof words);
  world.node.sender.Command(reactor, request.id.Pack(), MessageOp::kRequestBody, {}, body);
  world.node.sender.Command(reactor, elsewhere.Pack(), MessageOp::kRequestReset,
                            {ng::kInternalError, 0}, {});
  world.node.sender.Flush();
  world.node.Answer(request.id, kHeadEnds);
  EXPECT(FirstOf(client.Await(ng::kHeaders, 1), ng::kRstStream, 1) == nullptr);
}

// The farewell of a WebSocket was cut off by the reset that followed in the same turn.
TEST_CASE("an answer that its Node thread ended before it went arrives whole") {
  World world;
  Client client(NoWindow());
  client.peer->SendHeaders(1, Request("POST"), /*end=*/false);
  const RequestTold request = world.node.Await(MessageOp::kRequest);
  world.node.Answer(request.id);
  world.node.Ask(request.id, MessageOp::kRequestWrite, {0, 0}, "farewell");
  world.node.Ask(request.id, MessageOp::kRequestEnd);
  world.node.worker->takes_requests.store(false);
  world.node.worker.Leave();
  client.peer->Send(Frame(ng::kWindowUpdate, 0, 1, Big(1 << 20, 4)));
  std::vector<PeerFrame> frames;
  REQUIRE(Eventually([&] {
    for (PeerFrame& frame : client.peer->Receive()) frames.push_back(std::move(frame));
    return FirstOf(frames, ng::kRstStream, 1) != nullptr;
  }));
  EXPECT(BodyOf(frames, 1) == "farewell");
  EXPECT(EndOf(frames, 1));
  // It had more to say, which nobody would have read.
  EXPECT(FirstOf(frames, ng::kRstStream, 1)->Word(0) == ng::kNoError);
}

TEST_CASE("what a reactor was told before it leaves is still written") {
  NodeThread node;
  // Its turns are taken here, so that nothing is done between the mail and the leaving.
  const auto reactor = ReactorWorker::Create(Registry::Get(), LibraryApi(), {});
  REQUIRE(reactor != nullptr);
  reactor->TakeSessions();
  Client client;
  client.peer->SendHeaders(1, Request(), /*end=*/true);
  std::vector<RequestTold> told;
  REQUIRE(Eventually([&] {
    (void)reactor->Turn(0);
    told = node.Take();
    return !told.empty();
  }));
  const RequestId id = told[0].id;
  node.Answer(id);
  node.Ask(id, MessageOp::kRequestWrite, {}, "the last words");
  node.Ask(id, MessageOp::kRequestEnd);
  reactor->Leave();
  EXPECT(client.AwaitBody(1, 14) == "the last words");
}

TEST_CASE("connections that a reactor has not begun with when it leaves go to another worker") {
  NodeThread node;
  node.worker->accepting.store(true);
  const auto reactor = ReactorWorker::Create(Registry::Get(), LibraryApi(), {});
  REQUIRE(reactor != nullptr);
  reactor->TakeSessions();
  const CountedSince counted;
  const Client client;
  reactor->Leave();
  const Mailbox::Batch batch = node.worker.Take();
  REQUIRE(batch.connections.size() == 1);
  EXPECT(counted[Counter::kConnectionsReturned] == 1);
  CHECK(close(batch.connections[0].fd) == 0);
  node.worker->accepting.store(false);
}

TEST_CASE("a request that nobody answers is refused, for the peer to try again") {
  World world;
  const CountedSince counted;
  world.node.worker->takes_requests.store(false);
  Client client;
  client.peer->SendHeaders(1, Request(), /*end=*/true);
  const auto frames = client.Await(ng::kRstStream, 1);
  EXPECT(counted[Counter::kRequestsRefused] == 1);
  EXPECT(FirstOf(frames, ng::kRstStream, 1)->Word(0) == ng::kRefusedStream);
}

TEST_CASE(
    "a static answer is given without a Node thread, also to HEAD, and to a body nobody wants") {
  World world;
  const CountedSince counted;
  const std::string text(40 << 10, 's');
  StaticAnswer answer;
  answer.fields = FieldText({{":status", "200"}, {"content-type", "text/plain"}});
  answer.body = PieceOf(text).payload;
  Registry::Get().static_answers().Set("/static", answer);
  Client client;
  client.peer->SendHeaders(1, Request("GET", "/static?x=1"), /*end=*/true);
  client.peer->SendHeaders(3, Request("HEAD", "/static"), /*end=*/true);
  client.peer->SendHeaders(5, Request("GET", "/other"), /*end=*/true);
  EXPECT(client.AwaitBody(1, text.size()) == text);
  const RequestTold other = world.node.Await(MessageOp::kRequest);
  EXPECT(FindField(std::string_view(other.bytes).substr(8), ":path") == "/other");
  EXPECT(Eventually([&] { return counted[Counter::kStaticAnswers] == 2; }));
  Registry::Get().static_answers().Remove("/static");
  client.peer->SendHeaders(7, Request("GET", "/static"), /*end=*/true);
  world.node.Await(MessageOp::kRequest);
}

TEST_CASE("a reactor that stops ends its streams, closes its connections and gives back its load") {
  World world;
  const int before = OpenDescriptors();
  const CountedSince counted;
  {
    Client client;
    const auto [id, uid] = world.Open(client);
    world.reactor.reset();
    EXPECT(world.node.Send(uid, "nobody") == Sender::Result::kGone);
    EXPECT(Eventually([&] { return client.peer->Receive().empty() && client.peer->ended(); }));
  }
  EXPECT(OpenDescriptors() == before);
  EXPECT(counted[Counter::kSocketsOpened] == counted[Counter::kSocketsClosed]);
  EXPECT(counted[CreatedOf(StreamKind::kRaw)] == counted[DestroyedOf(StreamKind::kRaw)]);
  EXPECT(world.node.worker->load.load() == 0);
}

TEST_CASE("adopting, changing and sending race with peers that leave") {
  World world;
  const Clock::time_point end = Clock::now() + StressTime();
  uint64_t adopted = 0;
  while (Clock::now() < end) {
    Client client;
    for (uint32_t stream = 1; stream < 40; stream += 2) {
      client.peer->SendHeaders(stream, Request(), /*end=*/true);
    }
    for (uint32_t stream = 1; stream < 40; stream += 2) {
      const RequestTold request = world.node.Await(MessageOp::kRequest);
      if (stream % 3 == 0) {
        client.peer->Send(Frame(ng::kRstStream, 0, stream, Big(ng::kCancel, 4)));
      }
      const StreamUid uid = world.node.Adopt(request.id);
      if (uid.value == 0) continue;
      adopted++;
      world.node.Answer(request.id);
      SubscribeOnReactor(Registry::Get(), uid, "race");
      DetachOnReactor(Registry::Get(), *world.node.worker, uid);
      world.node.Send(uid, "x");
    }
    Receivers own;
    world.node.sender.Publish("race", Text("all"), {}, &own);
    world.node.sender.Flush();
  }
  EXPECT(adopted > 0);
  world.reactor.reset();
  EXPECT(Registry::Get().AutonomousStreams().empty());
  EXPECT(Subscribers(Registry::Get(), "race").empty());
  EXPECT(Registry::Get().total_streams() == 0);
}

}  // namespace holdfast::test
