#include "reactor/poller.h"

#include <poll.h>

#include <array>

#include "support/doctest.h"
#include "support/sockets.h"
#include "support/threads.h"

namespace holdfast::test {
namespace {

using Kind = PollEvent::Kind;

// What is ready at once, or within `timeout_ms`.
std::vector<PollEvent> Wait(Poller& poller, int timeout_ms = 0) {
  std::array<PollEvent, 16> events;
  const int count = poller.Wait(events, timeout_ms);
  REQUIRE(count >= 0);
  return {events.begin(), events.begin() + count};
}

// The first events within ten seconds.
std::vector<PollEvent> WaitForSome(Poller& poller) { return Wait(poller, 10'000); }

std::unique_ptr<Poller> MakePoller() {
  std::unique_ptr<Poller> poller = Poller::Create();
  REQUIRE(poller != nullptr);
  return poller;
}

}  // namespace

TEST_CASE("a wake-up is told once however many there were, and the next one is told again") {
  const auto poller = MakePoller();
  EXPECT(Wait(*poller).empty());
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < 3; i++) poller->Wake();
    const auto events = WaitForSome(*poller);
    REQUIRE(events.size() == 1);
    EXPECT(events[0].kind == Kind::kWakeup);
    EXPECT(Wait(*poller).empty());
  }
}

TEST_CASE("a wake-up from another thread ends a wait") {
  const auto poller = MakePoller();
  std::vector<PollEvent> events;
  RunTogether({[&] { events = WaitForSome(*poller); }, [&] { poller->Wake(); }});
  REQUIRE(events.size() == 1);
  EXPECT(events[0].kind == Kind::kWakeup);
}

TEST_CASE("the poller's own descriptor is readable while there is something to tell") {
  const auto poller = MakePoller();
  pollfd outer{poller->fd(), POLLIN, 0};
  EXPECT(poll(&outer, 1, 0) == 0);
  poller->Wake();
  EXPECT(poll(&outer, 1, 10'000) == 1);
  WaitForSome(*poller);
  EXPECT(poll(&outer, 1, 0) == 0);
}

TEST_CASE("the timer repeats until it is stopped") {
  const auto poller = MakePoller();
  REQUIRE(IsOk(poller->SetTimer(5)));
  for (int i = 0; i < 3; i++) {
    const auto events = WaitForSome(*poller);
    REQUIRE(events.size() == 1);
    EXPECT(events[0].kind == Kind::kTimer);
  }
  REQUIRE(IsOk(poller->SetTimer(0)));
  EXPECT(Wait(*poller, 50).empty());
  REQUIRE(IsOk(poller->SetTimer(0)));
}

TEST_CASE("a wake-up at a time comes once, at the time it was last told, and not before") {
  const auto poller = MakePoller();
  const auto begin = Clock::now();
  poller->WakeIn(3'600'000);
  poller->WakeIn(20);
  const auto events = WaitForSome(*poller);
  REQUIRE(events.size() == 1);
  EXPECT(events[0].kind == Kind::kWakeup);
  EXPECT(Clock::now() - begin >= std::chrono::milliseconds(20));
  EXPECT(Wait(*poller, 50).empty());
  poller->WakeIn(0);
  EXPECT(WaitForSome(*poller).size() == 1);
}

// Told by level, a half-closed peer keeps the loop spinning for as long as it stays.
TEST_CASE("a peer that half-closes and stays is told once, with its input before it") {
  const auto poller = MakePoller();
  const SocketPair connection = MakeConnection();
  REQUIRE(IsOk(poller->WatchHangup(connection.server.get(), 42)));
  REQUIRE(write(connection.client.get(), "unread", 6) == 6);
  REQUIRE(Eventually([&] { return UnreadBytes(connection.server.get()) == 6; }));
  EXPECT(Wait(*poller).empty());  // input is no hang-up
  REQUIRE(shutdown(connection.client.get(), SHUT_WR) == 0);
  const auto events = WaitForSome(*poller);
  REQUIRE(events.size() == 1);
  EXPECT(events[0].kind == Kind::kHangup);
  EXPECT(events[0].token == 42);
  EXPECT(UnreadBytes(connection.server.get()) == 6);
  for (int i = 0; i < 5; i++) EXPECT(Wait(*poller, 5).empty());
}

TEST_CASE("a peer that resets is told as a hang-up") {
  const auto poller = MakePoller();
  SocketPair connection = MakeConnection();
  const uint64_t token = (uint64_t{1} << 62) - 1;
  REQUIRE(IsOk(poller->WatchHangup(connection.server.get(), token)));
  const linger reset{1, 0};
  REQUIRE(setsockopt(connection.client.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0);
  connection.client.Close();
  const auto events = WaitForSome(*poller);
  REQUIRE(events.size() == 1);
  EXPECT(events[0].kind == Kind::kHangup);
  EXPECT(events[0].token == token);
}

TEST_CASE("a socket that was forgotten or closed is not heard of again") {
  const auto poller = MakePoller();
  SocketPair forgotten = MakeConnection();
  SocketPair closed = MakeConnection();
  REQUIRE(IsOk(poller->WatchHangup(forgotten.server.get(), 1)));
  REQUIRE(IsOk(poller->WatchHangup(closed.server.get(), 2)));
  REQUIRE(IsOk(poller->Forget(forgotten.server.get())));
  EXPECT(!IsOk(poller->Forget(forgotten.server.get())));
  closed.server.Close();
  forgotten.client.Close();
  closed.client.Close();
  REQUIRE(Eventually([&] {
    char byte;
    return recv(forgotten.server.get(), &byte, 1, MSG_PEEK) == 0;  // the hang-up has arrived
  }));
  EXPECT(Wait(*poller).empty());
}

TEST_CASE("input is told for as long as it is there, then not until there is more") {
  const auto poller = MakePoller();
  const SocketPair connection = MakeConnection();
  REQUIRE(IsOk(poller->WatchReadable(connection.server.get(), 7)));
  EXPECT(Wait(*poller).empty());
  REQUIRE(write(connection.client.get(), "x", 1) == 1);
  for (int i = 0; i < 3; i++) {
    const auto events = WaitForSome(*poller);
    REQUIRE(events.size() == 1);
    EXPECT(events[0].kind == Kind::kReadable);
    EXPECT(events[0].token == 7);
  }
  char byte;
  REQUIRE(read(connection.server.get(), &byte, 1) == 1);
  EXPECT(Wait(*poller).empty());
  REQUIRE(IsOk(poller->Forget(connection.server.get())));
}

TEST_CASE("input watched by its edge is told once each time that more has come, and at the end") {
  const auto poller = MakePoller();
  SocketPair connection = MakeConnection();
  REQUIRE(IsOk(poller->WatchInput(connection.server.get(), 7)));
  EXPECT(Wait(*poller).empty());
  for (int i = 0; i < 3; i++) {
    REQUIRE(write(connection.client.get(), "x", 1) == 1);
    const auto events = WaitForSome(*poller);
    REQUIRE(events.size() == 1);
    EXPECT(events[0].kind == Kind::kReadable);
    EXPECT(events[0].token == 7);
    EXPECT(!events[0].ended);
    EXPECT(Wait(*poller, 5).empty());  // though nothing was read
  }
  REQUIRE(shutdown(connection.client.get(), SHUT_WR) == 0);
  const auto events = WaitForSome(*poller);
  REQUIRE(events.size() == 1);
  EXPECT(events[0].kind == Kind::kReadable);
  EXPECT(events[0].ended);
  EXPECT(UnreadBytes(connection.server.get()) == 3);
  EXPECT(Wait(*poller, 5).empty());
  REQUIRE(IsOk(poller->Forget(connection.server.get())));
  connection.client.Close();
  EXPECT(Wait(*poller, 5).empty());
}

TEST_CASE("a poller that goes takes its descriptors with it") {
  const int before = OpenDescriptors();
  for (int i = 0; i < 3; i++) MakePoller();
  EXPECT(OpenDescriptors() == before);
}

TEST_CASE("a socket watched both ways is told once that it can be written, then what comes") {
  const auto poller = Poller::Create();
  REQUIRE(poller != nullptr);
  SocketPair connection = MakeConnection();
  constexpr uint64_t kToken = (uint64_t{1} << 62) - 2;
  REQUIRE(IsOk(poller->WatchSocket(connection.server.get(), kToken)));
  auto events = WaitForSome(*poller);
  REQUIRE(!events.empty());
  EXPECT(events[0].kind == Kind::kSocket);
  EXPECT(events[0].token == kToken);
  EXPECT(events[0].writable);
  EXPECT(!events[0].readable);
  EXPECT(Wait(*poller).empty());
  REQUIRE(write(connection.client.get(), "x", 1) == 1);
  events = WaitForSome(*poller);
  REQUIRE(!events.empty());
  EXPECT(events[0].readable);
  EXPECT(Wait(*poller).empty());
  connection.client.Close();
  events = WaitForSome(*poller);
  REQUIRE(!events.empty());
  EXPECT(events[0].readable);
}

}  // namespace holdfast::test
