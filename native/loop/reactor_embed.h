// A reactor inside a libuv loop: the reactor's own descriptor, watched by a uv_poll.
//
// Threads: owner loop. Close is asynchronous, as libuv is: `closed` runs when the loop has let go,
// and only then may the object be freed.
#pragma once

#include <uv.h>

#include <functional>

#include "reactor/reactor.h"

namespace holdfast {

class ReactorEmbed {
 public:
  ReactorEmbed(Reactor& reactor, ReactorHandler& handler) : reactor_(reactor), handler_(handler) {}
  ReactorEmbed(const ReactorEmbed&) = delete;
  ReactorEmbed& operator=(const ReactorEmbed&) = delete;

  // Does not keep the loop alive until SetRef(true). A libuv error code, 0 for success.
  [[nodiscard]] int Start(uv_loop_t* loop);
  void SetRef(bool ref);
  // Whether another handle of the loop has the descriptor, and will close it.
  bool LoopHas(int fd);
  void Close(std::function<void()> closed);

 private:
  Reactor& reactor_;
  ReactorHandler& handler_;
  uv_poll_t poll_{};
  std::function<void()> closed_;
};

}  // namespace holdfast
