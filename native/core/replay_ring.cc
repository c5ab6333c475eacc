#include "core/replay_ring.h"

#include <algorithm>
#include <random>

namespace holdfast {
namespace {

uint64_t RandomEpoch() {
  std::random_device device;
  return static_cast<uint64_t>(device()) << 32 | device();
}

}  // namespace

ReplayRing::Former ReplayRing::Close() {
  MutexLock lock(mu_);
  closed_ = true;
  const uint64_t last = state_.log.last();
  state_.log.SetLimits({});
  return {number_, last, std::exchange(state_.awaiting, {})};
}

ReplayRingRef ReplayRings::Find(std::string_view topic) {
  if (count_.load(std::memory_order_acquire) == 0) return nullptr;
  ReadLock lock(mu_);
  const auto found = by_topic_.find(topic);
  return found == by_topic_.end() ? nullptr : found->second.ring;
}

Status ReplayRings::Keep(std::string_view topic, RingLimits limits, uint64_t max_bytes) {
  WriteLock lock(mu_);
  const auto found = by_topic_.find(topic);
  const uint64_t promised = found == by_topic_.end() ? 0 : found->second.promised;
  if (promised_ - promised + limits.bytes > max_bytes) return Status::kFull;
  if (found == by_topic_.end()) {
    if (by_topic_.size() == kMaxRings) return Status::kFull;
    auto ring = std::make_shared<ReplayRing>(next_number_++, RandomEpoch(), highest_, limits);
    by_topic_.emplace(topic, Named{std::move(ring), limits.bytes});
    count_.store(by_topic_.size(), std::memory_order_release);
  } else {
    found->second.promised = limits.bytes;
    CHECK(found->second.ring->With([&](RingState& state) { state.log.SetLimits(limits); }));
  }
  promised_ += limits.bytes - promised;
  return Status::kOk;
}

std::optional<ReplayRing::Former> ReplayRings::Forget(std::string_view topic) {
  WriteLock lock(mu_);
  const auto found = by_topic_.find(topic);
  if (found == by_topic_.end()) return std::nullopt;
  ReplayRing::Former former = found->second.ring->Close();
  highest_ = std::max(highest_, former.last);
  promised_ -= found->second.promised;
  by_topic_.erase(found);
  count_.store(by_topic_.size(), std::memory_order_release);
  return former;
}

void ReplayRings::ForgetAll() {
  WriteLock lock(mu_);
  for (const auto& [topic, named] : by_topic_)
    highest_ = std::max(highest_, named.ring->Close().last);
  by_topic_.clear();
  promised_ = 0;
  count_.store(0, std::memory_order_release);
}

ReplayRings::Usage ReplayRings::UsageOf() {
  std::vector<ReplayRingRef> rings;
  {
    ReadLock lock(mu_);
    rings.reserve(by_topic_.size());
    for (const auto& [topic, named] : by_topic_) rings.push_back(named.ring);
  }
  Usage usage;
  for (const ReplayRingRef& ring : rings) {
    (void)ring->With([&](const RingState& state) {
      usage.rings++;
      usage.events += state.log.last() + 1 - state.log.first();
      usage.bytes += state.log.bytes();
    });
  }
  return usage;
}

}  // namespace holdfast
