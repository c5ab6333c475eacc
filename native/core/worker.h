// One event loop that holds streams: its cache, its mailbox, its counters. Which kind of loop it
// is, a Node thread or a thread of ours, the core does not know.
//
// A Worker is never freed: when its thread goes, its number, its pages and their generations wait
// for the next thread that joins.
#pragma once

#include <atomic>
#include <utility>

#include "core/alarms.h"
#include "core/counters.h"
#include "core/held_back.h"
#include "core/mailbox.h"
#include "core/options.h"
#include "core/request_places.h"
#include "core/slow_streams.h"
#include "core/topic_members.h"
#include "core/worker_cache.h"

namespace holdfast {

// What runs the loop.
enum class WorkerKind : uint8_t { kNodeThread = 0, kReactor = 1 };

// Whether mail of a thread to itself is on its way. What it says next to its own streams goes
// behind that, by mail as well.
struct OwnMail {
  bool posted = false;
  bool taken = false;  // and not all is delivered

  bool waits() const { return posted || taken; }
  void Take() { taken |= std::exchange(posted, false); }
};

struct Worker {
  Worker(Registry& registry, uint32_t number)
      : id(number), cache(number), held_back(registry, *this) {}

  const uint32_t id;
  RequestPlaces requests;  // a reactor's
  WorkerCache cache;
  TopicMembers topic_members;
  HeldBack held_back;
  SlowStreams slow_streams;
  Alarms alarms;
  Mailbox mailbox;
  Counters counters;

  // Its own thread's only.
  OwnMail own_mail;
  int64_t untold_queued_bytes = 0;  // of the process's queued bytes, what it has not told yet

  // Written before the worker is published, read by its own thread.
  Options options;

  // Of the thread that joined under this number last, and how many did. Written by it before it is
  // listed as live, release; read by any, acquire.
  WorkerKind kind() const { return kind_.load(std::memory_order_acquire); }
  uint32_t incarnation() const { return incarnation_.load(std::memory_order_acquire); }
  void Begin(WorkerKind kind) {
    own_mail = {};
    kind_.store(kind, std::memory_order_release);
    incarnation_.fetch_add(1, std::memory_order_release);
  }

  // What a new connection is weighed by: connections placed and not yet closed, and every stream
  // beyond the first of its socket. Added to by the listener, taken from by the owner; relaxed, as
  // nothing else is inferred from it.
  std::atomic<int64_t> load{0};
  std::atomic<int64_t> connections{0};    // of the load; same rules
  std::atomic<uint64_t> live_streams{0};  // written by the owner, relaxed
  // Written by the owner, read by the listener, acquire/release. All false while dead.
  std::atomic<bool> accepting{false};       // a Node thread whose server reads connections
  std::atomic<bool> takes_sessions{false};  // it speaks HTTP/2 on connections itself
  std::atomic<bool> takes_requests{false};  // a Node thread that answers those workers' requests
  std::atomic<bool> alive{false};

  // The owner. One that was placed here is closed, or placed anew.
  void ForgetConnection() {
    load.fetch_sub(1, std::memory_order_relaxed);
    connections.fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  std::atomic<WorkerKind> kind_{WorkerKind::kNodeThread};
  std::atomic<uint32_t> incarnation_{0};
};

}  // namespace holdfast
