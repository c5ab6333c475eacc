// The reactors of the process: started with the first Node thread that opens the manager, stopped
// with the last that closes it.
//
// Threads: any; guarded by mu_, which no reactor takes.
#pragma once

#include <memory>
#include <vector>

#include "base/mutex.h"
#include "carrier/reactor_thread.h"

namespace holdfast {

class Reactors {
 public:
  static Reactors& Get();

  // A Node thread has joined. The first one's `api` is what the reactors run on: nullptr, and there
  // are none. Fewer than wanted are started where the system refuses.
  void Enter(Registry& registry, const Nghttp2Api* api, uint64_t count) EXCLUDES(mu_);
  // It has left.
  void Exit() EXCLUDES(mu_);

 private:
  Reactors() = default;

  Mutex mu_;
  uint32_t threads_ GUARDED_BY(mu_) = 0;
  std::vector<std::unique_ptr<ReactorThread>> reactors_ GUARDED_BY(mu_);
};

}  // namespace holdfast
