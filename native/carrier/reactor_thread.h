// A reactor on a pthread of its own.
//
// Threads: Start and the destructor: whoever owns it.
#pragma once

#include <pthread.h>

#include <atomic>
#include <memory>

#include "carrier/reactor_worker.h"

namespace holdfast {

class ReactorThread {
 public:
  // nullptr when the system refuses, or no worker number is left.
  static std::unique_ptr<ReactorThread> Start(Registry& registry, const Nghttp2Api& api,
                                              const H2Limits& limits,
                                              uint64_t mark_wait_ms = kMarkWaitMs);
  // Stops the thread and waits for it.
  ~ReactorThread();
  // Stops it where it stands, as the process exits, and waits for it: its streams do not end.
  void Halt();
  ReactorThread(const ReactorThread&) = delete;
  ReactorThread& operator=(const ReactorThread&) = delete;

 private:
  explicit ReactorThread(std::unique_ptr<ReactorWorker> reactor) : reactor_(std::move(reactor)) {}

  void Run();
  void Stop();

  // The thread's own while it runs.
  std::unique_ptr<ReactorWorker> reactor_;
  // Written by the owner before it wakes the thread, release; read by the thread, acquire.
  std::atomic<bool> stop_{false};
  std::atomic<bool> halted_{false};  // likewise
  pthread_t thread_{};
  bool started_ = false;
};

}  // namespace holdfast
