// One live stream in one cache line.
//
// Memory is type-stable: a line belongs to its place in the uid space for the life of the process,
// is never unmapped, and holds one stream after the other. Nobody keeps a pointer's meaning; who
// reads a line says which uid it expects and is told whether that one was there.
//
// The state word:  tag (generation and stream id) | live bit | closing bit | gap bit | bytes queued
// One compare-and-swap on it finds the stream, proves that it lives and reserves budget, so a
// reservation can never fall on the line's next tenant. The other fields are read between two looks
// at the state word: if both show the same live tag, what was read belongs to that stream. Field
// loads acquire and field stores release, so that a reader who sees a later tenant's field also
// sees that the state has changed.
//
// Threads: state: any. Other fields: written by the owner, read by any; autonomous_index by whoever
// holds the registry's lock for writing.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/cache_line.h"
#include "base/check.h"
#include "base/status.h"
#include "core/stream_facts.h"

namespace holdfast {

// A line as it was read, not yet taken apart: a look-up that is followed by another need not wait
// for this one's memory to do more than eight moves.
struct StreamImage {
  StreamUid uid;
  uint64_t words[8];

  StreamFacts Decode() const;
};

// What a release found.
struct Released {
  bool found = false;   // false: the stream was gone, and its count with it
  bool gap = false;     // all that waited is gone, and a gap is to be told before all that comes
  uint64_t queued = 0;  // what still waits
};

// What a withdrawal found.
struct Withdrawn {
  bool found = false;   // as of a release
  bool untold = false;  // a gap is to be told and nothing waits: the caller has the owner TakeGap
};

class alignas(kCacheLine) StreamLine {
 public:
  static constexpr uint32_t kLiveShift = 64 - kGenerationBits - kStreamBits - 1;
  static constexpr uint64_t kClosing = uint64_t{1} << (kLiveShift - 1);
  // A message was refused, and the stream is to be told of the gap before it takes the next: it
  // takes none until all that waits is gone. Where a queue is kept, the newest do not wait for the
  // oldest, and the gap is told behind what waits.
  static constexpr uint64_t kGap = kClosing >> 1;
  // It is closing since the application's thread has ended it, and by mail: what that thread
  // published before is on its way to the owner, and still taken.
  static constexpr uint64_t kStopped = kGap >> 1;
  static constexpr uint64_t kQueuedMask = kStopped - 1;

  static constexpr uint64_t LiveWord(StreamUid uid) {
    const uint64_t tag = static_cast<uint64_t>(uid.generation()) << kStreamBits | uid.stream_id();
    return (tag << 1 | 1) << kLiveShift;
  }

  // Any thread.
  bool Holds(StreamUid uid) const { return Matches(state_.load(std::memory_order_acquire), uid); }
  // The generation and stream id of whoever is live here; false if nobody.
  bool Tag(uint32_t* generation, uint32_t* stream_id) const;
  bool Read(StreamUid uid, StreamImage* out) const;
  bool Read(StreamUid uid, StreamFacts* out) const {
    StreamImage image;
    if (!Read(uid, &image)) return false;
    *out = image.Decode();
    return true;
  }
  // The kind alone; meaningful only if a Reserve of the same uid then succeeds.
  StreamKind kind() const {
    return static_cast<StreamKind>(meta_.load(std::memory_order_acquire) & 0xFF);
  }
  // The same holds for these.
  SlowPolicy policy() const {
    return static_cast<SlowPolicy>(meta_.load(std::memory_order_acquire) >> kPolicyShift & 3);
  }
  bool marks_gaps() const { return (meta_.load(std::memory_order_acquire) & kMarksGaps) != 0; }
  // The owner's index of the stream; the owner asks, who knows that the stream is live.
  uint32_t handle() const {
    return static_cast<uint32_t>(meta_.load(std::memory_order_acquire) >> 32);
  }

  // What a reservation is not hindered by: a gap, as the mark of it; that its stream was stopped,
  // as what was said before.
  enum class Despite : uint8_t { kNothing, kGap, kStop };
  // kOk, kGone (also when it is closing) or kFull. `bytes` are counted until Release, or until the
  // stream is retired.
  Status Reserve(StreamUid uid, uint64_t bytes, uint64_t budget,
                 Despite despite = Despite::kNothing);
  // Owner only: where it says that a gap is to be told, the caller tells of it. `keeps_gap`: the
  // stream takes nothing else until EndGap.
  Released Release(StreamUid uid, uint64_t bytes, bool keeps_gap = false);
  // Any thread: what was reserved is not sent after all.
  Withdrawn Withdraw(StreamUid uid, uint64_t bytes);
  // Any thread: a message was refused. True when the caller is to see that the owner does TakeGap:
  // not when a release will tell of the gap, or somebody else has marked it.
  bool MarkGap(StreamUid uid);
  // Owner only: whether a gap is to be told; from here on the stream takes messages again,
  // unless `keeps_gap`.
  bool TakeGap(StreamUid uid, bool keeps_gap = false);
  // Whether it is live and not closing, and no gap is to be told already.
  bool TakesMark(StreamUid uid) const {
    const uint64_t word = state_.load(std::memory_order_acquire);
    return Matches(word, uid) && (word & (kClosing | kGap)) == 0;
  }
  // Owner only: the mark of a gap is there.
  void EndGap(StreamUid uid);
  // True for the one who made it so; false when it is closing already, or gone.
  bool StartClosing(StreamUid uid);
  // Any thread: as kStopped says, with the same answer.
  bool StopTaking(StreamUid uid);

