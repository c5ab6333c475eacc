#include "core/stream_line.h"

#include <algorithm>

namespace holdfast {

bool StreamLine::Tag(uint32_t* generation, uint32_t* stream_id) const {
  const uint64_t word = state_.load(std::memory_order_acquire) >> kLiveShift;
  if ((word & 1) == 0) return false;
  *generation = static_cast<uint32_t>(word >> (1 + kStreamBits));
  *stream_id = static_cast<uint32_t>(word >> 1) & kMaxStreamId;
  return true;
}

bool StreamLine::Read(StreamUid uid, StreamFacts* out) const {
  const uint64_t before = state_.load(std::memory_order_acquire);
  if (!Matches(before, uid)) return false;
  const uint64_t meta = meta_.load(std::memory_order_acquire);
  out->uid = uid;
  out->kind = static_cast<StreamKind>(meta & 0xFF);
  out->detached = (meta & kDetached) != 0;
  out->closing = (before & kClosing) != 0;
  out->peer.port = static_cast<uint16_t>(meta >> 16);
  out->handle = static_cast<uint32_t>(meta >> 32);
  out->peer.words = {address_[0].load(std::memory_order_acquire),
                     address_[1].load(std::memory_order_acquire)};
  out->created_ms = created_ms_.load(std::memory_order_acquire);
  out->last_active_ms = last_active_ms_.load(std::memory_order_acquire);
  out->detached_ms =
      out->detached ? out->created_ms + detached_after_ms_.load(std::memory_order_acquire) : 0;
  out->tag_block = tag_block_.load(std::memory_order_acquire);
  out->socket = socket_.load(std::memory_order_acquire);
  out->queued_bytes = before & kQueuedMask;
  return Matches(state_.load(std::memory_order_relaxed), uid);
}

Status StreamLine::Reserve(StreamUid uid, uint64_t bytes, uint64_t budget) {
  uint64_t word = state_.load(std::memory_order_acquire);
  do {
    if (!Matches(word, uid) || (word & kClosing) != 0) return Status::kGone;
    if ((word & kQueuedMask) + bytes > budget) return Status::kFull;
    // Relaxed on success: nothing is published by a reservation; the message travels under a lock.
  } while (!state_.compare_exchange_weak(word, word + bytes, std::memory_order_relaxed,
                                         std::memory_order_acquire));
  return Status::kOk;
}

void StreamLine::Release(StreamUid uid, uint64_t bytes) {
  uint64_t word = state_.load(std::memory_order_relaxed);
  do {
    if (!Matches(word, uid)) return;  // retired meanwhile, and its count with it
    CHECK((word & kQueuedMask) >= bytes);
  } while (!state_.compare_exchange_weak(word, word - bytes, std::memory_order_relaxed));
}

void StreamLine::Publish(const StreamFacts& facts) {
  meta_.store(static_cast<uint64_t>(facts.handle) << 32 |
                  static_cast<uint64_t>(facts.peer.port) << 16 | static_cast<uint64_t>(facts.kind),
              std::memory_order_release);
  address_[0].store(facts.peer.words[0], std::memory_order_release);
  address_[1].store(facts.peer.words[1], std::memory_order_release);
  created_ms_.store(facts.created_ms, std::memory_order_release);
  last_active_ms_.store(facts.created_ms, std::memory_order_release);
  detached_after_ms_.store(0, std::memory_order_release);
  tag_block_.store(facts.tag_block, std::memory_order_release);
  socket_.store(facts.socket, std::memory_order_release);
  state_.store(LiveWord(facts.uid), std::memory_order_release);
}

void StreamLine::MarkDetached(uint64_t now_ms) {
  const uint64_t age = now_ms - created_ms_.load(std::memory_order_relaxed);
  detached_after_ms_.store(static_cast<uint32_t>(std::min<uint64_t>(age, 0xFFFFFFFF)),
                           std::memory_order_release);
  meta_.store(meta_.load(std::memory_order_relaxed) | kDetached, std::memory_order_release);
}

void StreamLine::MarkClosing(uint64_t now_ms) {
  Touch(now_ms);  // from here the sweep counts the time it takes to close
  state_.fetch_or(kClosing, std::memory_order_relaxed);  // orders nothing: it only stops takers
}

}  // namespace holdfast
