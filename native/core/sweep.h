// What the clean-up timer looks for: streams past their time. A worker may hold a million, and its
// loop must not stand still for them: so it looks at some a turn, and ends some a turn.
//
// Threads: the owner.
#pragma once

#include <optional>
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

class Sweep {
 public:
  explicit Sweep(const Worker& worker) : worker_(worker) {}

  // One that is under way goes on; it is as good as a new one.
  void Start();
  bool under_way() const { return cursor_ != WorkerCache::kScanEnd || !found_.empty(); }
  // Looks at the next streams, once none is left of those it found.
  void Look(uint64_t now_ms);
  // One of those it found that still is past its time; nullopt if none is left.
  std::optional<ExpiredStream> Next(uint64_t now_ms);

 private:
  std::optional<ExpiredStream> ExpiredNow(StreamUid uid, uint64_t now_ms) const;

  const Worker& worker_;
  uint64_t cursor_ = WorkerCache::kScanEnd;
  std::vector<StreamUid> found_;
};

}  // namespace holdfast
