// A reactor: a worker like any other, with HTTP/2 sessions of its own. Whoever drives it takes its
// turns: a thread of ours (carrier/reactor_thread), or a Node thread's loop
// (loop/embedded_reactor).
//
// Threads: that of its turns, but for Create, which another may call before the first.
#pragma once

#include <memory>

#include "carrier/native_carrier.h"
#include "core/inbox.h"
#include "h2/session_table.h"
#include "reactor/reactor_table.h"

namespace holdfast {

class ReactorWorker {
 public:
  // nullptr when the system refuses, or no worker number is left. `home`: the Node thread that is
  // to get its requests, as long as it takes any.
  static std::unique_ptr<ReactorWorker> Create(Registry& registry, const Nghttp2Api& api,
                                               const H2Limits& limits, Worker* home = nullptr,
                                               uint64_t mark_wait_ms = kMarkWaitMs);
  ~ReactorWorker();  // it has left
  ReactorWorker(const ReactorWorker&) = delete;
  ReactorWorker& operator=(const ReactorWorker&) = delete;

  // From here connections are placed with it.
  void TakeSessions();
  // Waits at most so long (-1: for ever) for something to do, and does it. For how long the next
  // turn may wait.
  int Turn(int timeout_ms);
  // Its streams end, its connections are closed. Once, and nothing else behind it.
  void Leave();

  // What is ready for a turn: its descriptor is readable then, and Wake makes it so.
  Poller& poller() { return poller_; }

 private:
  ReactorWorker(Registry& registry, Worker& worker, Worker* home, Reactor& reactor,
                const Nghttp2Api& api, const H2Limits& limits, uint64_t mark_wait_ms);

  void OnEvent(const PollEvent& event);
  void TakeMail();
  void Return(Connection connection);
  bool SweepATurn();

  Registry& registry_;
  Worker& worker_;
  Poller& poller_;
  ReactorStreams streams_;
  NativeCarrier carrier_;
  Inbox inbox_;
  Sweep sweep_;
  H2Context context_;
  std::unique_ptr<H2SessionTable> sessions_;
};

}  // namespace holdfast
