#include "carrier/reactors.h"

#include <cstdlib>
#include <utility>

#include "base/check.h"

namespace holdfast {

Reactors& Reactors::Get() {
  static Reactors* const reactors = new Reactors;  // leaked, as the registry is
  return *reactors;
}

void Reactors::Enter() {
  MutexLock lock(mu_);
  threads_++;
}

void Reactors::Start(Registry& registry, const Nghttp2Api& api, uint64_t count) {
  MutexLock lock(mu_);
  // Behind it exit() takes OpenSSL's memory away, from under whoever is amid a handshake.
  if (!std::exchange(halts_at_exit_, true)) CHECK(std::atexit([] { Get().Halt(); }) == 0);
  while (reactors_.size() < count) {
    std::unique_ptr<ReactorThread> reactor = ReactorThread::Start(registry, api, {});
    if (reactor == nullptr) return;
    reactors_.push_back(std::move(reactor));
  }
}

void Reactors::Halt() {
  MutexLock lock(mu_);
  for (const std::unique_ptr<ReactorThread>& reactor : reactors_) reactor->Halt();
}

void Reactors::Exit() {
  std::vector<std::unique_ptr<ReactorThread>> stopped;
  {
    MutexLock lock(mu_);
    if (--threads_ > 0) return;
    stopped.swap(reactors_);
  }
}

}  // namespace holdfast
