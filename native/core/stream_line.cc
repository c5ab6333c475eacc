#include "core/stream_line.h"

#include <algorithm>

namespace holdfast {

StreamFacts StreamImage::Decode() const {
  const uint64_t meta = words[1];
  StreamFacts facts;
  facts.uid = uid;
  facts.kind = static_cast<StreamKind>(meta & 0xFF);
  facts.detached = (meta & StreamLine::kDetached) != 0;
  facts.closing = (words[0] & StreamLine::kClosing) != 0;
  facts.handle = static_cast<uint32_t>(meta >> 32);
  facts.peer.words = {words[2], words[3]};
  facts.peer.port = static_cast<uint16_t>(meta >> 16);
  facts.created_ms = words[4];
  facts.last_active_ms = words[5];
  facts.socket = static_cast<uint32_t>(words[6] >> 32);
  facts.tag_block = static_cast<uint32_t>(words[6]);
  facts.detached_ms = facts.detached ? facts.created_ms + words[7] : 0;
  facts.queued_bytes = words[0] & StreamLine::kQueuedMask;
  return facts;
}

Status StreamLine::Reserve(StreamUid uid, uint64_t bytes, uint64_t budget, Despite despite) {
  uint64_t word = state_.load(std::memory_order_acquire);
  for (;;) {
    if (!Matches(word, uid)) return Status::kGone;
    const bool comes_before = despite == Despite::kStop && (word & kStopped) != 0;
    if ((word & kClosing) != 0 && !comes_before) return Status::kGone;
    if ((word & kGap) != 0 && despite != Despite::kGap && !KeepsQueue(policy())) {
      return Status::kFull;
    }
    if ((word & kQueuedMask) + bytes > budget) return Status::kFull;
    // Acquire, no release: nothing is published by a reservation; the message travels under a lock.
    if (state_.compare_exchange_weak(word, word + bytes, std::memory_order_acquire)) {
      return Status::kOk;
    }
  }
}

Released StreamLine::Release(StreamUid uid, uint64_t bytes, bool keeps_gap) {
  uint64_t word = state_.load(std::memory_order_relaxed);
  uint64_t next;
  do {
    if (!Matches(word, uid)) return {};  // retired meanwhile, and its count with it
    CHECK((word & kQueuedMask) >= bytes);
    next = word - bytes;
    if ((next & kQueuedMask) == 0 && !keeps_gap) next &= ~kGap;
  } while (!state_.compare_exchange_weak(word, next, std::memory_order_relaxed));
  const uint64_t queued = next & kQueuedMask;
  return {true, (word & kGap) != 0 && queued == 0, queued};
}

Withdrawn StreamLine::Withdraw(StreamUid uid, uint64_t bytes) {
  uint64_t word = state_.load(std::memory_order_relaxed);
  do {
    if (!Matches(word, uid)) return {};
    CHECK((word & kQueuedMask) >= bytes);
  } while (!state_.compare_exchange_weak(word, word - bytes, std::memory_order_relaxed));
  return {true, (word & kGap) != 0 && (word & kQueuedMask) == bytes};
}

bool StreamLine::MarkGap(StreamUid uid) {
  uint64_t word = state_.load(std::memory_order_acquire);
  do {
    if (!Matches(word, uid) || (word & (kClosing | kGap)) != 0) return false;
  } while (!state_.compare_exchange_weak(word, word | kGap, std::memory_order_acquire));
  return (word & kQueuedMask) == 0 || KeepsQueue(policy());
}

bool StreamLine::TakeGap(StreamUid uid, bool keeps_gap) {
  uint64_t word = state_.load(std::memory_order_relaxed);
  do {
    if (!Matches(word, uid) || (word & kGap) == 0) return false;
    // The release of what waits will tell.
    if ((word & kQueuedMask) != 0 && !KeepsQueue(policy())) return false;
    if (keeps_gap) return true;
  } while (!state_.compare_exchange_weak(word, word & ~kGap, std::memory_order_relaxed));
  return true;
}

void StreamLine::EndGap(StreamUid uid) {
  uint64_t word = state_.load(std::memory_order_relaxed);
  do {
    if (!Matches(word, uid) || (word & kGap) == 0) return;
  } while (!state_.compare_exchange_weak(word, word & ~kGap, std::memory_order_relaxed));
}

bool StreamLine::StartClosing(StreamUid uid) {
  uint64_t word = state_.load(std::memory_order_acquire);
  do {
    if (!Matches(word, uid) || (word & kClosing) != 0) return false;
  } while (!state_.compare_exchange_weak(word, word | kClosing, std::memory_order_relaxed));
  return true;
}

bool StreamLine::StopTaking(StreamUid uid) {
  uint64_t word = state_.load(std::memory_order_acquire);
  do {
    if (!Matches(word, uid) || (word & kClosing) != 0) return false;
  } while (
      !state_.compare_exchange_weak(word, word | kClosing | kStopped, std::memory_order_relaxed));
  return true;
}

void StreamLine::Publish(const StreamFacts& facts) {
  meta_.store(static_cast<uint64_t>(facts.handle) << 32 |
                  static_cast<uint64_t>(facts.peer.port) << 16 |
                  static_cast<uint64_t>(facts.policy) << kPolicyShift |
                  (facts.marks_gaps ? kMarksGaps : 0) | static_cast<uint64_t>(facts.kind),
              std::memory_order_release);
  address_[0].store(facts.peer.words[0], std::memory_order_release);
  address_[1].store(facts.peer.words[1], std::memory_order_release);
  created_ms_.store(facts.created_ms, std::memory_order_release);
  last_active_ms_.store(facts.created_ms, std::memory_order_release);
  detached_after_ms_.store(0, std::memory_order_release);
  place_.store(static_cast<uint64_t>(facts.socket) << 32 | facts.tag_block,
               std::memory_order_release);
  state_.store(LiveWord(facts.uid), std::memory_order_release);
}

void StreamLine::MarkDetached(uint64_t now_ms) {
  const uint64_t age = now_ms - created_ms_.load(std::memory_order_relaxed);
  detached_after_ms_.store(static_cast<uint32_t>(std::min<uint64_t>(age, 0xFFFFFFFF)),
                           std::memory_order_release);
  meta_.fetch_or(kDetached, std::memory_order_release);
}

void StreamLine::MarkSubscribed() { meta_.fetch_or(kSubscribed, std::memory_order_release); }

void StreamLine::SetSlow(bool slow) {
  if (slow) {
    meta_.fetch_or(kSlow, std::memory_order_release);
  } else {
    meta_.fetch_and(~kSlow, std::memory_order_release);
  }
}

void StreamLine::MarkClosing(uint64_t now_ms) {
  Touch(now_ms);  // from here the sweep counts the time it takes to close
  meta_.fetch_or(kOwnerCloses, std::memory_order_release);
  state_.fetch_or(kClosing, std::memory_order_relaxed);  // orders nothing: it only stops takers
}

}  // namespace holdfast
