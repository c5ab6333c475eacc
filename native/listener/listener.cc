#include "listener/listener.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/clock.h"

namespace holdfast {
namespace {

// Who has to be told when a worker begins to accept. Leaked: a thread may ask at exit.
struct ListenerList {
  Mutex mu;
  std::vector<Poller*> pollers GUARDED_BY(mu);
};

ListenerList& List() {
  static ListenerList* const list = new ListenerList;
  return *list;
}

bool OutOfResources(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

std::unique_ptr<Listener> Listener::Open(Registry& registry, const ListenAddress& address,
                                         std::shared_ptr<const PortContext> tls,
                                         const FirstLookLimits& limits) {
  const int fd = OpenListeningSocket(address);
  if (fd < 0) return nullptr;
  std::unique_ptr<Poller> poller = Poller::Create();
  if (poller == nullptr) {
    const int error = errno;
    CHECK(close(fd) == 0);
    errno = error;
    return nullptr;
  }
  std::unique_ptr<Listener> listener(
      new Listener(registry, fd, std::move(poller), std::move(tls), limits));
  // Signals are for the process's own threads.
  sigset_t all;
  sigset_t before;
  CHECK(sigfillset(&all) == 0);
  CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
  const int error = pthread_create(
      &listener->thread_, nullptr,
      [](void* self) -> void* {
        static_cast<Listener*>(self)->Run();
        return nullptr;
      },
      listener.get());
  CHECK(pthread_sigmask(SIG_SETMASK, &before, nullptr) == 0);
  if (error != 0) {
    listener->thread_ = {};
    listener.reset();
    errno = error;
    return nullptr;
  }
  return listener;
}

Listener::Listener(Registry& registry, int fd, std::unique_ptr<Poller> poller,
                   std::shared_ptr<const PortContext> tls, const FirstLookLimits& limits)
    : registry_(registry),
      fd_(fd),
      port_(PortOf(fd)),
      poller_(std::move(poller)),
      tls_(std::move(tls)),
      first_look_(registry, *poller_, tls_, limits) {
  MutexLock lock(List().mu);
  List().pollers.push_back(poller_.get());
}

Listener::~Listener() {
  {
    MutexLock lock(List().mu);
    std::erase(List().pollers, poller_.get());
  }
  stop_.store(true, std::memory_order_release);
  if (thread_ != pthread_t{}) {
    poller_->Wake();
    CHECK(pthread_join(thread_, nullptr) == 0);
  }
  CHECK(close(fd_) == 0);
}

void Listener::NotifyAll() {
  MutexLock lock(List().mu);
  for (Poller* poller : List().pollers) poller->Wake();
}

void Listener::Run() {
  std::array<PollEvent, 64> events;
  bool paused = false;
  while (!stop_.load(std::memory_order_acquire)) {
    const int count = poller_->Wait(events, Prepare(paused));
    CHECK(count >= 0);
    paused = false;
    for (const PollEvent& event : std::span(events).first(static_cast<size_t>(count))) {
      if (event.kind != PollEvent::Kind::kReadable) continue;
      if (event.token == FirstLook::kNoToken) {
        paused = !AcceptSome();
      } else {
        first_look_.OnInput(event);
      }
    }
  }
}

int Listener::Prepare(bool paused) {
  const bool sessions = registry_.AnyoneTakesSessions();
  const bool anyone = sessions || registry_.AnyoneAccepts();
  if (sessions) {
    first_look_.LookAgain();
  } else if (anyone) {
    first_look_.GiveUp();
  }
  const bool watches = SetWatching(!paused && anyone);
  const int expires = first_look_.Expire(MonotonicMs());
  if (!paused && watches) return expires;
  return expires < 0 ? kPauseMs : std::min(kPauseMs, expires);
}

bool Listener::AcceptSome() {
  // In runs, so that a flood of connections does not keep the thread from being stopped.
  for (int i = 0; i < 64; i++) {
    const bool sessions = registry_.AnyoneTakesSessions();
    if (!sessions && !registry_.AnyoneAccepts()) return true;
    const int fd = AcceptConnection(fd_);
    if (fd >= 0) {
      if (sessions) {
        first_look_.Begin(fd, MonotonicMs());
      } else {
        registry_.Place({fd, tls_, Destination::kSockets});
      }
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return true;
    if (OutOfResources(errno)) return false;
    // Any other error belongs to the one connection, which is gone (accept(2)).
  }
  return true;
}

// False if the system has no room for it now.
bool Listener::SetWatching(bool watching) {
  if (watching == watching_) return true;
  if (watching) {
    if (!IsOk(poller_->WatchReadable(fd_, FirstLook::kNoToken))) return false;
  } else {
    CHECK(IsOk(poller_->Forget(fd_)));
  }
  watching_ = watching;
  return true;
}

}  // namespace holdfast
