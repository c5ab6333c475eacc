// The streams of a worker whose readers are behind, for statistics to tell of.
//
// Threads: Set, Has: the owner; everything else: any. mu_ is a leaf.
#pragma once

#include <unordered_set>
#include <vector>

#include "base/mutex.h"
#include "base/uid.h"

namespace holdfast {

class SlowStreams {
 public:
  void Set(StreamUid uid, bool slow) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    if (slow) {
      uids_.insert(uid.value);
    } else {
      uids_.erase(uid.value);
    }
  }
  bool Has(StreamUid uid) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    return uids_.contains(uid.value);
  }
  void AppendTo(std::vector<StreamUid>* out) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    for (const uint64_t uid : uids_) out->push_back(StreamUid{uid});
  }

 private:
  Mutex mu_;
  std::unordered_set<uint64_t> uids_ GUARDED_BY(mu_);
};

}  // namespace holdfast
