#include "h2/session.h"

#include "support/h2_server.h"

namespace holdfast::test {
namespace {

const std::string kOk = FieldText({{":status", "200"}});

}  // namespace

TEST_CASE("a request is told with its fields, and its answer comes as it was given") {
  H2TestServer server;
  server.Greet();
  server.peer->SendHeaders(1, Request("GET", "/a?b"));
  server.Turn();
  EXPECT(server.heard[1].ended);
  EXPECT(FindField(server.heard[1].fields, ":path") == "/a?b");
  H2Stream& stream = server.stream(1);
  EXPECT(server.session->Respond(stream, FieldText({{":status", "200"}, {"x-a", "b"}}), false));
  EXPECT(server.session->Write(stream, PieceOf("hello "), WriteTag::kPlain));
  EXPECT(server.session->Write(stream, PieceOf("world"), WriteTag::kPlain));
  EXPECT(server.session->End(stream));
  const auto frames = server.Exchange();
  const PeerFrame* head = FirstOf(frames, ng::kHeaders, 1);
  REQUIRE(head != nullptr);
  EXPECT(head->fields.at(":status") == "200");
  EXPECT(head->fields.at("x-a") == "b");
  EXPECT(BodyOf(frames, 1) == "hello world");
  EXPECT(EndOf(frames, 1));
  EXPECT(server.heard[1].taken == 11);
  EXPECT(server.heard[1].end == StreamEnd::kFinished);
  EXPECT(server.session->streams() == 0);
  EXPECT(server.session->queued_bytes() == 0);
}

// The library took it, dropped it, and told nobody: the peer waited for ever.
TEST_CASE("a header block that is larger than may be sent is refused, and another may follow") {
  H2TestServer server;
  server.Greet();
  server.peer->SendHeaders(1, Request());
  server.Turn();
  H2Stream& stream = server.stream(1);
  const std::string large(66'000, 'x');
  FieldList many = {{":status", "200"}};
  for (int i = 0; i < 6000; i++) many.emplace_back("a", "b");
  EXPECT(!server.session->Respond(stream, FieldText({{":status", "200"}, {"x", large}}), false));
  EXPECT(!server.session->Respond(stream, FieldText(many), false));
  EXPECT(!server.session->Inform(stream, FieldText({{":status", "103"}, {"x", large}})));
  const std::string most(65'000, 'x');
  EXPECT(server.session->Respond(stream, FieldText({{":status", "200"}, {"x", most}}), false));
  EXPECT(!server.session->End(stream, FieldText({{"x", large}})));
  EXPECT(server.session->End(stream));
  const auto frames = server.Exchange();
  REQUIRE(FirstOf(frames, ng::kHeaders, 1) != nullptr);
  EXPECT(EndOf(frames, 1));
}

TEST_CASE("an answer may be given from inside the request's own event") {
  H2TestServer server;
  server.Greet();
  server.on_request = [&](H2Stream& stream) { server.session->Respond(stream, kOk, true); };
  server.peer->SendHeaders(1, Request());
  server.peer->SendHeaders(3, Request());
  const auto frames = server.Exchange();
  EXPECT(EndOf(frames, 1));
  EXPECT(EndOf(frames, 3));
  EXPECT(server.session->streams() == 0);
}

TEST_CASE("large bodies of many streams arrive whole and in order, by reference and by copy") {
  H2TestServer server;
  std::string settings = Big(ng::kSettingsInitialWindowSize, 2) + Big(8 << 20, 4);
  server.Greet(settings);
  server.peer->Send(Frame(ng::kWindowUpdate, 0, 0, Big(64 << 20, 4)));
  std::map<int32_t, std::string> sent;
  for (uint32_t id = 1; id < 20; id += 2) server.peer->SendHeaders(id, Request());
  server.Turn();
  for (int32_t id = 1; id < 20; id += 2) {
    H2Stream& stream = server.stream(id);
    REQUIRE(server.session->Respond(stream, kOk, false));
    for (int i = 0; i < 200; i++) {
      // Sizes around every bound: one byte, what is copied, what is shared, more than a frame.
      const size_t size = std::array<size_t, 6>{1, 100, 2047, 2048, 16384, 40001}[i % 6];
      std::string text(size, static_cast<char>('a' + (id + i) % 26));
      sent[id] += text;
      REQUIRE(server.session->Write(stream, PieceOf(text), WriteTag::kPlain));
    }
    REQUIRE(server.session->End(stream));
  }
  std::map<int32_t, std::string> got;
  for (int i = 0; i < 2000 && server.session->streams() > 0; i++) {
    for (const PeerFrame& frame : server.Exchange()) {
      if (frame.type == ng::kData) got[static_cast<int32_t>(frame.stream)] += frame.payload;
    }
  }
  for (const PeerFrame& frame : server.Exchange()) {
    if (frame.type == ng::kData) got[static_cast<int32_t>(frame.stream)] += frame.payload;
  }
  for (const auto& [id, text] : sent) EXPECT((got[id] == text));
  EXPECT(server.session->queued_bytes() == 0);
}

// The library hears of streams that have bytes again one behind the other.
TEST_CASE("a small write does not wait until a large one before it has gone") {
  H2TestServer server;
  server.Greet(Big(ng::kSettingsInitialWindowSize, 2) + Big(8 << 20, 4));
  server.peer->Send(Frame(ng::kWindowUpdate, 0, 0, Big(64 << 20, 4)));
  for (uint32_t id : {1, 3, 5}) server.peer->SendHeaders(id, Request());
  server.Turn();
  for (int32_t id : {1, 3, 5}) server.session->Respond(server.stream(id), kOk, false);
  server.Exchange();
  const std::string large(4 << 20, 'l');
  REQUIRE(server.session->Write(server.stream(3), PieceOf(large), WriteTag::kPlain));
  REQUIRE(server.session->Write(server.stream(5), PieceOf("small"), WriteTag::kPlain));
  server.Flush();
  // And one that is written while it is on its way.
  REQUIRE(server.session->Write(server.stream(1), PieceOf("late"), WriteTag::kPlain));
  size_t before_small = 0;
  size_t before_late = 0;
  std::map<uint32_t, std::string> bodies;
  for (int i = 0; i < 200 && bodies[3].size() < large.size(); i++) {
    for (const PeerFrame& frame : server.Exchange()) {
      if (frame.type != ng::kData) continue;
      if (frame.stream == 5) before_small = bodies[3].size();
      if (frame.stream == 1) before_late = bodies[3].size();
      bodies[frame.stream] += frame.payload;
    }
  }
  EXPECT((bodies[3] == large));
  EXPECT(bodies[5] == "small");
  EXPECT(bodies[1] == "late");
  EXPECT(before_small <= 64 << 10);
  EXPECT(before_late < large.size() / 2 + (64 << 10));
}

// Each message cost its session a second flush, and its thread a second turn.
TEST_CASE("a flush leaves nothing to be flushed again") {
  H2TestServer server;
  server.Greet();
  for (uint32_t id : {1, 3}) server.peer->SendHeaders(id, Request());
  server.Turn();
  for (int32_t id : {1, 3}) server.session->Respond(server.stream(id), kOk, false);
  server.Exchange();
  for (int32_t id : {1, 3}) {
    REQUIRE(server.session->Write(server.stream(id), PieceOf("once"), WriteTag::kPlain));
  }
  server.Flush();
  EXPECT(server.context.dirty.empty());
  EXPECT(server.heard[1].taken == 4);
  EXPECT(server.heard[3].taken == 4);
}

TEST_CASE("a stream that its peer resets before what was written has gone takes no other with it") {
  H2TestServer server;
  server.Greet();
  for (uint32_t id : {1, 3}) server.peer->SendHeaders(id, Request());
  server.Turn();
  for (int32_t id : {1, 3}) server.session->Respond(server.stream(id), kOk, false);
  server.Exchange();
  REQUIRE(server.session->Write(server.stream(1), PieceOf("never"), WriteTag::kPlain));
  REQUIRE(server.session->Write(server.stream(3), PieceOf("heard"), WriteTag::kPlain));
  server.peer->Send(Frame(ng::kRstStream, 0, 1, Big(ng::kCancel, 4)));
  EXPECT(Eventually([&] { return !server.peer->under_way(); }));
  REQUIRE(server.session->Read() == false);
  EXPECT(server.heard[1].end == StreamEnd::kPeerReset);
  const auto frames = server.Exchange();
  EXPECT(BodyOf(frames, 1).empty());
  EXPECT(BodyOf(frames, 3) == "heard");
  REQUIRE(server.session != nullptr);
  EXPECT(server.session->queued_bytes() == 0);
}

TEST_CASE("a window of one byte, or of none, is kept to") {
  H2TestServer server;
  server.Greet(Big(ng::kSettingsInitialWindowSize, 2) + Big(1, 4));
  server.peer->SendHeaders(1, Request());
  server.Turn();
  server.session->Respond(server.stream(1), kOk, false);
  server.session->Write(server.stream(1), PieceOf("abc"), WriteTag::kPlain);
  server.session->End(server.stream(1));
  EXPECT(BodyOf(server.Exchange(), 1) == "a");
  EXPECT(BodyOf(server.Exchange(), 1).empty());
  server.peer->Send(Frame(ng::kWindowUpdate, 0, 1, Big(1, 4)));
  EXPECT(BodyOf(server.Exchange(), 1) == "b");
  server.peer->Send(Frame(ng::kWindowUpdate, 0, 1, Big(5, 4)));
  const auto frames = server.Exchange();
  EXPECT(BodyOf(frames, 1) == "c");
  EXPECT(EndOf(frames, 1));
}

// A body that nobody reads filled the process: the library opened the window by itself.
TEST_CASE("a body is taken as far as its reader acknowledges it, and no further") {
  H2Limits limits;
  limits.stream_window = 1 << 16;
  limits.connection_window = 1 << 17;
  H2TestServer server(limits);
  server.Greet();
  server.peer->SendHeaders(1, Request("POST"), /*end=*/false);
  for (int i = 0; i < 4; i++) server.peer->SendData(1, std::string(16000, 'x'));
  EXPECT(FirstOf(server.Exchange(), ng::kWindowUpdate, 1) == nullptr);
  EXPECT(server.heard[1].body.size() == 64000);
  server.session->Consume(server.stream(1), 64000);
  const auto frames = server.Exchange();
  const PeerFrame* update = FirstOf(frames, ng::kWindowUpdate, 1);
  REQUIRE(update != nullptr);
  EXPECT(update->Word(0) == 64000);
  // More than was ever handed over opens nothing.
  server.session->Consume(server.stream(1), 1 << 30);
  EXPECT(FirstOf(server.Exchange(), ng::kWindowUpdate, 1) == nullptr);
}

TEST_CASE("what a closed stream never acknowledged is given back to the connection") {
  H2Limits limits;
  limits.connection_window = 1 << 16;
  H2TestServer server(limits);
  server.Greet();
  server.peer->SendHeaders(1, Request("POST"), /*end=*/false);
  for (int i = 0; i < 3; i++) server.peer->SendData(1, std::string(16000, 'x'));
  server.peer->Send(Frame(ng::kRstStream, 0, 1, Big(ng::kCancel, 4)));
  const auto frames = server.Exchange();
  const PeerFrame* update = FirstOf(frames, ng::kWindowUpdate, 0);
  REQUIRE(update != nullptr);
  EXPECT(update->Word(0) == 48000);
  EXPECT(server.heard[1].end == StreamEnd::kPeerReset);
  EXPECT(server.heard[1].code == ng::kCancel);
}

TEST_CASE("trailers pass both ways, and interim answers before the answer") {
  H2TestServer server;
  server.Greet();
  server.peer->SendHeaders(1, Request("POST"), /*end=*/false);
  server.peer->SendData(1, "body");
  server.peer->SendHeaders(1, {{"x-sum", "7"}});
  server.Turn();
  EXPECT(server.heard[1].body == "body");
  EXPECT(FindField(server.heard[1].trailers, "x-sum") == "7");
  EXPECT(server.heard[1].ended);
  H2Stream& stream = server.stream(1);
  EXPECT(server.session->Inform(stream, FieldText({{":status", "103"}, {"link", "</a>"}})));
  EXPECT(!server.session->Inform(stream, FieldText({{":status", "101"}})));
  const auto hints = server.Exchange();
  REQUIRE(FirstOf(hints, ng::kHeaders, 1) != nullptr);
  EXPECT(FirstOf(hints, ng::kHeaders, 1)->fields.at(":status") == "103");
  EXPECT(server.session->Respond(stream, kOk, false));
  EXPECT(!server.session->Inform(stream, FieldText({{":status", "103"}})));
  server.session->Write(stream, PieceOf("x"), WriteTag::kPlain);
  EXPECT(!server.session->End(stream, FieldText({{":status", "200"}})));
  EXPECT(server.session->End(stream, FieldText({{"x-checked", "yes"}})));
  const auto frames = server.Exchange();
  EXPECT(BodyOf(frames, 1) == "x");
  REQUIRE(frames.size() >= 3);
  EXPECT(frames.back().type == ng::kHeaders);
  EXPECT(frames.back().fields.at("x-checked") == "yes");
  EXPECT((frames.back().flags & ng::kFlagEndStream) != 0);
}

TEST_CASE("HEAD, 204 and 304 are answered without a body, whatever is written") {
  H2TestServer server;
  server.Greet();
  const auto answer = [&](uint32_t id, std::string_view method, const char* status) {
    server.peer->SendHeaders(id, Request(method));
    server.Turn();
    H2Stream& stream = server.stream(static_cast<int32_t>(id));
    server.session->Write(stream, PieceOf("early"), WriteTag::kBudget);
    EXPECT(server.session->Respond(stream, FieldText({{":status", status}}), false));
    EXPECT(!server.session->Write(stream, PieceOf("late"), WriteTag::kPlain));
    const auto frames = server.Exchange();
    EXPECT(FirstOf(frames, ng::kData, id) == nullptr);
    EXPECT(EndOf(frames, id));
    // Its budget is given back all the same.
    EXPECT(server.heard[static_cast<int32_t>(id)].taken == 5);
  };
  answer(1, "HEAD", "200");
  answer(3, "GET", "204");
  answer(5, "GET", "304");
}

TEST_CASE("an answer that may not be sent is refused, and another may follow") {
  H2TestServer server;
  server.Greet();
  server.peer->SendHeaders(1, Request());
  server.Turn();
  H2Stream& stream = server.stream(1);
  EXPECT(!server.session->Respond(stream, FieldText({{"x", "y"}}), true));
  EXPECT(!server.session->Respond(stream, FieldText({{":status", "20"}}), true));
  EXPECT(!server.session->Respond(stream, FieldText({{":status", "100"}}), true));
  EXPECT(!server.session->Respond(stream, FieldText({{":status", "200"}, {":path", "/"}}), true));
  EXPECT(!server.session->Respond(stream, FieldText({{":status", "200"}, {"x", "a\nb"}}), true));
  EXPECT(server.session->Respond(stream, kOk, true));
  EXPECT(!server.session->Respond(stream, kOk, true));
  EXPECT(EndOf(server.Exchange(), 1));
}

TEST_CASE("an answer that ends before a request nobody wants tells the peer to stop") {
  H2TestServer server;
  server.Greet();
  server.peer->SendHeaders(1, Request("POST"), /*end=*/false);
  server.Turn();
  server.session->Respond(server.stream(1), kOk, true);
  EXPECT(FirstOf(server.Exchange(), ng::kRstStream, 1) == nullptr);  // it may still be read
  server.session->Discard(server.stream(1));
  const auto frames = server.Exchange();
  const PeerFrame* reset = FirstOf(frames, ng::kRstStream, 1);
  REQUIRE(reset != nullptr);
  EXPECT(reset->Word(0) == ng::kNoError);
  EXPECT(server.heard[1].end == StreamEnd::kFinished);
}

// The library drops a header block that waits when its stream is reset: the peer was refused what
// was answered already.
TEST_CASE("an answer that is broken off in the turn in which it began is seen to have begun") {
  H2TestServer server;
  server.Greet();
  server.peer->SendHeaders(1, Request());
  server.peer->SendHeaders(3, Request());
  server.Turn();
  REQUIRE(server.session->Respond(server.stream(1), kOk, false));
  server.session->Reset(server.stream(1), ng::kInternalError);
  REQUIRE(server.session->Respond(server.stream(3), kOk, true));
  server.session->Reset(server.stream(3), ng::kInternalError);
  const auto frames = server.Exchange();
  const PeerFrame* head = FirstOf(frames, ng::kHeaders, 1);
  const PeerFrame* reset = FirstOf(frames, ng::kRstStream, 1);
  REQUIRE(head != nullptr);
  REQUIRE(reset != nullptr);
  EXPECT(head < reset);
  EXPECT(reset->Word(0) == ng::kInternalError);
  EXPECT(server.heard[1].end == StreamEnd::kOurReset);
  EXPECT(EndOf(frames, 3));
  EXPECT(server.session->streams() == 0);
}

TEST_CASE("a stream that we reset is closed with our code, and what it had queued is given back") {
  H2TestServer server;
  server.Greet(Big(ng::kSettingsInitialWindowSize, 2) + Big(0, 4));
  server.peer->SendHeaders(1, Request());
  server.Turn();
  server.session->Respond(server.stream(1), kOk, false);
  server.session->Write(server.stream(1), PieceOf("never"), WriteTag::kBudget);
  server.Turn();
  server.session->Reset(server.stream(1), ng::kInternalError);
  const auto frames = server.Exchange();
  REQUIRE(FirstOf(frames, ng::kRstStream, 1) != nullptr);
  EXPECT(FirstOf(frames, ng::kRstStream, 1)->Word(0) == ng::kInternalError);
  EXPECT(server.heard[1].end == StreamEnd::kOurReset);
  EXPECT(server.heard[1].taken == 5);
  EXPECT(server.session->queued_bytes() == 0);
}

TEST_CASE("extended CONNECT is offered and told") {
  H2TestServer server;
  server.peer->Greet();
  const auto frames = server.Exchange();
  const PeerFrame* settings = FirstOf(frames, ng::kSettings);
  REQUIRE(settings != nullptr);
  EXPECT(settings->payload.find(Big(ng::kSettingsEnableConnectProtocol, 2) + Big(1, 4)) !=
         std::string::npos);
  FieldList fields = Request("CONNECT", "/chat");
  fields.emplace_back(":protocol", "websocket");
  server.peer->SendHeaders(1, fields, /*end=*/false);
  server.Turn();
  EXPECT(FindField(server.heard[1].fields, ":protocol") == "websocket");
  EXPECT(!server.heard[1].ended);
}

TEST_CASE("a shutdown lets what is under way end, and says twice that nothing new is taken") {
  H2TestServer server;
  server.Greet();
  server.peer->SendHeaders(1, Request());
  server.Turn();
  server.session->Shutdown();
  auto frames = server.Exchange();
  const PeerFrame* notice = FirstOf(frames, ng::kGoaway);
  REQUIRE(notice != nullptr);
  EXPECT(notice->Word(0) == 0x7FFFFFFF);
  const PeerFrame* ping = FirstOf(frames, ng::kPing);
  REQUIRE(ping != nullptr);
  // Sent before the notice was heard: it is served.
  server.peer->SendHeaders(3, Request());
  server.peer->Send(Frame(ng::kPing, ng::kFlagAck, 0, ping->payload));
  frames = server.Exchange();
  REQUIRE(FirstOf(frames, ng::kGoaway) != nullptr);
  EXPECT(FirstOf(frames, ng::kGoaway)->Word(0) == 3);
  for (const int32_t id : {1, 3}) server.session->Respond(server.stream(id), kOk, true);
  frames = server.Exchange();
  EXPECT(EndOf(frames, 1));
  EXPECT(EndOf(frames, 3));
  EXPECT(server.peer->ended());
}

TEST_CASE("a peer that leaves ends its session, and every stream of it") {
  H2TestServer server;
  server.Greet();
  server.peer->SendHeaders(1, Request());
  server.peer->SendHeaders(3, Request("POST"), /*end=*/false);
  server.Turn();
  server.peer->Close();
  server.Turn();
  EXPECT(server.session == nullptr);
  EXPECT(server.heard[1].end == StreamEnd::kSession);
  EXPECT(server.heard[3].end == StreamEnd::kSession);
}

}  // namespace holdfast::test
