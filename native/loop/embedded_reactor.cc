#include "loop/embedded_reactor.h"

#include <utility>

#include "base/check.h"

namespace holdfast {

int EmbeddedReactor::Start(uv_loop_t* loop) {
  const int error = uv_poll_init(loop, &poll_, reactor_->poller().fd());
  if (error != 0) {
    Leave();
    return error;
  }
  CHECK(uv_timer_init(loop, &timer_) == 0);
  poll_.data = timer_.data = this;
  uv_unref(reinterpret_cast<uv_handle_t*>(&poll_));
  uv_unref(reinterpret_cast<uv_handle_t*>(&timer_));
  const int started = uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* poll, int status, int) {
    CHECK(status == 0);  // an error here is one of the descriptor itself, which is ours and open
    static_cast<EmbeddedReactor*>(poll->data)->Turn();
  });
  CHECK(started == 0);
  reactor_->TakeSessions();
  return 0;
}

// Once a turn of the loop, so that what else is in the loop gets its own.
void EmbeddedReactor::Turn() {
  const int next_ms = reactor_->Turn(0);
  if (next_ms < 0) {
    CHECK(uv_timer_stop(&timer_) == 0);
    return;
  }
  const auto turn = [](uv_timer_t* timer) { static_cast<EmbeddedReactor*>(timer->data)->Turn(); };
  CHECK(uv_timer_start(&timer_, turn, static_cast<uint64_t>(next_ms), 0) == 0);
}

void EmbeddedReactor::Leave() { reactor_->Leave(); }

void EmbeddedReactor::Close(std::function<void()> closed) {
  closed_ = std::move(closed);
  const auto gone = [](uv_handle_t* handle) {
    auto* self = static_cast<EmbeddedReactor*>(handle->data);
    if (--self->handles_ > 0) return;
    // Moved out first: it may free this object.
    const auto done = std::move(self->closed_);
    done();
  };
  uv_close(reinterpret_cast<uv_handle_t*>(&timer_), gone);
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), gone);
}

}  // namespace holdfast
