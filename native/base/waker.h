#pragma once

#include <cstdint>

namespace holdfast {

// Wakes a loop that may be asleep.
class Waker {
 public:
  // Any thread.
  virtual void Wake() = 0;
  // Once, in so many ms, and no more when it was told before. Threads: the loop's own.
  virtual void WakeIn(uint64_t delay_ms) = 0;

 protected:
  ~Waker() = default;
};

}  // namespace holdfast
