// Sessions behind a poller, on a thread of their own, asked by clients that are not ours.
#include "h2/session_table.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>

#include "support/command.h"
#include "support/h2_server.h"

namespace holdfast::test {
namespace {

// Answers GET with a greeting and anything else with the request's own body.
class EchoServer final : private H2Events {
 public:
  explicit EchoServer(const H2Limits& limits = {})
      : limits_(limits), poller_(Poller::Create()), listening_(OpenListeningSocket({"127.0.0.1"})) {
    REQUIRE(poller_ != nullptr);
    REQUIRE(IsOk(poller_->WatchReadable(listening_.get(), 0)));
    LibraryApi();
    thread_ = std::thread([this] { Run(); });
  }
  ~EchoServer() {
    stop_.store(true);
    poller_->Wake();
    thread_.join();
  }

  uint16_t port() const { return PortOf(listening_.get()); }
  std::atomic<size_t> sessions{0};
  std::atomic<int> closed{0};

 private:
  void Run() {
    H2Context context(LibraryApi(), limits_, *this);
    H2SessionTable table(context, *poller_);
    int wait_ms = -1;
    while (!stop_.load()) {
      std::array<PollEvent, 64> events;
      const int count = poller_->Wait(events, wait_ms);
      CHECK(count >= 0);
      table.BeginTurn();
      for (int i = 0; i < count; i++) {
        const PollEvent& event = events[static_cast<size_t>(i)];
        if (event.kind == PollEvent::Kind::kSocket) table.OnSocket(event);
        if (event.kind != PollEvent::Kind::kReadable) continue;
        for (int fd; (fd = AcceptConnection(listening_.get())) >= 0;) CHECK(table.Adopt(fd));
      }
      wait_ms = table.EndTurn();
      sessions.store(table.size());
    }
  }

  void OnSessionOpened(H2Session&) override {}
  void OnSessionClosed(H2Session&) override {}
  void OnRequest(H2Stream& stream, std::string_view fields, bool ended) override {
    stream.session.Respond(stream, FieldText({{":status", "200"}}), false);
    if (FindField(fields, ":method") == "GET") {
      stream.session.Write(stream, greeting_, WriteTag::kPlain);
    }
    if (ended) stream.session.End(stream);
  }
  void OnBody(H2Stream& stream, std::span<const uint8_t> bytes) override {
    const std::string text(bytes.begin(), bytes.end());
    stream.session.Write(stream, PieceOf(text), WriteTag::kReported);
  }
  void OnTrailers(H2Stream&, std::string_view) override {}
  void OnRequestEnd(H2Stream& stream) override { stream.session.End(stream); }
  void OnTaken(H2Stream& stream, WriteTag tag, uint32_t bytes) override {
    // The window opens as the echo leaves.
    if (tag == WriteTag::kReported) stream.session.Consume(stream, bytes);
  }
  void OnClosed(H2Stream&, StreamEnd, uint32_t) override { closed.fetch_add(1); }

  const H2Limits limits_;
  const Piece greeting_ = PieceOf("hello\n");
  std::unique_ptr<Poller> poller_;
  Fd listening_;
  std::thread thread_;
  std::atomic<bool> stop_{false};
};

// Answers each request with so many bytes.
class Answerer final : public H2Events {
 public:
  size_t bytes = 0;
  uint32_t client_bytes = 0;

  void OnSessionOpened(H2Session&) override {}
  void OnSessionClosed(H2Session&) override {}
  void OnRequest(H2Stream& stream, std::string_view, bool) override {
    if (client_bytes > 0) stream.session.CountClient(client_bytes);
    stream.session.Respond(stream, FieldText({{":status", "200"}}), false);
    stream.session.Write(stream, PieceOf(std::string(bytes, 'a')), WriteTag::kPlain);
    stream.session.End(stream);
  }
  void OnBody(H2Stream&, std::span<const uint8_t>) override {}
  void OnTrailers(H2Stream&, std::string_view) override {}
  void OnRequestEnd(H2Stream&) override {}
  void OnTaken(H2Stream&, WriteTag, uint32_t) override {}
  void OnClosed(H2Stream&, StreamEnd, uint32_t) override {}
};

// A table whose turns are taken by hand.
struct HandTable {
  explicit HandTable(const H2Limits& limits) : context(LibraryApi(), limits, events) {}

