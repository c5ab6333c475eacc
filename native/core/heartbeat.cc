#include "core/heartbeat.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/clock.h"
#include "core/admission.h"

namespace holdfast {
namespace {

constexpr std::string_view kComment = ":\n\n";
constexpr size_t kPiece = 4096;

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
  worker.alarms.Set({alarm.uid, OnGrid(now_ms + wait_ms, alarm.interval_ms), alarm.interval_ms});
  // Where something waits for the reader, the connection is busy, and a comment would wait behind.
  if (!quiet || line.queued_bytes() > 0) return false;
  const auto admission = AdmitAhead(registry, &worker, line, alarm.uid, kComment.size());
  if (admission != Admission::kTaken) return false;
  if (KeepsQueue(line.policy())) worker.held_back.PassAhead(alarm.uid, kComment.size());
  line.Touch(now_ms);
  return true;
}

bool SendHeartbeats(Registry& registry, Worker& worker, Carrier& carrier,
                    const std::vector<Alarm>& due, uint64_t now_ms) {
  if (due.empty()) return true;
  const PayloadRef comment = MakeComment();
  std::vector<uint32_t> handles;
  for (size_t next = 0; next < due.size();) {
    const size_t end = std::min(next + kPiece, due.size());
    if (!carrier.PrepareMany(comment->size(), static_cast<uint32_t>(end - next))) return false;
    handles.clear();
    for (; next < end; next++) {
      StreamLine* line = worker.cache.Find(due[next].uid);
      if (line == nullptr || !Beat(registry, worker, *line, due[next], now_ms)) continue;
      handles.push_back(line->handle());
    }
    if (!handles.empty()) carrier.WriteMany(handles, comment, /*messages=*/0);
  }
  return true;
}

}  // namespace

void SetHeartbeat(Worker& worker, StreamUid uid, uint32_t interval_ms) {
  if (interval_ms == 0) return worker.alarms.Forget(uid);
  worker.alarms.Set({uid, OnGrid(MonotonicMs() + interval_ms, interval_ms), interval_ms});
  worker.mailbox.Nudge();
}

bool RunAlarms(Registry& registry, Worker& worker, Carrier& carrier) {
  if (worker.alarms.next_due_ms() == Alarms::kNever) return true;
  const uint64_t now_ms = MonotonicMs();
  std::vector<Alarm> due;
  worker.alarms.TakeDue(now_ms, &due);
  return SendHeartbeats(registry, worker, carrier, due, now_ms);
}

}  // namespace holdfast
