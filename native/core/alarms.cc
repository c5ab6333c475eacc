#include "core/alarms.h"

namespace holdfast {

bool Alarms::Set(const Alarm& alarm) {
  MutexLock lock(mu_);
  const uint64_t before_ms = next_due_ms();
  const auto [place, added] = by_uid_.try_emplace(alarm.uid.value, alarm);
  if (!added) {
    by_due_.erase({place->second.due_ms, alarm.uid.value});
    place->second = alarm;
  }
  by_due_.emplace(alarm.due_ms, alarm.uid.value);
  UpdateLocked();
  return alarm.due_ms < before_ms;
}

void Alarms::Forget(StreamUid uid) {
  if (next_due_ms() == kNever) return;
  MutexLock lock(mu_);
  const auto found = by_uid_.find(uid.value);
  if (found == by_uid_.end()) return;
  by_due_.erase({found->second.due_ms, uid.value});
  by_uid_.erase(found);
  UpdateLocked();
}

std::vector<Alarm> Alarms::TakeDue(uint64_t now_ms, size_t most) {
  std::vector<Alarm> due;
  MutexLock lock(mu_);
  while (due.size() < most && !by_due_.empty() && by_due_.begin()->first <= now_ms) {
    const auto found = by_uid_.find(by_due_.begin()->second);
    due.push_back(found->second);
    by_uid_.erase(found);
    by_due_.erase(by_due_.begin());
  }
  UpdateLocked();
  return due;
}

void Alarms::UpdateLocked() {
  const uint64_t next = by_due_.empty() ? kNever : by_due_.begin()->first;
  next_due_ms_.store(next, std::memory_order_release);
}

}  // namespace holdfast
