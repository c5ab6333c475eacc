// What other threads hand to a worker: chunks of messages, and accepted connections.
//
// Bounded: a sender reserves a chunk's bytes before it takes the first message into it, so a post
// cannot be refused for want of room; control messages are always let in. One wake-up a batch: the
// poster that finds the box unarmed wakes the owner, the others see that somebody has. The owner
// disarms as it takes, under the same lock, so nothing can slip between.
//
// Threads: Open, Take, WakeIn, Close: the owner; everything else: any. mu_ is a leaf: nothing is
// called under it. The waker lives as long as the process, so it may be called after the lock is
// dropped.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "base/mutex.h"
#include "base/waker.h"
#include "core/connection.h"
#include "core/message.h"

namespace holdfast {

class Mailbox {
 public:
  static constexpr uint64_t kLimitBytes = 64 << 20;
  // Of the chunk that publications are joined in, where none waits.
  static constexpr uint32_t kJoiningBytes = 4 << 10;

  struct Batch {
    std::vector<ChunkPtr> chunks;
    std::vector<Connection> connections;  // descriptors owned by whoever holds the batch
  };

  void Open(Waker* waker) EXCLUDES(mu_);

  // False when the bytes would pass the bound.
  bool Reserve(uint64_t bytes, bool control = false);
  // After the chunk has been used up, or was not posted.
  void Unreserve(uint64_t bytes) { reserved_.fetch_sub(bytes, std::memory_order_relaxed); }
  uint64_t reserved() const { return reserved_.load(std::memory_order_relaxed); }

  // False when the owner has gone: the chunk or the connection stays with the caller.
  [[nodiscard]] bool Post(ChunkPtr& chunk) EXCLUDES(mu_);
  // The same for one publication, whose charge was reserved: it joins the chunk that waits last, if
  // that has room.
  [[nodiscard]] bool PostPublication(Publication& publication) EXCLUDES(mu_);
  // The same for one message alone, whatever room there is: `fill(uint8_t*)` writes its bytes.
  template <typename Fill>
  [[nodiscard]] bool PostAlone(StreamUid uid, MessageOp op, uint32_t bytes, Fill fill)
      EXCLUDES(mu_);
  [[nodiscard]] bool PostConnection(Connection& connection) EXCLUDES(mu_);

  // Wakes the owner though nothing was posted, if it is there.
  void Nudge() EXCLUDES(mu_);

  void Take(Batch* out) EXCLUDES(mu_);
  // Wakes the owner once, in so many ms, and no more when it was told before.
  void WakeIn(uint64_t delay_ms) EXCLUDES(mu_);
  // From here on every post is refused. What was waiting is handed out.
  Batch Close() EXCLUDES(mu_);

 private:
  // True if the owner has to be woken.
  bool ArmLocked() REQUIRES(mu_);

  Mutex mu_;
  Batch waiting_ GUARDED_BY(mu_);
  bool armed_ GUARDED_BY(mu_) = false;
  Waker* waker_ GUARDED_BY(mu_) = nullptr;  // nullptr: closed

  // Added to by senders and taken from by the owner; relaxed: it bounds memory, it orders nothing.
  std::atomic<uint64_t> reserved_{0};
};

template <typename Fill>
bool Mailbox::PostAlone(StreamUid uid, MessageOp op, uint32_t bytes, Fill fill) {
  ChunkPtr chunk = Chunk::Make(Chunk::Footprint(bytes));
  fill(chunk->Append(uid, op, bytes));
  const uint64_t charge = chunk->charged_bytes();
  (void)Reserve(charge, /*control=*/true);
  if (Post(chunk)) return true;
  Unreserve(charge);
  return false;
}

}  // namespace holdfast
