#include "core/sweep.h"

namespace holdfast {
namespace {

constexpr uint64_t kStuckMs = 5000;
constexpr uint32_t kLinesALook = 1 << 14;

}  // namespace

void Sweep::Start() {
  if (!under_way()) cursor_ = 0;
}

void Sweep::Look(uint64_t now_ms) {
  if (!found_.empty() || cursor_ == WorkerCache::kScanEnd) return;
  cursor_ = worker_.cache.Scan(cursor_, kLinesALook, [&](StreamUid uid) {
    if (ExpiredNow(uid, now_ms)) found_.push_back(uid);
  });
}

std::optional<ExpiredStream> Sweep::Next(uint64_t now_ms) {
  while (!found_.empty()) {
    const StreamUid uid = found_.back();
    found_.pop_back();
    if (const std::optional<ExpiredStream> expired = ExpiredNow(uid, now_ms)) return expired;
  }
  return std::nullopt;
}

std::optional<ExpiredStream> Sweep::ExpiredNow(StreamUid uid, uint64_t now_ms) const {
  StreamFacts facts;
  const StreamLine* line = worker_.cache.Find(uid);
  if (line == nullptr || !line->Read(uid, &facts)) return std::nullopt;
  const uint64_t idle_ms = worker_.options[Option::kIdleTimeoutMs];
  const uint64_t max_age_ms = worker_.options[Option::kMaxAgeMs];
  // It may have been touched by another thread since now_ms was read.
  const auto since = [&](uint64_t then_ms) { return now_ms > then_ms ? now_ms - then_ms : 0; };
  const uint64_t quiet_ms = since(facts.last_active_ms);
  if (facts.closing) {
    // Where another thread has broken it off, the owner hears of it by mail, however late that is.
    const bool stuck = line->owner_closes() && quiet_ms >= kStuckMs;
    return stuck ? std::optional(ExpiredStream{facts.handle, Expiry::kStuck}) : std::nullopt;
  }
  if (max_age_ms != 0 && since(facts.created_ms) >= max_age_ms) {
    return ExpiredStream{facts.handle, Expiry::kMaxAge};
  }
  if (idle_ms != 0 && quiet_ms >= idle_ms) return ExpiredStream{facts.handle, Expiry::kIdle};
  return std::nullopt;
}

}  // namespace holdfast
