// Readiness of one event loop: wake-ups from other threads, one repeating timer, sockets watched
// for the peer's hang-up, sockets watched for input, sockets watched both ways. epoll_poller.cc or
// kqueue_poller.cc implements it; the build chooses by platform.
//
// Threads: Wake: any; everything else: the owner loop.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/status.h"
#include "base/waker.h"

namespace holdfast {

struct PollEvent {
  enum class Kind : uint8_t {
    kWakeup,
    kTimer,
    kHangup,  // the peer closed its side, or the connection broke. Unread input may lie before it.
    kReadable,  // input, or a connection to accept
    kSocket,    // what a session waits for: see `readable` and `writable`
  };
  Kind kind;
  uint64_t token;  // of a socket: what it was watched under
  // Of kReadable and kSocket: the peer closed its side, or the connection broke. No more comes than
  // is there.
  bool ended = false;
  // Of kSocket. Both when the connection broke: the next read or write tells.
  bool readable = false;
  bool writable = false;
};

class Poller final : public Waker {
 public:
  // nullptr when the system refuses; errno tells.
  static std::unique_ptr<Poller> Create();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // Readable when Poll has something to tell, so that one loop can sleep on another.
  int fd() const { return fd_; }

  void Wake() override;
  void WakeIn(uint64_t delay_ms) override;
  // 0 stops it.
  [[nodiscard]] Status SetTimer(uint64_t interval_ms);

  // Edge-triggered: a hang-up is told once. Tokens below 2^62. A closed descriptor forgets
  // itself.
  [[nodiscard]] Status WatchHangup(int fd, uint64_t token);
  // Level-triggered.
  [[nodiscard]] Status WatchReadable(int fd, uint64_t token);
  // Edge-triggered, kReadable as well: told once each time that more has come, or the end.
  [[nodiscard]] Status WatchInput(int fd, uint64_t token);
  // Edge-triggered, both ways: who is told goes on until the system has no more.
  [[nodiscard]] Status WatchSocket(int fd, uint64_t token);
  // One that is watched, and open.
  [[nodiscard]] Status Forget(int fd);

  // Waits up to `timeout_ms` (-1: for ever), fills `events`, returns how many, -1 on failure.
  int Wait(std::span<PollEvent> events, int timeout_ms);

 private:
  Poller() = default;

  int fd_ = -1;
  [[maybe_unused]] int wake_fd_ = -1;   // epoll: an eventfd
  [[maybe_unused]] int timer_fd_ = -1;  // epoll: a timerfd
  [[maybe_unused]] int alarm_fd_ = -1;  // epoll: another, for WakeIn
};

}  // namespace holdfast
