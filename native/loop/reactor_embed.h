// A reactor inside a libuv loop: the reactor's own descriptor, watched by a uv_poll, and what of
// its handler's work is left for the loop's next turn.
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
  // OnWakeup in the loop's next turn, without a way through the system. Such a turn takes what
  // wakes the reactor meanwhile, too.
  void GoOn();
  bool goes_on() const {
    return uv_is_active(reinterpret_cast<const uv_handle_t*>(&next_turn_)) != 0;
  }
  // Whether another handle of the loop has the descriptor, and will close it.
  bool LoopHas(int fd);
  void Close(std::function<void()> closed);

 private:
  Reactor& reactor_;
  ReactorHandler& handler_;
  uv_poll_t poll_{};
  uv_idle_t next_turn_{};  // active: the loop does not wait
  int handles_ = 2;        // that the loop has not let go of
  std::function<void()> closed_;
};

}  // namespace holdfast
