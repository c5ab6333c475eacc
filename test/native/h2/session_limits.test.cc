// What a peer cannot make a session do: hold without bound, wait without end, or work for nothing.
#include <functional>

#include "support/h2_server.h"

namespace holdfast::test {
namespace {

const std::string kOk = FieldText({{":status", "200"}});

// Ends with a GOAWAY of that code, no stream left, and the descriptor closed after the linger.
void ExpectEnded(H2TestServer& server, std::vector<PeerFrame> frames, int64_t code) {
  for (PeerFrame& frame : server.Exchange()) frames.push_back(std::move(frame));
  EXPECT(GoawayCode(frames) == code);
  EXPECT(server.peer->ended());
  if (server.session != nullptr) server.After(10'000);
  EXPECT(server.session == nullptr);
  for (const auto& [id, heard] : server.heard) EXPECT(heard.stream == nullptr);
}

// Sends the bytes again and again while the session lives. How often it was.
int Flood(H2TestServer& server, std::vector<PeerFrame>* frames,
          const std::function<std::string(int)>& bytes, int most) {
  int sent = 0;
  for (; sent < most && !server.peer->ended(); sent += 100) {
    std::string batch;
    for (int i = 0; i < 100; i++) batch += bytes(sent + i);
    server.peer->Send(batch);
    for (PeerFrame& frame : server.Exchange()) frames->push_back(std::move(frame));
  }
  return sent;
}

void ExpectFloodEnds(const std::function<std::string(int)>& bytes) {
  const int before = OpenDescriptors();
  {
    H2TestServer server;
    server.Greet();
    server.peer->SendHeaders(1, Request("POST"), /*end=*/false);
    server.Exchange();
    std::vector<PeerFrame> frames;
    const int sent = Flood(server, &frames, bytes, 20'000);
    EXPECT(sent < 5'000);
    ExpectEnded(server, std::move(frames), ng::kEnhanceYourCalm);
  }
  EXPECT(OpenDescriptors() == before);
}

// The answer to stream 1 is more than the socket takes, and the peer reads nothing.
void Block(H2TestServer& server) {
  server.Greet(Big(ng::kSettingsInitialWindowSize, 2) + Big(64 << 20, 4));
  server.peer->Send(Frame(ng::kWindowUpdate, 0, 0, Big(64 << 20, 4)));
  server.peer->SendHeaders(1, Request());
  server.Turn();
  server.session->Respond(server.stream(1), kOk, false);
  const Piece piece = PieceOf(std::string(1 << 20, 'x'));
  for (int i = 0; i < 32; i++) server.session->Write(server.stream(1), piece, WriteTag::kPlain);
  server.Turn();
  REQUIRE(server.session->blocked());
}

}  // namespace

TEST_CASE("a flood of empty DATA ends its session") {
  ExpectFloodEnds([](int) { return Frame(ng::kData, 0, 1, ""); });
}
TEST_CASE("a flood of DATA that is all padding ends its session") {
  ExpectFloodEnds([](int) { return Frame(ng::kData, 8, 1, Big(3, 1) + Big(0, 3)); });
}
TEST_CASE("a flood of WINDOW_UPDATE ends its session") {
  ExpectFloodEnds([](int) { return Frame(ng::kWindowUpdate, 0, 0, Big(1, 4)); });
}
TEST_CASE(
    "a peer that answers each DATA with two WINDOW_UPDATE, all of them at once, floods nobody") {
  H2TestServer server;
  server.Greet();
  server.peer->SendHeaders(1, Request());
  server.Exchange();
  server.session->Respond(server.stream(1), kOk, false);
  constexpr int kFrames = 3000;
  int frames = 0;
  for (int i = 0; i < kFrames; i++) {
    server.session->Write(server.stream(1), PieceOf("x"), WriteTag::kPlain);
    for (const PeerFrame& frame : server.Exchange()) frames += frame.type == ng::kData ? 1 : 0;
  }
  REQUIRE(frames == kFrames);
  std::string updates;
  for (int i = 0; i < kFrames; i++) {
    updates +=
        Frame(ng::kWindowUpdate, 0, 0, Big(1, 4)) + Frame(ng::kWindowUpdate, 0, 1, Big(1, 4));
  }
  server.peer->Send(updates);
  EXPECT(GoawayCode(server.Exchange()) < 0);
  server.session->Write(server.stream(1), PieceOf("last"), WriteTag::kPlain);
  EXPECT(FirstOf(server.Exchange(), ng::kData, 1) != nullptr);
}
TEST_CASE("a flood of PRIORITY ends its session") {
  ExpectFloodEnds([](int) { return Frame(ng::kPriority, 0, 5, Big(0, 4) + Big(16, 1)); });
}
TEST_CASE("a flood of PING ends its session") {
  ExpectFloodEnds([](int) { return Frame(ng::kPing, 0, 0, Big(1, 8)); });
}
TEST_CASE("a flood of SETTINGS ends its session") {
  ExpectFloodEnds([](int) { return Frame(ng::kSettings, 0, 0, ""); });
}
// CVE-2023-44487: a request costs the peer two small frames, and us a stream.
TEST_CASE("requests that are reset as soon as they are made end their session") {
  ExpectFloodEnds([](int i) {
    const auto id = static_cast<uint32_t>(3 + 2 * i);
    return Frame(ng::kHeaders, ng::kFlagEndHeaders | ng::kFlagEndStream, id,
                 EncodeFields(Request())) +
           Frame(ng::kRstStream, 0, id, Big(ng::kCancel, 4));
  });
}
TEST_CASE("requests without the fields that a request has end their session") {
  ExpectFloodEnds([](int i) {
    const auto id = static_cast<uint32_t>(3 + 2 * i);
    return Frame(ng::kHeaders, ng::kFlagEndHeaders | ng::kFlagEndStream, id,
                 EncodeFields({{"x", "y"}}));
  });
}
// The server is made to reset: it costs the peer nothing of its own allowance (CVE-2025-8671).
TEST_CASE("windows opened too far, each of which makes us reset a stream, end their session") {
  ExpectFloodEnds([](int i) {
    const auto id = static_cast<uint32_t>(3 + 2 * i);
    return Frame(ng::kHeaders, ng::kFlagEndHeaders, id, EncodeFields(Request("POST"))) +
           Frame(ng::kWindowUpdate, 0, id, Big(0x7FFFFFFF, 4));
  });
}

TEST_CASE("streams beyond the limit are refused, and those within it go on") {
  H2Limits limits;
  limits.max_streams = 10;
  H2TestServer server(limits);
  server.Greet();
  for (uint32_t id = 1; id < 60; id += 2) server.peer->SendHeaders(id, Request());
  const auto frames = server.Exchange();
  REQUIRE(FirstOf(frames, ng::kRstStream, 21) != nullptr);
  EXPECT(FirstOf(frames, ng::kRstStream, 21)->Word(0) == ng::kRefusedStream);
  EXPECT(server.session->streams() == 10);
  EXPECT(server.heard.size() == 10);
  server.session->Respond(server.stream(1), kOk, true);
  EXPECT(EndOf(server.Exchange(), 1));
  server.peer->SendHeaders(61, Request());
  server.Turn();
  EXPECT(server.heard[61].stream != nullptr);
}

TEST_CASE("a request whose header fields are too large is reset, and the next one is served") {
  H2Limits limits;
  limits.max_header_bytes = 4000;
  H2TestServer server(limits);
  server.Greet();
  FieldList fields = Request();
  for (int i = 0; i < 100; i++) fields.emplace_back("cookie", "crumb=0123456789");
  server.peer->SendHeaders(1, fields);
  const auto frames = server.Exchange();
  REQUIRE(FirstOf(frames, ng::kRstStream, 1) != nullptr);
  EXPECT(FirstOf(frames, ng::kRstStream, 1)->Word(0) == ng::kEnhanceYourCalm);
  EXPECT(!server.heard.contains(1));
  server.peer->SendHeaders(3, Request());
  server.Turn();
  EXPECT(server.heard[3].stream != nullptr);
}

// HPACK: one byte on the wire names kilobytes of the table.
TEST_CASE("a header block that unpacks without end ends its session") {
  H2TestServer server;
  server.Greet();
  std::string block = EncodeFields(Request());
  // Into the table, and then by its index, 62, over and over.
  std::string entry = EncodeFields({{"x", std::string(3000, 'y')}});
  entry[0] = 0x40;
  block += entry + std::string(12'000, static_cast<char>(0x80 | 62));
  server.peer->Send(Frame(ng::kHeaders, ng::kFlagEndHeaders | ng::kFlagEndStream, 1, block));
  ExpectEnded(server, {}, ng::kEnhanceYourCalm);
}

TEST_CASE("answers that a peer does not take end its session at the bound") {
  H2Limits limits;
  limits.max_queued_bytes = 1 << 20;
  H2TestServer server(limits);
  server.Greet(Big(ng::kSettingsInitialWindowSize, 2) + Big(0, 4));
  server.on_request = [&](H2Stream& stream) {
    server.session->Respond(stream, kOk, false);
    server.session->Write(stream, PieceOf(std::string(100'000, 'x')), WriteTag::kBudget);
  };
  for (uint32_t id = 1; id < 40; id += 2) server.peer->SendHeaders(id, Request());
  ExpectEnded(server, {}, ng::kEnhanceYourCalm);
  // Whatever was taken is given back.
  for (const auto& [id, heard] : server.heard) EXPECT(heard.taken % 100'000 == 0);
}

TEST_CASE("a payload that many answers share counts once, and each that is another counts") {
  H2Limits limits;
  limits.max_queued_bytes = 1 << 20;
  H2TestServer server(limits);
  server.Greet(Big(ng::kSettingsInitialWindowSize, 2) + Big(0, 4));
  const Piece shared = PieceOf(std::string(100'000, 'x'));
  server.on_request = [&](H2Stream& stream) {
    server.session->Respond(stream, kOk, false);
    server.session->Write(stream, shared, WriteTag::kShared);
    server.session->End(stream);
  };
  for (uint32_t id = 1; id < 40; id += 2) server.peer->SendHeaders(id, Request());
  EXPECT(GoawayCode(server.Exchange()) < 0);
  EXPECT(server.session->held_bytes() == 100'000);
  server.peer->Send(
      Frame(ng::kSettings, 0, 0, Big(ng::kSettingsInitialWindowSize, 2) + Big(1 << 20, 4)) +
      Frame(ng::kWindowUpdate, 0, 0, Big(8 << 20, 4)));
  uint64_t received = 0;
  uint32_t ends = 0;
  for (const PeerFrame& frame : server.Exchange()) {
    if (frame.type != ng::kData) continue;
    received += frame.payload.size();
    if ((frame.flags & ng::kFlagEndStream) != 0) ends++;
  }
  EXPECT(received == 20 * 100'000);
  EXPECT(ends == 20);
  EXPECT(server.session->queued_bytes() == 0);
  // Streams that are reset let go as well.
  server.on_request = [&](H2Stream& stream) {
    server.session->Respond(stream, kOk, false);
    server.session->Write(stream, PieceOf(std::string(100'000, 'x')), WriteTag::kShared);
  };
  server.peer->Send(Frame(ng::kSettings, 0, 0, Big(ng::kSettingsInitialWindowSize, 2) + Big(0, 4)));
  for (uint32_t id = 41; id < 51; id += 2) server.peer->SendHeaders(id, Request());
  server.Exchange();
  EXPECT(server.session->held_bytes() == 500'000);
  for (uint32_t id = 41; id < 51; id += 2) {
    server.peer->Send(Frame(ng::kRstStream, 0, id, Big(ng::kCancel, 4)));
  }
  server.Exchange();
  EXPECT(server.session->held_bytes() == 0);
  for (uint32_t id = 51; id < 80; id += 2) server.peer->SendHeaders(id, Request());
  ExpectEnded(server, {}, ng::kEnhanceYourCalm);
}

// Each stream is answered before it is reset, which costs the peer less than a request brings it.
TEST_CASE("answers to streams that are gone do not pile up behind a peer that reads nothing") {
  H2Limits limits;
  limits.max_queued_frames = 500;
  H2TestServer server(limits);
  Block(server);
  server.on_request = [&](H2Stream& stream) { server.session->Respond(stream, kOk, /*end=*/true); };
  uint32_t asked = 0;
  for (; asked < 2000 && server.session != nullptr; asked++) {
    const uint32_t id = 3 + 2 * asked;
    server.peer->SendHeaders(id, Request());
    server.peer->Send(Frame(ng::kRstStream, 0, id, Big(ng::kCancel, 4)));
    server.Turn();
  }
  EXPECT(asked >= 500);
  EXPECT(asked < 600);
  EXPECT(server.session == nullptr);
  EXPECT(server.heard[1].end == StreamEnd::kSession);
}

TEST_CASE("a peer whose socket takes nothing for too long is given up") {
  H2Limits limits;
  H2TestServer server(limits);
  Block(server);
  uint64_t next_ms = server.After(limits.stall_ms - 1);
  EXPECT(next_ms <= server.context.now_ms + 1);
  // The system may have found some more room yet: then the time begins anew.
  for (int i = 0; i < 100; i++) {
    REQUIRE(server.session != nullptr);
    next_ms = server.session->CheckTime();
    if (next_ms <= server.context.now_ms + 1) break;
    server.After(limits.stall_ms - 1);
  }
  EXPECT(next_ms <= server.context.now_ms + 1);
  server.After(1);
  EXPECT(server.session == nullptr);
  EXPECT(server.heard[1].end == StreamEnd::kSession);
}

TEST_CASE("a peer that says nothing, or never ends its header block, is given up") {
  const H2Limits limits;
  {
    H2TestServer server;
    server.Exchange();
    server.After(limits.preface_ms - 1);
    REQUIRE(!server.peer->ended());
    server.After(1);
    ExpectEnded(server, {}, ng::kSettingsTimeout);
  }
  {
    H2TestServer server;
    server.Greet();
    server.peer->Send(Frame(ng::kHeaders, 0, 1, EncodeFields(Request())));
    server.Turn();
    server.After(limits.headers_ms - 1);
    EXPECT(GoawayCode(server.Exchange()) == -1);
    server.After(1);
    ExpectEnded(server, {}, ng::kEnhanceYourCalm);
  }
}

// The end of its header block was told by nobody, and that was taken for a block without end.
TEST_CASE("a request that is malformed or too large does not end its session later") {
  H2Limits limits;
  limits.max_header_bytes = 4000;
  FieldList large = Request();
  for (int i = 0; i < 100; i++) large.emplace_back("cookie", "crumb=0123456789");
  for (const FieldList& fields : {FieldList{{"x", "y"}}, large}) {
    H2TestServer server(limits);
    server.Greet();
    server.peer->SendHeaders(1, Request());
    server.peer->SendHeaders(3, fields);
    REQUIRE(FirstOf(server.Exchange(), ng::kRstStream, 3) != nullptr);
    server.After(limits.headers_ms + 1);
    EXPECT(GoawayCode(server.Exchange()) == -1);
    EXPECT(server.heard[1].stream != nullptr);
  }
}

TEST_CASE("a peer whose answer to a PING stands behind what it sends is waited for") {
  H2Limits limits;
  limits.idle_ms = 1 << 30;
  H2TestServer server(limits);
  server.Greet();
  server.After(limits.ping_interval_ms);
  REQUIRE(FirstOf(server.Exchange(), ng::kPing) != nullptr);
  server.After(limits.ping_timeout_ms - 1);
  server.peer->Send(Frame(ng::kWindowUpdate, 0, 0, Big(1, 4)));
  server.Turn();
  server.After(limits.ping_timeout_ms - 1);
  REQUIRE(server.session != nullptr);
  server.After(1);
  EXPECT(server.session == nullptr);
}

TEST_CASE("a silent peer is pinged; one that answers stays, one that does not goes") {
  H2Limits limits;
  limits.idle_ms = 1 << 30;
  H2TestServer server(limits);
  server.Greet();
  server.After(limits.ping_interval_ms);
  const auto frames = server.Exchange();
  const PeerFrame* ping = FirstOf(frames, ng::kPing);
  REQUIRE(ping != nullptr);
  server.peer->Send(Frame(ng::kPing, ng::kFlagAck, 0, ping->payload));
  server.Turn();
  server.After(limits.ping_timeout_ms);
  REQUIRE(server.session != nullptr);
  server.After(limits.ping_interval_ms);
  EXPECT(FirstOf(server.Exchange(), ng::kPing) != nullptr);
  server.After(limits.ping_timeout_ms);
  EXPECT(server.session == nullptr);
}

TEST_CASE("a connection without streams ends after a while, gracefully") {
  H2Limits limits;
  limits.ping_interval_ms = 0;
  H2TestServer server(limits);
  server.Greet();
  server.After(limits.idle_ms);
  EXPECT(GoawayCode(server.Exchange()) == ng::kNoError);
  server.After(limits.drain_notice_ms);
  server.Exchange();
  EXPECT(server.peer->ended());
}

TEST_CASE("faults of the protocol end their session and leave nothing behind") {
  const std::string head = EncodeFields(Request());
  const std::vector<std::string> faults = {
      "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
      std::string(H2Peer::kPreface) + Frame(ng::kData, 0, 0, "x"),
      std::string(H2Peer::kPreface) + Frame(ng::kPing, 0, 0, "12345678"),  // no SETTINGS first
      Frame(ng::kData, 0, 0, "x"),
      Frame(ng::kHeaders, ng::kFlagEndHeaders, 0, head),
      Frame(ng::kHeaders, ng::kFlagEndHeaders, 2, head),
      Frame(ng::kHeaders, ng::kFlagEndHeaders, 1, "\xFF\xFF\xFF\xFF\xFF\xFF"),
      Frame(ng::kHeaders, 0, 1, head) + Frame(ng::kPing, 0, 0, Big(0, 8)),
      Frame(ng::kContinuation, 0, 1, head),
      Frame(ng::kPing, 0, 0, "short"),
      Frame(ng::kPing, 0, 1, Big(0, 8)),
      Frame(ng::kSettings, 0, 0, "12345"),
      Frame(ng::kSettings, 0, 0, Big(ng::kSettingsInitialWindowSize, 2) + Big(0xFFFFFFFF, 4)),
      Frame(ng::kWindowUpdate, 0, 0, Big(0, 4)),
      Frame(ng::kWindowUpdate, 0, 0, Big(0x7FFFFFFF, 4)),
      Frame(ng::kRstStream, 0, 7, Big(0, 4)),
      Frame(ng::kData, 0, 1, std::string(20'000, 'x')),
      Frame(ng::kPriority, 0, 1, "x"),
  };
  const int before = OpenDescriptors();
  for (size_t i = 0; i < faults.size(); i++) {
    CAPTURE(i);
    H2TestServer server;
    if (i > 2) {
      server.Greet();
      server.peer->SendHeaders(9, Request("POST"), /*end=*/false);
      server.Exchange();
    }
    server.peer->Send(faults[i]);
    server.Exchange();
    // Where the library only resets the stream, the peer's going ends the rest.
    server.peer->Close();
    for (int turn = 0; turn < 8 && server.session != nullptr; turn++) server.After(2'000);
    EXPECT(server.session == nullptr);
    for (const auto& [id, heard] : server.heard) EXPECT(heard.stream == nullptr);
  }
  EXPECT(OpenDescriptors() == before);
}

TEST_CASE("a session that dies with an answer half written gives everything back") {
  const int before = OpenDescriptors();
  {
    H2TestServer server;
    server.Greet(Big(ng::kSettingsInitialWindowSize, 2) + Big(64 << 20, 4));
    server.peer->Send(Frame(ng::kWindowUpdate, 0, 0, Big(64 << 20, 4)));
    server.peer->SendHeaders(1, Request());
    server.Turn();
    server.session->Respond(server.stream(1), kOk, false);
    const Piece piece = PieceOf(std::string(1 << 20, 'x'));
    for (int i = 0; i < 16; i++) server.session->Write(server.stream(1), piece, WriteTag::kBudget);
    server.Turn();
    REQUIRE(server.session->blocked());
    // The library holds a frame of it that found no room; then the stream goes.
    server.peer->Send(Frame(ng::kRstStream, 0, 1, Big(ng::kCancel, 4)));
    server.Turn();
    EXPECT(server.heard[1].end == StreamEnd::kPeerReset);
    EXPECT(server.heard[1].taken == 16 << 20);
    EXPECT(server.session->queued_bytes() == 0);
  }
  EXPECT(OpenDescriptors() == before);
}

}  // namespace holdfast::test
