// A thread that accepts connections on one port and places each on the least loaded worker.
//
// While somebody takes sessions, each connection waits until its first bytes have told whether it
// speaks HTTP/2 (listener/first_look.h); else all go to Node threads unseen. While nobody takes
// any, it does not look at the port: connections wait in the backlog.
//
// Threads: Open, port: any; Start and Stop: the owner; the rest runs on the listener's own thread.
#pragma once

#include <pthread.h>

#include <atomic>
#include <memory>

#include "core/registry.h"
#include "listener/first_look.h"
#include "listener/socket.h"
#include "reactor/poller.h"

namespace holdfast {

class Listener {
 public:
  // `tls`: the port's, nullptr if it is one for clear text. nullptr when the system refuses; errno
  // tells.
  static std::unique_ptr<Listener> Open(Registry& registry, const ListenAddress& address,
                                        std::shared_ptr<const PortContext> tls = nullptr,
                                        const FirstLookLimits& limits = {});
  // Stops the thread and waits for it. What is in the backlog is reset by the system; what waits to
  // tell where it goes is closed.
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  uint16_t port() const { return port_; }

  // To be called when a worker began or ceased to accept, or to take sessions or their requests.
  // Threads: any.
  static void NotifyAll();

 private:
  // How long to leave the port alone when the process has no descriptor left for a connection.
  static constexpr int kPauseMs = 100;

  Listener(Registry& registry, int fd, std::unique_ptr<Poller> poller,
           std::shared_ptr<const PortContext> tls, const FirstLookLimits& limits);

  void Run();
  // How long the next wait may be at most, -1: for ever. Puts what it waits for into force.
  int Prepare(bool paused);
  // False when the system has no descriptor or memory for a further connection.
  bool AcceptSome();
  bool SetWatching(bool watching);

  Registry& registry_;
  const int fd_;
  const uint16_t port_;
  const std::unique_ptr<Poller> poller_;
  const std::shared_ptr<const PortContext> tls_;
  FirstLook first_look_;
  bool watching_ = false;  // the listener's thread only
  // Written by the owner before it wakes the thread, release; read by the thread, acquire.
  std::atomic<bool> stop_{false};
  pthread_t thread_{};
};

}  // namespace holdfast
