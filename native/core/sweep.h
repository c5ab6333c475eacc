// What the clean-up timer looks for: streams past their time.
#pragma once

#include <vector>

#include "core/worker.h"

namespace holdfast {

enum class Expiry : uint8_t {
  kIdle,    // no byte either way for idleTimeoutMs
  kMaxAge,  // alive for maxAgeMs
  kStuck,   // was told to close five seconds ago, and has not
};

struct ExpiredStream {
  uint32_t handle;
  Expiry expiry;
};

// Looks at the next lines from `cursor` on and returns where to go on, or WorkerCache::kScanEnd: a
// worker may hold a million streams, and its loop must not stand still for them.
//
// Threads: the owner.
uint64_t SweepStep(const Worker& worker, uint64_t cursor, uint64_t now_ms,
                   std::vector<ExpiredStream>* expired);

}  // namespace holdfast
