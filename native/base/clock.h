#pragma once

#include <time.h>

#include <cstdint>

#include "base/check.h"

namespace holdfast {

// Milliseconds of a clock that never steps back. The coarse clock (a few ms of grain, no system
// call) is enough: it measures idleness and age.
inline uint64_t MonotonicMs() {
#if defined(CLOCK_MONOTONIC_COARSE)
  constexpr clockid_t kClock = CLOCK_MONOTONIC_COARSE;
#else
  constexpr clockid_t kClock = CLOCK_MONOTONIC;
#endif
  timespec now;
  CHECK(clock_gettime(kClock, &now) == 0);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1000000;
}

// Microseconds of the same clock, with a grain that is finer than that.
inline uint64_t MonotonicUs() {
  timespec now;
  CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
  return static_cast<uint64_t>(now.tv_sec) * 1000000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

}  // namespace holdfast
