// What a worker counts. One writer, the worker's own thread; summed by whoever reads.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/cache_line.h"
#include "core/stream_facts.h"

namespace holdfast {

// src/stats.ts names them in the same order; a test compares the two lists. What begins stands
// before what ends: they are read from the last to the first.
enum class Counter : uint32_t {
  kCacheHits,
  kCrossWorkerLookups,
  kCacheMisses,
  kSocketsOpened,
  kSocketsClosed,
  kStreamsDetached,
  kDetachedDestroyed,
  kMessagesSent,           // handed to a stream of the sender's own thread
  kMessagesQueued,         // taken for another worker
  kMessagesFull,           // refused: over the budget or the mailbox's bound
  kMessagesGone,           // refused: no such stream
  kMessagesPublished,      // one a stream that a publish or broadcast is for
  kMessagesDelivered,      // queued ones that reached their stream
  kMessagesUndeliverable,  // queued ones whose stream or worker had gone
  kMessagesDropped,        // of the published ones: the stream or its worker had no room
  kMessagesReplayed,       // one a stream, of what its client had missed
  kReplayGaps,             // clients that came back and had missed more than was there
  kStaticAnswers,          // that no handler was asked for
  kRequestsRefused,        // by a reactor: nobody to answer, or too much waiting there
  kConnectionsPlaced,
  kConnectionsReturned,   // placed on a worker that ceased to accept before it took them
  kConnectionsDropped,    // closed, as no worker was left to take them
  kConnectionsTimedOut,   // closed: their first bytes did not come in time
  kConnectionsAbandoned,  // closed: the peer left before those had come, or the listener did
  kCreated,               // and the two behind it: one a kind
  kDestroyed = kCreated + kStreamKinds,
  kClosed = kDestroyed + kStreamKinds,    // and those behind it: one a close reason
  kOverBudget = kClosed + kCloseReasons,  // and those behind it: messages, one a policy
};

inline constexpr uint32_t kCounters = static_cast<uint32_t>(Counter::kOverBudget) + kSlowPolicies;

constexpr Counter CreatedOf(StreamKind kind) {
  return static_cast<Counter>(static_cast<uint32_t>(Counter::kCreated) +
                              static_cast<uint32_t>(kind));
}
constexpr Counter DestroyedOf(StreamKind kind) {
  return static_cast<Counter>(static_cast<uint32_t>(Counter::kDestroyed) +
                              static_cast<uint32_t>(kind));
}
constexpr Counter ClosedBy(CloseReason reason) {
  return static_cast<Counter>(static_cast<uint32_t>(Counter::kClosed) +
                              static_cast<uint32_t>(reason));
}
constexpr Counter OverBudgetBy(SlowPolicy policy) {
  return static_cast<Counter>(static_cast<uint32_t>(Counter::kOverBudget) +
                              static_cast<uint32_t>(policy));
}

class alignas(kCacheLine) Counters {
 public:
  // The owning thread. A plain load and store: with one writer there is nothing to lose.
  void Add(Counter counter, uint64_t n = 1) {
    std::atomic<uint64_t>& value = values_[static_cast<uint32_t>(counter)];
    value.store(value.load(std::memory_order_relaxed) + n, std::memory_order_release);
  }
  // Any thread: for the one set that has no owner.
  void AddShared(Counter counter, uint64_t n = 1) {
    values_[static_cast<uint32_t>(counter)].fetch_add(n, std::memory_order_release);
  }
  uint64_t Get(Counter counter) const {
    return values_[static_cast<uint32_t>(counter)].load(std::memory_order_acquire);
  }

 private:
  // Release and acquire, so that a reader who takes "destroyed" before "created" never sees more
  // streams destroyed than created.
  std::array<std::atomic<uint64_t>, kCounters> values_{};
};

}  // namespace holdfast
