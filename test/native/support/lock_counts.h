// How many locks the calling thread took: the linker puts a counter before pthread's functions
// (binding.gyp: --wrap), which only GNU-like linkers can.
#pragma once

#include <cstdint>

namespace holdfast::test {

struct LockCounts {
  uint64_t mutex = 0;
  uint64_t read = 0;
  uint64_t write = 0;

  friend bool operator==(const LockCounts&, const LockCounts&) = default;
};

// Since the thread began.
LockCounts LocksTaken();

template <typename Work>
LockCounts LocksOf(Work work) {
  const LockCounts before = LocksTaken();
  work();
  const LockCounts after = LocksTaken();
  return {after.mutex - before.mutex, after.read - before.read, after.write - before.write};
}

}  // namespace holdfast::test