  // Owner only.
  void Publish(const StreamFacts& facts);
  // The bytes that were still queued.
  uint64_t Retire() { return state_.exchange(0, std::memory_order_acq_rel) & kQueuedMask; }
  void Touch(uint64_t now_ms) { last_active_ms_.store(now_ms, std::memory_order_release); }
  void MarkDetached(uint64_t now_ms);
  void MarkClosing(uint64_t now_ms);  // or whoever keeps it from ending meanwhile
  // It has been a member of a topic; only such a stream has any to leave when it goes.
  void MarkSubscribed();
  void SetSlow(bool slow);
  bool gap_marked() const { return (state_.load(std::memory_order_relaxed) & kGap) != 0; }
  bool slow() const { return (meta_.load(std::memory_order_relaxed) & kSlow) != 0; }
  bool subscribed() const { return (meta_.load(std::memory_order_relaxed) & kSubscribed) != 0; }
  bool detached() const { return meta_.load(std::memory_order_relaxed) & kDetached; }
  uint64_t queued_bytes() const { return state_.load(std::memory_order_relaxed) & kQueuedMask; }
  uint64_t last_active_ms() const { return last_active_ms_.load(std::memory_order_relaxed); }
  // Whether MarkClosing was called: the owner is closing it, and nobody has to tell it any more.
  bool owner_closes() const { return (meta_.load(std::memory_order_relaxed) & kOwnerCloses) != 0; }
  // The primary esocket_uuid of its socket; the same holds.
  uint32_t socket() const {
    return static_cast<uint32_t>(place_.load(std::memory_order_acquire) >> 32);
  }
  uint32_t tag_block() const {
    return static_cast<uint32_t>(place_.load(std::memory_order_acquire));
  }

  // Under the registry's lock, held for writing.
  uint32_t autonomous_index() const { return autonomous_index_.load(std::memory_order_relaxed); }
  void set_autonomous_index(uint32_t index) {
    autonomous_index_.store(index, std::memory_order_relaxed);
  }

 private:
  friend StreamImage;

  static constexpr uint64_t kDetached = 1 << 8;
  static constexpr uint64_t kSubscribed = 1 << 9;
  static constexpr uint64_t kMarksGaps = 1 << 10;
  static constexpr uint32_t kPolicyShift = 11;
  static constexpr uint64_t kSlow = 1 << 13;
  static constexpr uint64_t kOwnerCloses = 1 << 14;

  static bool Matches(uint64_t state, StreamUid uid) {
    return (state & ~(kQueuedMask | kStopped | kGap | kClosing)) == LiveWord(uid);
  }

  std::atomic<uint64_t> state_;  // 0 in fresh memory: nobody
  std::atomic<uint64_t> meta_;   // handle:32 | port:16 | flags:8 | kind:8
  std::atomic<uint64_t> address_[2];
  std::atomic<uint64_t> created_ms_;
  std::atomic<uint64_t> last_active_ms_;
  std::atomic<uint64_t> place_;              // socket:32 | tag_block:32
  std::atomic<uint32_t> detached_after_ms_;  // since creation, saturating
  std::atomic<uint32_t> autonomous_index_;
};

// Here, as a look-up is little more than these.

inline bool StreamLine::Tag(uint32_t* generation, uint32_t* stream_id) const {
  const uint64_t word = state_.load(std::memory_order_acquire) >> kLiveShift;
  if ((word & 1) == 0) return false;
  *generation = static_cast<uint32_t>(word >> (1 + kStreamBits));
  *stream_id = static_cast<uint32_t>(word >> 1) & kMaxStreamId;
  return true;
}

inline bool StreamLine::Read(StreamUid uid, StreamImage* out) const {
  const uint64_t before = state_.load(std::memory_order_acquire);
  if (!Matches(before, uid)) return false;
  out->uid = uid;
  out->words[0] = before;
  out->words[1] = meta_.load(std::memory_order_acquire);
  out->words[2] = address_[0].load(std::memory_order_acquire);
  out->words[3] = address_[1].load(std::memory_order_acquire);
  out->words[4] = created_ms_.load(std::memory_order_acquire);
  out->words[5] = last_active_ms_.load(std::memory_order_acquire);
  out->words[6] = place_.load(std::memory_order_acquire);
  out->words[7] = detached_after_ms_.load(std::memory_order_acquire);
  return Matches(state_.load(std::memory_order_relaxed), uid);
}

static_assert(sizeof(StreamLine) == kCacheLine);
static_assert(std::atomic<uint64_t>::is_always_lock_free);

}  // namespace holdfast
