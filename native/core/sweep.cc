#include "core/sweep.h"

namespace holdfast {
namespace {

constexpr uint64_t kStuckMs = 5000;
constexpr uint32_t kLinesAStep = 1 << 14;

}  // namespace

uint64_t SweepStep(const Worker& worker, uint64_t cursor, uint64_t now_ms,
                   std::vector<ExpiredStream>* expired) {
  const uint64_t idle_ms = worker.options[Option::kIdleTimeoutMs];
  const uint64_t max_age_ms = worker.options[Option::kMaxAgeMs];
  return worker.cache.Scan(cursor, kLinesAStep, [&](StreamUid uid) {
    StreamFacts facts;
    const StreamLine* line = worker.cache.Find(uid);
    if (line == nullptr || !line->Read(uid, &facts)) return;
    // It may have been touched by another thread since now_ms was read.
    const auto since = [&](uint64_t then_ms) { return now_ms > then_ms ? now_ms - then_ms : 0; };
    const uint64_t quiet_ms = since(facts.last_active_ms);
    if (facts.closing) {
      // Where another thread has broken it off, the owner hears of it by mail, however late that
      // is.
      if (line->owner_closes() && quiet_ms >= kStuckMs)
        expired->push_back({facts.handle, Expiry::kStuck});
    } else if (max_age_ms != 0 && since(facts.created_ms) >= max_age_ms) {
      expired->push_back({facts.handle, Expiry::kMaxAge});
    } else if (idle_ms != 0 && quiet_ms >= idle_ms) {
      expired->push_back({facts.handle, Expiry::kIdle});
    }
  });
}

}  // namespace holdfast
