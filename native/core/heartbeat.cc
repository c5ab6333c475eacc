#include "core/heartbeat.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/clock.h"
#include "core/admission.h"

namespace holdfast {
namespace {

constexpr std::string_view kComment = ":\n\n";

// On a grid, so that a thread wakes a few times an interval, whatever the number of its streams.
uint64_t OnGrid(uint64_t due_ms, uint32_t interval_ms) {
  const uint64_t grid = std::clamp<uint64_t>(interval_ms / 16, 1, 1000);
  return (due_ms + grid - 1) / grid * grid;
}

PayloadRef MakeComment() {
  return PayloadRef::Make(kComment.size(),
                          [](uint8_t* out) { std::memcpy(out, kComment.data(), kComment.size()); });
}

// True if the stream is to be sent a comment, which is reserved then.
bool Beat(Registry& registry, Worker& worker, StreamLine& line, const Alarm& alarm,
          uint64_t now_ms) {
  const uint64_t quiet_ms = now_ms - line.last_active_ms();
  const bool quiet = quiet_ms >= alarm.interval_ms;
  const uint64_t wait_ms = alarm.interval_ms - (quiet ? 0 : quiet_ms);
  // Who runs the alarms sees to it that the loop wakes for the next.
  (void)worker.alarms.Set(
      {alarm.uid, OnGrid(now_ms + wait_ms, alarm.interval_ms), alarm.interval_ms});
  // Where something waits for the reader, the connection is busy, and a comment would wait behind.
  if (!quiet || line.queued_bytes() > 0) return false;
  const auto admission = AdmitAhead(registry, &worker, line, alarm.uid, kComment.size());
  if (admission != Admission::kTaken) return false;
  if (KeepsQueue(line.policy())) worker.held_back.PassAhead(alarm.uid, kComment.size());
  line.Touch(now_ms);
  return true;
}

}  // namespace

void SetHeartbeat(Worker& worker, StreamUid uid, uint32_t interval_ms) {
  if (interval_ms == 0) return worker.alarms.Forget(uid);
  const uint64_t due_ms = OnGrid(MonotonicMs() + interval_ms, interval_ms);
  if (worker.alarms.Set({uid, due_ms, interval_ms})) worker.mailbox.Nudge();
}

bool RunAlarms(Registry& registry, Worker& worker, Carrier& carrier) {
  if (worker.alarms.next_due_ms() == Alarms::kNever) return true;
  const std::vector<Alarm> due = worker.alarms.TakeDue(MonotonicMs(), carrier.streams_a_turn());
  if (due.empty()) return true;
  const PayloadRef comment = MakeComment();
  if (!carrier.PrepareMany(comment->size(), static_cast<uint32_t>(due.size()))) return false;
  // From here on, as preparing may have run user code.
  const uint64_t now_ms = MonotonicMs();
  std::vector<uint32_t> handles;
  for (const Alarm& alarm : due) {
    StreamLine* line = worker.cache.Find(alarm.uid);
    if (line != nullptr && Beat(registry, worker, *line, alarm, now_ms)) {
      handles.push_back(line->handle());
    }
  }
  if (!handles.empty()) carrier.WriteMany(handles, comment, /*messages=*/0);
  return true;
}

}  // namespace holdfast
