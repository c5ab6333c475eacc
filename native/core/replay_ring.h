// The topics of which the process keeps the last messages, by name, and the lock under which each
// is numbered and joined.
//
// Publishing numbers a message, keeps it and posts it to the workers that have members, all under
// the ring's lock; who comes back looks up what was missed and becomes a member under the same
// lock. So the mail of a topic stands in every mailbox in the order of its numbers, and one who
// joins at a number gets each message up to it from the ring, each behind it by mail, and none
// twice.
//
// Threads: any. ReplayRings::mu_ stands above ReplayRing::mu_, of which nobody holds two, and that
// above the leaves (native/README.md).
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "core/ring_log.h"

namespace holdfast {

// What a ring's lock guards.
struct RingState {
  RingLog log;
  // Node threads that are to be told of the next message, once.
  std::vector<uint32_t> awaiting;
};

class ReplayRing {
 public:
  ReplayRing(uint64_t number, uint64_t epoch, uint64_t before, RingLimits limits)
      : number_(number), state_{{epoch, before, limits}, {}} {}

  // Never given twice.
  uint64_t number() const { return number_; }

  // Calls use(RingState&) under the lock; false, with nothing done, if the ring was given up.
  template <typename Use>
  bool With(Use use) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    if (closed_) return false;
    use(state_);
    return true;
  }
  struct Former {
    uint64_t number = 0;
    uint64_t last = 0;               // the last it gave
    std::vector<uint32_t> awaiting;  // the next message, which will not come
  };
  // Gives it up.
  Former Close() EXCLUDES(mu_);

 private:
  const uint64_t number_;
  Mutex mu_;
  bool closed_ GUARDED_BY(mu_) = false;
  RingState state_ GUARDED_BY(mu_);
};

using ReplayRingRef = std::shared_ptr<ReplayRing>;

class ReplayRings {
 public:
  static constexpr size_t kMaxRings = 1 << 16;

  // nullptr: nothing is kept of that topic.
  ReplayRingRef Find(std::string_view topic) EXCLUDES(mu_);
  // From now on so much is kept. kFull when all rings together were to keep more than `max_bytes`,
  // or there were too many.
  Status Keep(std::string_view topic, RingLimits limits, uint64_t max_bytes) EXCLUDES(mu_);
  // Nothing is kept any more. None if nothing was.
  std::optional<ReplayRing::Former> Forget(std::string_view topic) EXCLUDES(mu_);
  void ForgetAll() EXCLUDES(mu_);

  struct Usage {
    uint64_t rings = 0;
    uint64_t events = 0;
    uint64_t bytes = 0;
  };
  Usage UsageOf() EXCLUDES(mu_);

 private:
  struct Named {
    ReplayRingRef ring;
    uint64_t promised;  // bytes
  };

  SharedMutex mu_;
  // Found by a view of the name, as every publish looks it up.
  struct NameHash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
  };
  std::unordered_map<std::string, Named, NameHash, std::equal_to<>> by_topic_ GUARDED_BY(mu_);
  uint64_t promised_ GUARDED_BY(mu_) = 0;
  uint64_t next_number_ GUARDED_BY(mu_) = 1;
  // No number of a message is below one that a ring before had given: members of the topic compare.
  uint64_t highest_ GUARDED_BY(mu_) = 0;
  // How many there are, so that the usual topic costs no look-up. Written under mu_, release.
  std::atomic<size_t> count_{0};
};

}  // namespace holdfast
