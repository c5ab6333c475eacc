#include "loop/reactor_embed.h"

#include <utility>

#include "base/check.h"

namespace holdfast {

int ReactorEmbed::Start(uv_loop_t* loop) {
  const int error = uv_poll_init(loop, &poll_, reactor_.fd());
  if (error != 0) return error;
  CHECK(uv_idle_init(loop, &next_turn_) == 0);
  poll_.data = next_turn_.data = this;
  uv_unref(reinterpret_cast<uv_handle_t*>(&poll_));
  uv_unref(reinterpret_cast<uv_handle_t*>(&next_turn_));
  const int started = uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* poll, int status, int) {
    auto* self = static_cast<ReactorEmbed*>(poll->data);
    // An error here is one of the descriptor itself, which is ours and open.
    CHECK(status == 0);
    CHECK(IsOk(self->reactor_.Process(self->handler_)));
  });
  CHECK(started == 0);  // libuv documents no failure of it for a descriptor that init accepted
  return 0;
}

void ReactorEmbed::SetRef(bool ref) {
  auto* handle = reinterpret_cast<uv_handle_t*>(&poll_);
  ref ? uv_ref(handle) : uv_unref(handle);
}

void ReactorEmbed::GoOn() {
  const auto turn = [](uv_idle_t* idle) {
    CHECK(uv_idle_stop(idle) == 0);
    ReactorHandler& handler = static_cast<ReactorEmbed*>(idle->data)->handler_;
    if (handler.running()) handler.OnWakeup();
  };
  CHECK(uv_idle_start(&next_turn_, turn) == 0);
}

bool ReactorEmbed::LoopHas(int fd) {
  struct Search {
    int fd;
    bool found = false;
  } search{fd};
  uv_walk(
      poll_.loop,
      [](uv_handle_t* handle, void* data) {
        auto* wanted = static_cast<Search*>(data);
        uv_os_fd_t of_handle;
        if (uv_fileno(handle, &of_handle) == 0 && of_handle == wanted->fd) wanted->found = true;
      },
      &search);
  return search.found;
}

void ReactorEmbed::Close(std::function<void()> closed) {
  closed_ = std::move(closed);
  const auto gone = [](uv_handle_t* handle) {
    auto* self = static_cast<ReactorEmbed*>(handle->data);
    if (--self->handles_ > 0) return;
    // Moved out first: it may free this object.
    const auto done = std::move(self->closed_);
    done();
  };
  uv_close(reinterpret_cast<uv_handle_t*>(&next_turn_), gone);
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), gone);
}

}  // namespace holdfast
