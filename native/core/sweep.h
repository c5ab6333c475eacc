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

// Threads: the owner.
void Sweep(const Worker& worker, uint64_t now_ms, std::vector<ExpiredStream>* expired);

}  // namespace holdfast
