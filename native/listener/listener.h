// A thread that accepts connections on one port and places each on the least loaded worker.
//
// While no worker accepts, it does not look at the port: connections wait in the backlog.
//
// Threads: Open, port: any; Start and Stop: the owner; the rest runs on the listener's own thread.
#pragma once

#include <pthread.h>

#include <atomic>
#include <memory>

#include "core/registry.h"
#include "listener/socket.h"
#include "reactor/poller.h"

namespace holdfast {

class Listener {
 public:
  // nullptr when the system refuses; errno tells.
  static std::unique_ptr<Listener> Open(Registry& registry, const ListenAddress& address);
  // Stops the thread and waits for it. What is in the backlog is reset by the system.
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  uint16_t port() const { return port_; }

  // To be called when a worker began or ceased to accept. Threads: any.
  static void NotifyAll();

 private:
  // How long to leave the port alone when the process has no descriptor left for a connection.
  static constexpr int kPauseMs = 100;

  Listener(Registry& registry, int fd, std::unique_ptr<Poller> poller);

  void Run();
  // False when the system has no descriptor or memory for a further connection.
  bool SomebodyTakes();
  bool AcceptSome();
  void SetWatching(bool watching);

  Registry& registry_;
  const int fd_;
  const uint16_t port_;
  const std::unique_ptr<Poller> poller_;
  bool watching_ = false;  // the listener's thread only
  // Written by the owner before it wakes the thread, release; read by the thread, acquire.
  std::atomic<bool> stop_{false};
  pthread_t thread_{};
};

}  // namespace holdfast
