#include "core/admission.h"

#include <algorithm>

#include "core/gaps.h"

namespace holdfast {
namespace {

// What a stream may have waiting while the process is near its bound.
constexpr uint64_t kFairBytes = 16 << 10;
// What may wait that is taken whatever waits: sizes of messages are 32-bit.
constexpr uint64_t kMostAhead = 2ull << 30;

Admission Reserve(Registry& registry, Worker* self, StreamLine& line, StreamUid uid, uint64_t bytes,
                  uint64_t limit, StreamLine::Despite despite) {
  const Status status = line.Reserve(uid, bytes, limit, despite);
  if (status == Status::kGone) return Admission::kGone;
  if (status != Status::kOk) return Admission::kFull;
  registry.AddQueued(self, static_cast<int64_t>(bytes));
  return Admission::kTaken;
}

}  // namespace

uint64_t StreamBudget(const Registry& registry, const Worker& self, uint64_t bytes) {
  const uint64_t budget = self.options[Option::kSendBudgetBytes];
  const uint64_t bound = self.options[Option::kMaxQueuedBytes];
  const uint64_t total = registry.queued_bytes();
  if (total + bytes > bound) return 0;
  return total > bound - bound / 4 ? std::min(budget, kFairBytes) : budget;
}

Admission Admit(Registry& registry, Worker* self, StreamLine& line, StreamUid uid, uint64_t bytes,
                StreamLine::Despite despite) {
  const SlowPolicy policy = line.policy();
  const uint64_t budget =
      self == nullptr ? StreamLine::kQueuedMask / 2 : StreamBudget(registry, *self, bytes);
  // Where the oldest are dropped, the owner makes room when the message arrives; as much again may
  // be on its way there.
  const bool makes_room = KeepsQueue(policy) && bytes <= budget;
  const Admission admission =
      Reserve(registry, self, line, uid, bytes, makes_room ? 2 * budget : budget, despite);
  if (admission != Admission::kFull) return admission;
  if (policy == SlowPolicy::kDisconnect && line.StartClosing(uid)) return Admission::kDisconnect;
  return NoteRefusal(line, uid) ? Admission::kFullUntold : Admission::kFull;
}

Admission AdmitAhead(Registry& registry, Worker* self, StreamLine& line, StreamUid uid,
                     uint64_t bytes) {
  return Reserve(registry, self, line, uid, bytes, kMostAhead, StreamLine::Despite::kGap);
}

bool Withdraw(Registry& registry, Worker* self, StreamLine& line, StreamUid uid, uint64_t bytes) {
  const bool untold = NoteRefusal(line, uid);
  // A gap that others marked may have been left to the release of these bytes.
  const Withdrawn withdrawn = line.Withdraw(uid, bytes);
  if (withdrawn.found) registry.AddQueued(self, -static_cast<int64_t>(bytes));
  return untold || withdrawn.untold;
}

Released GiveBack(Registry& registry, Worker* self, StreamLine& line, StreamUid uid,
                  uint64_t bytes) {
  const Released released = line.Release(uid, bytes, AsksForMarks(*self, line));
  if (released.found) registry.AddQueued(self, -static_cast<int64_t>(bytes));
  return released;
}

}  // namespace holdfast
