// Connections whose first bytes have not told yet where they go. They are looked at without being
// consumed: whoever gets the connection reads it from its first byte.
//
// It owns the descriptors; each leaves by being placed, or closed and counted. While nobody takes
// connections, as between a thread and its successor, they stay. Those that say too little, or find
// nobody, are closed when their time is up.
//
// Threads: the listener's own. The destructor: once that thread has ended.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>

#include "core/registry.h"
#include "listener/first_bytes.h"
#include "reactor/poller.h"

namespace holdfast {

struct FirstLookLimits {
  uint64_t timeout_ms = 10'000;
  size_t most_waiting = 10'000;  // beyond it the oldest is taken for something else than HTTP/2
};

class FirstLook {
 public:
  // `tls`: the port's, with its connections to be read as TLS; nullptr: as clear text.
  FirstLook(Registry& registry, Poller& poller, std::shared_ptr<const PortContext> tls,
            const FirstLookLimits& limits)
      : registry_(registry), poller_(poller), tls_(std::move(tls)), limits_(limits) {}
  ~FirstLook();
  FirstLook(const FirstLook&) = delete;
  FirstLook& operator=(const FirstLook&) = delete;

  // Takes a connection that has just been accepted.
  void Begin(int fd, uint64_t now_ms);
  // A kReadable event of a token other than kNoToken. One of a connection that has left is ignored.
  void OnInput(const PollEvent& event);
  // Closes those whose time is up. In how many milliseconds the next one's is; -1: none waits.
  int Expire(uint64_t now_ms);
  // Gives all that wait to Node threads: nobody takes sessions.
  void GiveUp();
  // Looks at all anew if there was input while nobody took anything. Somebody does now.
  void LookAgain();

  // Never one of its own: for the port itself.
  static constexpr uint64_t kNoToken = 0;

 private:
  enum class Sight : uint8_t { kUndecided, kHttp2, kOther, kGone };
  struct Waiting {
    int fd;
    uint64_t until_ms;
  };
  // By token. Tokens only rise and all have the same time, so the first is the oldest and the next
  // to expire.
  using Queue = std::map<uint64_t, Waiting>;

  Sight Look(int fd, bool ended);
  void Settle(int fd, Sight sight);
  // Takes it out of the queue and from the poller.
  int Remove(Queue::iterator waiting);
  void Close(int fd, Counter why);

  Registry& registry_;
  Poller& poller_;
  const std::shared_ptr<const PortContext> tls_;
  const FirstLookLimits limits_;
  Queue waiting_;
  uint64_t last_token_ = kNoToken;
  bool passed_over_ = false;  // there was input, and nobody to take its connection
  std::array<uint8_t, kMostClientHello> bytes_;
};

}  // namespace holdfast
