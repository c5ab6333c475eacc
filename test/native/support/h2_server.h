// One session and its client in one thread: what the session tells is kept, and each turn is taken
// by hand, so that nothing depends on time.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include "h2/fields.h"
#include "h2/session.h"
#include "h2/tls_context.h"
#include "support/h2_peer.h"
#include "support/threads.h"

namespace holdfast::test {

inline Piece PieceOf(std::string_view text) {
  const auto size = static_cast<uint32_t>(text.size());
  return {PayloadRef::Make(size, [&](uint8_t* out) { std::copy(text.begin(), text.end(), out); }),
          0, size};
}

inline std::string FieldText(const FieldList& fields) {
  std::string text;
  for (const auto& [name, value] : fields) AppendField(&text, name, value);
  return text;
}

class H2TestServer : public H2Events {
 public:
  struct Heard {
    H2Stream* stream = nullptr;  // nullptr when it is closed
    std::string fields;
    std::string body;
    std::string trailers;
    bool ended = false;
    uint32_t taken = 0;
    std::optional<StreamEnd> end;
    uint32_t code = 0;
  };

  explicit H2TestServer(const H2Limits& limits = {}) : H2TestServer(limits, nullptr, nullptr) {}
  // With TLS; without `client` the peer speaks none, which it then does as it likes.
  H2TestServer(const H2Limits& limits, std::shared_ptr<const TlsContext> tls,
               const TlsClientOptions* client)
      : context(LibraryApi(), limits, *this) {
    context.now_ms = 1'000'000;
    Connect(std::move(tls), client);
  }

  // Again, when the one before has gone.
  void Connect(std::shared_ptr<const TlsContext> tls, const TlsClientOptions* client) {
    SocketPair connection = MakeConnection();
    heard.clear();
    peer.emplace(std::move(connection.client), client);
    session = H2Session::Open(context, connection.server.Release(), std::move(tls));
    REQUIRE(session != nullptr);
  }
  // Until the client has its handshake, or why not, and the server has heard the last of it.
  bool Shake() {
    EXPECT(Eventually([&] {
      const bool over = peer->tls().Step();
      Turn();
      return over;
    }));
    Turn();
    return peer->tls().connected();
  }

  // Reads, tells, writes, until there is nothing more to do at once.
  void Turn() {
    if (session != nullptr && session->blocked()) session->Flush();
    EXPECT(Eventually([&] {
      const bool there = session != nullptr && !session->finished();
      const bool waiting = there && peer->under_way();
      const bool more = there && session->Read();
      const bool wrote = !context.dirty.empty();
      Flush();
      return !waiting && !more && !wrote;
    }));
    if (session != nullptr && session->finished()) session.reset();
  }
  void Flush() {
    for (H2Session* one : H2Session::TakeDirty(context)) one->Flush();
  }
  // Lets time pass.
  uint64_t After(uint64_t ms) {
    context.now_ms += ms;
    const uint64_t next = session->CheckTime();
    Turn();
    return next;
  }
  // What the client has after a turn.
  std::vector<PeerFrame> Exchange() {
    std::vector<PeerFrame> all;
    for (int i = 0; i < 8; i++) {
      Turn();
      for (PeerFrame& frame : peer->Receive()) all.push_back(std::move(frame));
    }
    return all;
  }
  void Greet(std::string_view settings = {}) {
    peer->Greet(settings);
    Exchange();
  }
  H2Stream& stream(int32_t id) {
    REQUIRE(heard[id].stream != nullptr);
    return *heard[id].stream;
  }

  void OnSessionOpened(H2Session&) override { opened++; }
  void OnSessionClosed(H2Session&) override { opened--; }
  void OnRequest(H2Stream& stream, std::string_view fields, bool ended) override {
    Heard& one = heard[stream.id];
    EXPECT(one.stream == nullptr);
    one.stream = &stream;
    one.fields = fields;
    one.ended = ended;
    if (on_request) on_request(stream);
  }
  void OnBody(H2Stream& stream, std::span<const uint8_t> bytes) override {
    heard[stream.id].body.append(bytes.begin(), bytes.end());
  }
  void OnTrailers(H2Stream& stream, std::string_view fields) override {
    heard[stream.id].trailers = fields;
  }
  void OnRequestEnd(H2Stream& stream) override {
    EXPECT(!heard[stream.id].ended);
    heard[stream.id].ended = true;
  }
  void OnTaken(H2Stream& stream, WriteTag, uint32_t bytes) override {
    heard[stream.id].taken += bytes;
  }
  void OnClosed(H2Stream& stream, StreamEnd end, uint32_t code) override {
    Heard& one = heard[stream.id];
    EXPECT(one.stream == &stream);
    EXPECT(!one.end.has_value());
    one.stream = nullptr;
    one.end = end;
    one.code = code;
  }

  int opened = 0;
  std::map<int32_t, Heard> heard;
  std::function<void(H2Stream&)> on_request;
  std::optional<H2Peer> peer;
  H2Context context;
  std::unique_ptr<H2Session> session;
};

inline const PeerFrame* FirstOf(const std::vector<PeerFrame>& frames, uint8_t type,
                                uint32_t stream = 0) {
  for (const PeerFrame& frame : frames) {
    if (frame.type == type && frame.stream == stream) return &frame;
  }
  return nullptr;
}
// The code of the GOAWAY among them; -1 if there is none.
inline int64_t GoawayCode(const std::vector<PeerFrame>& frames) {
  const PeerFrame* frame = FirstOf(frames, ng::kGoaway);
  return frame == nullptr ? -1 : int64_t{frame->Word(4)};
}
inline std::string BodyOf(const std::vector<PeerFrame>& frames, uint32_t stream) {
  std::string body;
  for (const PeerFrame& frame : frames) {
    if (frame.type == ng::kData && frame.stream == stream) body += frame.payload;
  }
  return body;
}
inline bool EndOf(const std::vector<PeerFrame>& frames, uint32_t stream) {
  for (const PeerFrame& frame : frames) {
    const bool carries = frame.type == ng::kData || frame.type == ng::kHeaders;
    if (carries && frame.stream == stream && (frame.flags & ng::kFlagEndStream) != 0) return true;
  }
  return false;
}

}  // namespace holdfast::test
