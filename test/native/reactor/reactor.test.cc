#include "reactor/reactor.h"

#include "support/doctest.h"
#include "support/sockets.h"
#include "support/threads.h"

namespace holdfast::test {
namespace {

struct Heard final : ReactorHandler {
  void OnWakeup() override {
    wakeups++;
    if (leave_at_wakeup) alive = false;
  }
  void OnTimer() override { timers++; }
  void OnHangup(uint64_t token) override { hangups.push_back(token); }
  bool running() const override { return alive; }

  int wakeups = 0;
  int timers = 0;
  std::vector<uint64_t> hangups;
  bool alive = true;
  bool leave_at_wakeup = false;
};

}  // namespace

TEST_CASE("a reactor tells wake-ups, its timer and hang-ups apart") {
  const auto reactor = Reactor::Create();
  REQUIRE(reactor != nullptr);
  Heard heard;
  REQUIRE(IsOk(reactor->Process(heard)));
  EXPECT(heard.wakeups + heard.timers == 0);
  SocketPair connection = MakeConnection();
  REQUIRE(IsOk(reactor->poller().WatchHangup(connection.server.get(), 5)));
  connection.client.Close();
  reactor->poller().Wake();
  REQUIRE(IsOk(reactor->poller().SetTimer(1)));
  EXPECT(Eventually(
      [&] { return IsOk(reactor->Process(heard)) && heard.timers > 0 && !heard.hangups.empty(); }));
  EXPECT(heard.wakeups == 1);
  EXPECT(heard.hangups == std::vector<uint64_t>{5});
}

// The handler may leave while it is told: what was read with the same batch is no longer its own.
TEST_CASE("a handler that leaves during a batch hears nothing more of it") {
  const auto reactor = Reactor::Create();
  REQUIRE(reactor != nullptr);
  SocketPair connection = MakeConnection();
  reactor->poller().Wake();
  REQUIRE(IsOk(reactor->poller().WatchHangup(connection.server.get(), 5)));
  connection.client.Close();
  char byte;
  REQUIRE(Eventually([&] { return recv(connection.server.get(), &byte, 1, MSG_PEEK) == 0; }));
  Heard heard;
  heard.leave_at_wakeup = true;
  REQUIRE(IsOk(reactor->Process(heard)));
  EXPECT(heard.wakeups == 1);
  EXPECT(heard.hangups.empty());
}

}  // namespace holdfast::test
