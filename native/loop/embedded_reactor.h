// A reactor that takes its turns in a Node thread's libuv loop, beside that thread's JavaScript:
// for machines without a core to spare.
//
// Threads: owner loop. Close is asynchronous, as libuv is: `closed` runs when the loop has let go,
// and only then may the object be freed.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>

#include "carrier/reactor_worker.h"

namespace holdfast {

class EmbeddedReactor {
 public:
  explicit EmbeddedReactor(std::unique_ptr<ReactorWorker> reactor) : reactor_(std::move(reactor)) {}
  EmbeddedReactor(const EmbeddedReactor&) = delete;
  EmbeddedReactor& operator=(const EmbeddedReactor&) = delete;

  // Never keeps the loop alive. A libuv error code, 0 for success; after an error it has left.
  [[nodiscard]] int Start(uv_loop_t* loop);
  // Its streams end, its connections are closed.
  void Leave();
  void Close(std::function<void()> closed);

 private:
  void Turn();

  std::unique_ptr<ReactorWorker> reactor_;
  uv_poll_t poll_{};
  uv_timer_t timer_{};
  int handles_ = 2;  // that the loop has not let go of
  std::function<void()> closed_;
};

}  // namespace holdfast
