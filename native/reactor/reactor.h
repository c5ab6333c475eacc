// The loop-bound half of a worker: turns readiness into calls on its own thread.
//
// Threads: owner loop, but for waker(). Lives as long as its worker's number, so a late wake-up
// from another thread is harmless; the next thread under that number takes it over.
#pragma once

#include <memory>
#include <utility>

#include "reactor/poller.h"

namespace holdfast {

class ReactorHandler {
 public:
  virtual void OnWakeup() = 0;
  virtual void OnTimer() = 0;
  virtual void OnHangup(uint64_t token) = 0;
  // Whether Process goes on with the events it has: false once the worker left.
  virtual bool running() const = 0;

 protected:
  ~ReactorHandler() = default;
};

class Reactor {
 public:
  static std::unique_ptr<Reactor> Create();

  Poller& poller() { return *poller_; }
  int fd() const { return poller_->fd(); }

  // Tells the handler what is ready now, without waiting.
  [[nodiscard]] Status Process(ReactorHandler& handler);

 private:
  explicit Reactor(std::unique_ptr<Poller> poller) : poller_(std::move(poller)) {}

  std::unique_ptr<Poller> poller_;
};

}  // namespace holdfast
