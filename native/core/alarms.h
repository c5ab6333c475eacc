// When something is due for a worker's streams: the next heartbeat of one, the end of another's
// wait. One a stream.
//
// Threads: Set and Forget: whoever keeps the stream from ending meanwhile, as its owner does;
// TakeDue: the owner. mu_ is a leaf.
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
  uint32_t interval_ms;  // of its heartbeat; 0: it is the stream's end
};

class Alarms {
 public:
  static constexpr uint64_t kNever = ~uint64_t{0};

  // In the place of the one it has.
  void Set(const Alarm& alarm) EXCLUDES(mu_);
  void Forget(StreamUid uid) EXCLUDES(mu_);
  // Appends those that are due, and forgets them.
  void TakeDue(uint64_t now_ms, std::vector<Alarm>* out) EXCLUDES(mu_);

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
