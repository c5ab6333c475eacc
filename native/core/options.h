// The process-wide settings, as the typed layer checked them. src/options.ts names them in the same
// order; a test compares the two lists.
#pragma once

#include <array>
#include <cstdint>

namespace holdfast {

enum class Option : uint32_t {
  kMaxStreamsPerWorker,
  kMaxTotalStreams,
  kCleanupIntervalMs,
  kIdleTimeoutMs,  // 0: off
  kMaxAgeMs,       // 0: off
  kPingIntervalMs,
  kPingTimeoutMs,
  kSendBudgetBytes,
  kMaxQueuedBytes,
  kOnSlow,          // a SlowPolicy, for streams that name none
  kCarrier,         // 0: node, 1: native
  kReactors,        // threads of the native carrier
  kMaxReplayBytes,  // what all topics that are kept may take together
};
inline constexpr uint32_t kOptions = 13;

class Options {
 public:
  uint64_t operator[](Option option) const { return values_[static_cast<uint32_t>(option)]; }
  uint64_t& operator[](Option option) { return values_[static_cast<uint32_t>(option)]; }

 private:
  std::array<uint64_t, kOptions> values_{};
};

}  // namespace holdfast
