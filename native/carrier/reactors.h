// The reactors of the process: started with the first Node thread that takes requests, stopped with
// the last that closes the manager.
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

  // A Node thread has joined.
  void Enter() EXCLUDES(mu_);
  // It takes requests. Starts those that do not run yet, fewer where the system refuses.
  void Start(Registry& registry, const Nghttp2Api& api, uint64_t count) EXCLUDES(mu_);
  // It has left.
  void Exit() EXCLUDES(mu_);

 private:
  Reactors() = default;

  void Halt() EXCLUDES(mu_);

  Mutex mu_;
  uint32_t threads_ GUARDED_BY(mu_) = 0;
  std::vector<std::unique_ptr<ReactorThread>> reactors_ GUARDED_BY(mu_);
  bool halts_at_exit_ GUARDED_BY(mu_) = false;
};

}  // namespace holdfast
