// A reactor: a pthread of ours that is a worker like any other, with HTTP/2 sessions of its own.
//
// Threads: Start and the destructor: whoever owns it; the rest runs on the reactor's own thread.
#pragma once

#include <pthread.h>

#include <atomic>
#include <memory>

#include "carrier/native_carrier.h"
#include "core/inbox.h"
#include "h2/session_table.h"
#include "reactor/reactor_table.h"

namespace holdfast {

class ReactorWorker {
 public:
  // nullptr when the system refuses, or no worker number is left.
  static std::unique_ptr<ReactorWorker> Start(Registry& registry, const Nghttp2Api& api,
                                              const H2Limits& limits);
  // Stops the thread and waits for it: its streams end, its connections are closed.
  ~ReactorWorker();
  ReactorWorker(const ReactorWorker&) = delete;
  ReactorWorker& operator=(const ReactorWorker&) = delete;

 private:
  ReactorWorker(Registry& registry, Worker& worker, Reactor& reactor, const Nghttp2Api& api,
                const H2Limits& limits);

  void Run();
  void OnEvent(const PollEvent& event);
  void TakeMail();
  bool Sweep();
  void Leave();

  Registry& registry_;
  Worker& worker_;
  Poller& poller_;
  ReactorStreams streams_;
  NativeCarrier carrier_;
  Inbox inbox_;
  H2Context context_;
  std::unique_ptr<H2SessionTable> sessions_;
  uint64_t sweep_cursor_ = WorkerCache::kScanEnd;
  // Written by the owner before it wakes the thread, release; read by the thread, acquire.
  std::atomic<bool> stop_{false};
  pthread_t thread_{};
};

}  // namespace holdfast
