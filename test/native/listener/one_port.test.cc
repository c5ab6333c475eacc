// One port for HTTP/2, which workers that take sessions read, and for all else, which Node threads
// do: real peers, a real listener thread.
#include <sys/resource.h>
#include <sys/socket.h>

#include <map>

#include "listener/listener.h"
#include "support/client_hello.h"
#include "support/doctest.h"
#include "support/random.h"
#include "support/sockets.h"
#include "support/test_worker.h"
#include "support/threads.h"

namespace holdfast::test {
namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

void Send(const Fd& client, std::string_view bytes) {
  REQUIRE(write(client.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
}

// Until the peer's end has come, or `size` bytes.
std::string ReadFrom(const Fd& fd, size_t size) {
  std::string bytes(size, '\0');
  size_t have = 0;
  EXPECT(Eventually([&] {
    const ssize_t got = read(fd.get(), bytes.data() + have, size - have);
    if (got > 0) have += static_cast<size_t>(got);
    return got == 0 || have == size;
  }));
  bytes.resize(have);
  return bytes;
}

// Has the connection been closed by the server?
bool IsClosed(const Fd& client) {
  char byte;
  const ssize_t got = recv(client.get(), &byte, 1, MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno == ECONNRESET);
}

class Port {
 public:
  explicit Port(bool tls = false, const FirstLookLimits& limits = {}) {
    node->accepting = true;
    node->takes_requests = true;
    reactor->takes_sessions = true;
    listener = Listener::Open(Registry::Get(), {.host = "127.0.0.1", .backlog = 1024},
                              tls ? std::make_shared<const PortContext>() : nullptr, limits);
    REQUIRE(listener != nullptr);
  }

  Fd Connect() const { return ConnectTo(listener->port()); }

  // The one connection that comes to `worker`, while none comes to the other.
  Fd TakeOne(const TestWorker& worker) const {
    Fd fd;
    EXPECT(Eventually([&] {
      for (const auto& connection : worker.Take().connections) fd = Fd(connection.fd);
      return fd.get() >= 0;
    }));
    EXPECT((&worker == &node ? reactor : node).Take().connections.empty());
    return fd;
  }

  TestWorker node;
  TestWorker reactor;
  const CountedSince counted;
  std::unique_ptr<Listener> listener;
};

// What is sent, in these pieces, comes to that worker and is there from its first byte.
void ExpectAt(const Port& port, const TestWorker& worker, const std::vector<std::string>& pieces) {
  const Fd client = port.Connect();
  const uint64_t placed = port.counted[Counter::kConnectionsPlaced];
  std::string sent;
  for (const std::string& piece : pieces) {
    // A piece for itself: what stands before it has been acknowledged by the other end's system.
    if (!sent.empty()) EXPECT(port.counted[Counter::kConnectionsPlaced] == placed);
    Send(client, piece);
    sent += piece;
  }
  const Fd taken = port.TakeOne(worker);
  REQUIRE(taken.get() >= 0);
  EXPECT(ReadFrom(taken, sent.size()) == sent);
}

std::vector<std::string> BytesOf(std::string_view text) {
  std::vector<std::string> bytes;
  for (const char byte : text) bytes.emplace_back(1, byte);
  return bytes;
}

std::vector<std::string> CutAt(const std::string& text, size_t at) {
  return {text.substr(0, at), text.substr(at)};
}

}  // namespace

TEST_CASE("HTTP/2 with prior knowledge goes to a worker that takes sessions, unread") {
  const Port port;
  ExpectAt(port, port.reactor, {std::string(kPreface)});
  ExpectAt(port, port.reactor, {std::string(kPreface) + std::string(100'000, 'x')});
  ExpectAt(port, port.reactor, CutAt(std::string(kPreface), 11));
}

TEST_CASE("a preface that comes byte by byte is HTTP/2 as well") {
  const Port port;
  ExpectAt(port, port.reactor, BytesOf(kPreface.substr(0, 12)));
}

TEST_CASE("an HTTP/1.1 request goes to a Node thread, unread") {
  const Port port;
  ExpectAt(port, port.node, {std::string(kRequest)});
  ExpectAt(port, port.node, {"P", "OST / HTTP/1.1\r\n\r\n"});
  ExpectAt(port, port.node, {"PRI", " * HTTP/1.1\r\n\r\n"});
}

TEST_CASE("a hello that offers h2 goes to a worker that takes sessions, unread") {
  const Port port(/*tls=*/true);
  ExpectAt(port, port.reactor, {ClientHello({"h2"})});
  ExpectAt(port, port.reactor, {ClientHello({"h2", "http/1.1"})});
  ExpectAt(port, port.reactor, {RecordedHello()});
  ExpectAt(port, port.reactor, {ClientHello({"h2"}, 10'000)});
}

TEST_CASE("a hello that offers no h2, or no protocol at all, goes to a Node thread, unread") {
  const Port port(/*tls=*/true);
  ExpectAt(port, port.node, {ClientHello({"http/1.1"})});
  ExpectAt(port, port.node, {ClientHello({})});
}

TEST_CASE("a hello in several TCP segments is put together") {
  const Port port(/*tls=*/true);
  for (const size_t at : {size_t{1}, size_t{5}, size_t{9}, size_t{60}}) {
    ExpectAt(port, port.reactor, CutAt(ClientHello({"h2"}), at));
    ExpectAt(port, port.node, CutAt(ClientHello({"http/1.1"}), at));
  }
  ExpectAt(port, port.reactor, BytesOf(ClientHello({"h2"})));
}

TEST_CASE("a hello in two TLS records goes to a Node thread, whose TLS can put it together") {
  const Port port(/*tls=*/true);
  const std::string message = HelloMessage(AlpnExtension({"h2"}));
  ExpectAt(port, port.node, {InRecords(message, message.size() / 2)});
}

TEST_CASE("what is neither goes to a Node thread, which knows how to refuse it") {
  const Port clear;
  ExpectAt(clear, clear.node, {std::string("\0\1\2\3", 4)});
  ExpectAt(clear, clear.node, {ClientHello({"h2"})});
  const Port tls(/*tls=*/true);
  ExpectAt(tls, tls.node, {std::string(kRequest)});
  ExpectAt(tls, tls.node, {std::string(kPreface)});
}

TEST_CASE("a peer that says nothing, or too little, is closed when its time is up") {
  const Port port(/*tls=*/false, {.timeout_ms = 50});
  const Fd silent = port.Connect();
  const Fd slow = port.Connect();
  Send(slow, "PRI");
  EXPECT(Eventually([&] { return IsClosed(silent) && IsClosed(slow); }));
  EXPECT(port.counted[Counter::kConnectionsTimedOut] == 2);
  EXPECT(port.counted[Counter::kConnectionsPlaced] == 0);
}

TEST_CASE("a peer that leaves before it has said enough is let go and counted") {
  const Port port;
  const int before = OpenDescriptors();
  for (const std::string_view said : {"", "P", "PRI * HTTP/"}) {
    const Fd client = port.Connect();
    if (!said.empty()) Send(client, said);
  }
  EXPECT(Eventually([&] { return port.counted[Counter::kConnectionsAbandoned] == 3; }));
  EXPECT(Eventually([&] { return OpenDescriptors() == before; }));
  EXPECT(port.counted[Counter::kConnectionsPlaced] == 0);
}

TEST_CASE("without anyone to take sessions, or their requests, nothing is waited for") {
  Port port;
  std::vector<std::function<void(bool)>> switches = {
      [&](bool on) { port.reactor->takes_sessions = on; },
      [&](bool on) { port.node->takes_requests = on; },
  };
  for (const auto& set : switches) {
    const Fd before = port.Connect();  // waits, for it says nothing
    Send(before, "PRI");
    ExpectAt(port, port.reactor, {std::string(kPreface)});  // so the listener has seen it
    set(false);
    Listener::NotifyAll();
    const Fd released = port.TakeOne(port.node);
    EXPECT(ReadFrom(released, 3) == "PRI");
    const Fd after = port.Connect();
    const Fd unseen = port.TakeOne(port.node);
    set(true);
    Listener::NotifyAll();
  }
  ExpectAt(port, port.reactor, {std::string(kPreface)});
}

TEST_CASE("a connection that has said little when the last thread goes waits for the next one") {
  Port port;
  const Fd client = port.Connect();
  ExpectAt(port, port.reactor, {std::string(kPreface)});  // so the listener has seen it
  for (size_t said = 0; said < kPreface.size(); said++) {
    port.node->takes_requests = port.node->accepting = false;
    Listener::NotifyAll();
    Send(client, kPreface.substr(said, 1));
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // for the listener to see it
    EXPECT(!IsClosed(client));
    port.node->takes_requests = port.node->accepting = true;
    Listener::NotifyAll();
  }
  const Fd taken = port.TakeOne(port.reactor);
  EXPECT(ReadFrom(taken, kPreface.size()) == kPreface);
  EXPECT(port.counted[Counter::kConnectionsDropped] == 0);
}

TEST_CASE("a port is served by workers that take sessions though no Node thread accepts") {
  Port port;
  port.node->accepting = false;
  Listener::NotifyAll();
  ExpectAt(port, port.reactor, {std::string(kPreface)});
  const Fd client = port.Connect();
  Send(client, kRequest);
  EXPECT(Eventually([&] { return IsClosed(client); }));
  EXPECT(port.counted[Counter::kConnectionsDropped] == 1);
}

TEST_CASE("a listener that closes while connections wait closes them, counted") {
  Port port;
  const int before = OpenDescriptors();
  {
    std::vector<Fd> clients;
    for (int i = 0; i < 20; i++) {
      clients.push_back(port.Connect());
      if (i % 2 == 0) Send(clients.back(), "PRI");
    }
    ExpectAt(port, port.reactor, {std::string(kPreface)});  // those before it have been accepted
    port.listener.reset();
    EXPECT(port.counted[Counter::kConnectionsAbandoned] == 20);
    for (const Fd& client : clients) EXPECT(IsClosed(client));
  }
  EXPECT(port.counted[Counter::kConnectionsPlaced] == 1);
  EXPECT(OpenDescriptors() < before);
}

TEST_CASE("a thousand at once, some of them slow, silent or gone, are all told apart") {
  rlimit limit;
  REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = std::max<rlim_t>(limit.rlim_cur, std::min<rlim_t>(limit.rlim_max, 4096));
  REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  const int before = OpenDescriptors();
  {
    Random random("one port");
    Port port;
    // What each has still to say; those that are silent or leave say less than it takes.
    struct Peer {
      Fd client;
      std::string_view rest;
    };
    constexpr std::string_view kSays[] = {kPreface, kPreface, kRequest, "PRI * HTTP/", "PR"};
    std::vector<Peer> peers;
    for (size_t i = 0; i < 1000; i++) peers.push_back({port.Connect(), kSays[i % 5]});
    for (size_t talking = peers.size(); talking > 0;) {
      Peer& peer = peers[random.Below(1000)];
      if (peer.rest.empty()) continue;
      const size_t size = std::min<size_t>(peer.rest.size(), 1 + random.Below(24));
      Send(peer.client, peer.rest.substr(0, size));
      peer.rest.remove_prefix(size);
      if (peer.rest.empty()) talking--;
    }
    for (size_t i = 3; i < 1000; i += 5) peers[i].client.Close();
    EXPECT(Eventually([&] {
      return port.counted[Counter::kConnectionsPlaced] == 600 &&
             port.counted[Counter::kConnectionsAbandoned] == 200;
    }));
    const auto take = [](const TestWorker& worker, std::string_view said) {
      const std::vector<Connection> connections = worker.Take().connections;
      for (const auto& connection : connections) {
        EXPECT(ReadFrom(Fd(connection.fd), said.size()) == said);
      }
      return connections.size();
    };
    EXPECT(take(port.reactor, kPreface) == 400);
    EXPECT(take(port.node, kRequest) == 200);
    port.listener.reset();
    EXPECT(port.counted[Counter::kConnectionsAbandoned] == 400);
    EXPECT(port.counted[Counter::kConnectionsTimedOut] == 0);
  }
  EXPECT(OpenDescriptors() == before);
}

TEST_CASE("workers that begin and cease to take sessions while connections come lose none") {
  Port port;
  const Clock::time_point end = Clock::now() + StressTime();
  std::atomic<bool> done{false};
  std::atomic<uint64_t> sent{0};
  std::atomic<uint64_t> taken{0};
  const auto take = [&](const TestWorker& worker) {
    for (const auto& connection : worker.Take().connections) {
      CHECK(close(connection.fd) == 0);
      taken.fetch_add(1);
    }
  };
  RunTogether({
      [&] {
        while (Clock::now() < end) {
          const Fd client = port.Connect();
          // Whoever took it may have closed it already.
          (void)!send(client.get(), kPreface.data(), 7, MSG_NOSIGNAL);
          (void)!send(client.get(), kPreface.data() + 7, 17, MSG_NOSIGNAL);
          sent.fetch_add(1);
        }
        done.store(true);
      },
      [&] {
        while (!done.load()) {
          port.reactor->takes_sessions.store(!port.reactor->takes_sessions.load());
          Listener::NotifyAll();
          take(port.reactor);
          take(port.node);
        }
      },
  });
  EXPECT(Eventually([&] {
    take(port.reactor);
    take(port.node);
    return taken.load() + port.counted[Counter::kConnectionsAbandoned] == sent.load();
  }));
  EXPECT(taken.load() > 0);
  EXPECT(port.counted[Counter::kConnectionsDropped] == 0);
}

}  // namespace holdfast::test
