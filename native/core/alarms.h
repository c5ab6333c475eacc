// When the next heartbeat of each of a worker's streams is due. One a stream.
//
// Threads: Set and Forget: whoever keeps the stream from ending meanwhile: its owner, or who holds
// RequestPlaces::mu of a reactor; TakeDue: the owner; next_due_ms: any. mu_ is a leaf.
#pragma once

#include <atomic>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/uid.h"

namespace holdfast {

struct Alarm {
  StreamUid uid;
  uint64_t due_ms;
  uint32_t interval_ms;
};

class Alarms {
 public:
  static constexpr uint64_t kNever = ~uint64_t{0};

  // In the place of the one it has. True if it is due before all others: the owner is to be woken,
  // who sleeps until what was the first.
  bool Set(const Alarm& alarm) EXCLUDES(mu_);
  void Forget(StreamUid uid) EXCLUDES(mu_);
  // The first of those that are due, at most so many, which it forgets.
  std::vector<Alarm> TakeDue(uint64_t now_ms, size_t most) EXCLUDES(mu_);

  // When the first is due; kNever if there is none.
  uint64_t next_due_ms() const { return next_due_ms_.load(std::memory_order_acquire); }

 private:
  void UpdateLocked() REQUIRES(mu_);

  Mutex mu_;
  std::set<std::pair<uint64_t, uint64_t>> by_due_ GUARDED_BY(mu_);  // when, and whose
  std::unordered_map<uint64_t, Alarm> by_uid_ GUARDED_BY(mu_);
  // Written under mu_, release; read by any, acquire.
  std::atomic<uint64_t> next_due_ms_{kNever};
};

}  // namespace holdfast
