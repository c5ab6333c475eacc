#pragma once

namespace holdfast {

// Wakes a loop that may be asleep. Threads: any.
class Waker {
 public:
  virtual void Wake() = 0;

 protected:
  ~Waker() = default;
};

}  // namespace holdfast
