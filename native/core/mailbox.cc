#include "core/mailbox.h"

#include <utility>

namespace holdfast {

void Mailbox::Open(Waker* waker) {
  MutexLock lock(mu_);
  CHECK(waker_ == nullptr);
  waker_ = waker;
  armed_ = false;
}

bool Mailbox::Reserve(uint64_t bytes, bool control) {
  const uint64_t before = reserved_.fetch_add(bytes, std::memory_order_relaxed);
  if (control || before + bytes <= kLimitBytes) return true;
  Unreserve(bytes);
  return false;
}

bool Mailbox::ArmLocked() { return !std::exchange(armed_, true); }

bool Mailbox::Post(ChunkPtr& chunk) {
  Waker* wake = nullptr;
  {
    MutexLock lock(mu_);
    if (waker_ == nullptr) return false;
    waiting_.chunks.push_back(std::move(chunk));
    if (ArmLocked()) wake = waker_;
  }
  if (wake != nullptr) wake->Wake();
  return true;
}

bool Mailbox::PostPublication(Publication& publication) {
  Waker* wake = nullptr;
  {
    MutexLock lock(mu_);
    if (waker_ == nullptr) return false;
    std::vector<ChunkPtr>& chunks = waiting_.chunks;
    if (chunks.empty() || !chunks.back()->HasRoom(sizeof(Publication))) {
      // Less than a message may take for which there was room; of a gap, for which there was none,
      // no more than it takes itself: others would follow it into what is left.
      const uint32_t capacity =
          publication.gap == 0 ? kJoiningBytes : Chunk::Footprint(sizeof(Publication));
      (void)Reserve(capacity, /*control=*/true);
      chunks.push_back(Chunk::Make(capacity));
    }
    chunks.back()->Append(std::move(publication));
    if (ArmLocked()) wake = waker_;
  }
  if (wake != nullptr) wake->Wake();
  return true;
}

bool Mailbox::PostConnection(Connection& connection) {
  Waker* wake = nullptr;
  {
    MutexLock lock(mu_);
    if (waker_ == nullptr) return false;
    waiting_.connections.push_back(std::move(connection));
    if (ArmLocked()) wake = waker_;
  }
  if (wake != nullptr) wake->Wake();
  return true;
}

void Mailbox::Nudge() {
  Waker* wake = nullptr;
  {
    MutexLock lock(mu_);
    if (waker_ != nullptr && ArmLocked()) wake = waker_;
  }
  if (wake != nullptr) wake->Wake();
}

void Mailbox::WakeIn(uint64_t delay_ms) {
  Waker* waker;
  {
    MutexLock lock(mu_);
    waker = waker_;
  }
  if (waker != nullptr) waker->WakeIn(delay_ms);
}

void Mailbox::Take(Batch* out) {
  MutexLock lock(mu_);
  std::swap(*out, waiting_);
  armed_ = false;
}

Mailbox::Batch Mailbox::Close() {
  MutexLock lock(mu_);
  waker_ = nullptr;
  return std::exchange(waiting_, Batch{});
}

}  // namespace holdfast
