#include "carrier/reactor_thread.h"

#include <signal.h>

#include "base/check.h"

namespace holdfast {

std::unique_ptr<ReactorThread> ReactorThread::Start(Registry& registry, const Nghttp2Api& api,
                                                    const H2Limits& limits, uint64_t mark_wait_ms) {
  std::unique_ptr<ReactorWorker> reactor =
      ReactorWorker::Create(registry, api, limits, nullptr, mark_wait_ms);
  if (reactor == nullptr) return nullptr;
  std::unique_ptr<ReactorThread> self(new ReactorThread(std::move(reactor)));
  // Signals are for the process's own threads.
  sigset_t all;
  sigset_t before;
  CHECK(sigfillset(&all) == 0);
  CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
  const auto run = [](void* object) -> void* {
    static_cast<ReactorThread*>(object)->Run();
    return nullptr;
  };
  self->started_ = pthread_create(&self->thread_, nullptr, run, self.get()) == 0;
  CHECK(pthread_sigmask(SIG_SETMASK, &before, nullptr) == 0);
  if (!self->started_) return nullptr;
  self->reactor_->TakeSessions();
  return self;
}

ReactorThread::~ReactorThread() {
  if (!started_) {
    reactor_->Leave();
    return;
  }
  Stop();
}

void ReactorThread::Halt() {
  halted_.store(true, std::memory_order_release);
  Stop();
}

void ReactorThread::Stop() {
  stop_.store(true, std::memory_order_release);
  reactor_->poller().Wake();
  CHECK(pthread_join(thread_, nullptr) == 0);
}

void ReactorThread::Run() {
  int timeout_ms = -1;
  while (!stop_.load(std::memory_order_acquire)) timeout_ms = reactor_->Turn(timeout_ms);
  if (!halted_.load(std::memory_order_acquire)) reactor_->Leave();
}

}  // namespace holdfast
