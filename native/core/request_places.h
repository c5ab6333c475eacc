// The open requests of a reactor, as far as other threads have to do with them: a Node thread may
// make one of them a stream of the registry, and change that stream, while the reactor may end it.
// Whoever does so holds the lock for all of it, so that it happens before the end or not at all.
//
// Threads: any; guarded by mu, which comes before every other lock.
#pragma once

#include <vector>

#include "base/mutex.h"
#include "core/stream_facts.h"

namespace holdfast {

struct RequestPlace {
  uint32_t generation = 0;
  uint32_t socket = kNone;
  bool open = false;
  StreamUid uid;  // 0: it is no stream of the registry
};

struct RequestPlaces {
  Mutex mu;
  std::vector<RequestPlace> places GUARDED_BY(mu);
  std::vector<uint32_t> free GUARDED_BY(mu);
};

}  // namespace holdfast