  // Both ends, each of a small buffer; the client's first.
  std::pair<int, int> Connect() {
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    REQUIRE(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
    const int small = 4096;
    REQUIRE(setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0);
    clients.emplace_back(ends[0]);
    table.BeginTurn();
    REQUIRE(table.Adopt(ends[1]));
    Turns();
    return {ends[0], ends[1]};
  }
  void Say(int client, std::string_view bytes) {
    REQUIRE(write(client, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    Turns();
  }
  // Nothing is left of those that have gone, and another can come.
  void ExpectEmptyAndUsable() {
    EXPECT(table.size() == 0);
    EXPECT(context.held_bytes == 0);
    Connect();
    EXPECT(table.size() == 1);
  }
  // Until nothing happens at once.
  void Turns() {
    for (int count = 1, wait_ms = 0; count > 0 || wait_ms == 0;) {
      std::array<PollEvent, 8> found;
      count = poller->Wait(found, 0);
      REQUIRE(count >= 0);
      table.BeginTurn();
      for (int i = 0; i < count; i++) table.OnSocket(found[static_cast<size_t>(i)]);
      wait_ms = table.EndTurn();
    }
  }

  std::unique_ptr<Poller> poller = Poller::Create();
  Answerer events;
  H2Context context;
  H2SessionTable table{context, *poller};
  std::vector<Fd> clients;
};

// With windows that never shut.
const std::string kWideGreeting =
    std::string(H2Peer::kPreface) +
    Frame(ng::kSettings, 0, 0, Big(ng::kSettingsInitialWindowSize, 2) + Big(1 << 30, 4)) +
    Frame(ng::kWindowUpdate, 0, 0, Big(1 << 30, 4));

std::string RequestFrame(uint32_t stream) {
  return Frame(ng::kHeaders, ng::kFlagEndStream | ng::kFlagEndHeaders, stream,
               EncodeFields(Request()));
}

std::string Url(const EchoServer& server) {
  return "http://127.0.0.1:" + std::to_string(server.port()) + "/";
}

}  // namespace

TEST_CASE("a load of requests from another client is served whole, and leaves no session behind") {
  EchoServer server;
  const std::string output = RunCommand("timeout 60 h2load -n 3000 -c 10 -m 10 " + Url(server));
  CAPTURE(output);
  EXPECT(output.find("3000 succeeded, 0 failed") != std::string::npos);
  EXPECT(Eventually([&] { return server.sessions.load() == 0; }));
  EXPECT(server.closed.load() == 3000);
}

TEST_CASE("a body larger than every window goes through another client and comes back") {
  EchoServer server;
  const std::string file = "/tmp/holdfast-body-" + std::to_string(getpid());
  std::string body;
  for (int i = 0; i < 300'000; i++) body += std::to_string(i) + '\n';
  FILE* out = fopen(file.c_str(), "w");
  REQUIRE(out != nullptr);
  REQUIRE(fwrite(body.data(), 1, body.size(), out) == body.size());
  REQUIRE(fclose(out) == 0);
  const std::string echo = RunCommand("timeout 60 nghttp -d " + file + " " + Url(server));
  REQUIRE(remove(file.c_str()) == 0);
  EXPECT(echo.size() == body.size());
  EXPECT((echo == body));
}

// Its poller tells of a socket once: what was left for the next turn was never read, if the peer
// had said all and waited.
TEST_CASE("what one turn did not read is read, though nothing more comes") {
  H2Limits limits;
  limits.read_a_turn = 1;
  HandTable world(limits);
  const auto [client, server] = world.Connect();
  std::string bytes = std::string(H2Peer::kPreface) + Frame(ng::kSettings, 0, 0, "");
  for (int i = 0; i < 9; i++) bytes += Frame(0xEE, 0, 0, std::string(16'384, 'x'));
  world.Say(client, bytes);
  int unread = -1;
  REQUIRE(ioctl(server, FIONREAD, &unread) == 0);
  EXPECT(unread == 0);
  EXPECT(world.table.size() == 1);
}

// It was let go of amid the turn, and written to at its end.
TEST_CASE("one that has something to say when its peer goes is let go of once") {
  HandTable world({});
  world.events.bytes = 1 << 20;
  world.Say(world.Connect().first, kWideGreeting + RequestFrame(1));
  EXPECT(world.context.held_bytes > 500'000);
  world.table.Shutdown();
  world.clients.clear();
  world.Turns();
  world.ExpectEmptyAndUsable();
}

TEST_CASE("one that holds too much while its socket takes nothing is ended, once") {
  H2Limits limits;
  limits.max_held_bytes = 3 << 20;
  HandTable world(limits);
  world.events.bytes = 2 << 20;
  const int client = world.Connect().first;
  world.Say(client, kWideGreeting + RequestFrame(1));
  REQUIRE(world.table.size() == 1);
  world.Say(client, RequestFrame(3));
  world.ExpectEmptyAndUsable();
}

// Its session had ended, and what it was ended for was still there: the turn went on for ever.
TEST_CASE("one that holds too much by who its client is, is ended at once") {
  H2Limits limits;
  limits.max_held_bytes = 1000;
  HandTable world(limits);
  world.events.client_bytes = 2000;
  world.Say(world.Connect().first, kWideGreeting + RequestFrame(1));
  world.ExpectEmptyAndUsable();
}

TEST_CASE("what the sockets have not taken counts as held, whosesoever stream it was") {
  H2Limits limits;
  limits.max_held_bytes = 100'000;
  HandTable world(limits);
  world.events.bytes = 50'000;
  for (int i = 0; i < 2; i++) world.Say(world.Connect().first, kWideGreeting + RequestFrame(1));
  EXPECT(world.table.size() == 2);
  EXPECT(world.context.held_bytes > 70'000);
  world.Say(world.Connect().first, kWideGreeting + RequestFrame(1));
  EXPECT(world.table.size() == 2);
}

TEST_CASE("clients that break the protocol or leave amid an answer leave nothing behind") {
  EchoServer server;
  const int before = OpenDescriptors();
  for (int i = 0; i < 100; i++) {
    H2Peer peer(ConnectTo(server.port()));
    if (i % 4 == 0) {
      peer.Send("GET / HTTP/1.1\r\n\r\n");
    } else {
      peer.Greet();
      peer.SendHeaders(1, Request("POST"), /*end=*/false);
      if (i % 4 == 1) peer.SendData(0, "on no stream");
      if (i % 4 == 2) peer.SendData(1, std::string(10'000, 'x'));
    }
  }
  EXPECT(Eventually([&] { return server.sessions.load() == 0 && OpenDescriptors() == before; }));
}

TEST_CASE(
    "when all connections hold too much together, the one that holds most is ended, no other") {
  H2Limits limits;
  limits.max_held_bytes = 150'000;
  EchoServer server(limits);
  const std::string no_window = Big(ng::kSettingsInitialWindowSize, 2) + Big(0, 4);
  std::vector<std::unique_ptr<H2Peer>> modest;
  const auto post = [&](size_t bytes) {
    auto peer = std::make_unique<H2Peer>(ConnectTo(server.port()));
    peer->Greet(no_window);
    peer->SendHeaders(1, Request("POST"), /*end=*/false);
    for (size_t sent = 0; sent < bytes; sent += 10'000) peer->SendData(1, std::string(10'000, 'b'));
    return peer;
  };
  // Each byte is held twice: as it came, and as the echo that nobody reads.
  for (int i = 0; i < 3; i++) modest.push_back(post(10'000));
  std::unique_ptr<H2Peer> greedy = post(60'000);
  std::vector<PeerFrame> frames;
  REQUIRE(Eventually([&] {
    for (PeerFrame& frame : greedy->Receive()) frames.push_back(std::move(frame));
    return greedy->ended();
  }));
  EXPECT(GoawayCode(frames) == ng::kEnhanceYourCalm);
  for (const auto& peer : modest) {
    peer->Send(Frame(ng::kWindowUpdate, 0, 1, Big(1 << 20, 4)));
    std::string echo;
    EXPECT(Eventually([&] {
      echo += BodyOf(peer->Receive(), 1);
      return echo.size() == 10'000;
    }));
  }
}

}  // namespace holdfast::test
