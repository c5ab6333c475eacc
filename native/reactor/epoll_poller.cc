#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/check.h"
#include "reactor/poller.h"

namespace holdfast {
namespace {

constexpr uint32_t kKindShift = 62;
constexpr uint64_t kTokenMask = (uint64_t{1} << kKindShift) - 1;

// Two bits for four kinds: the wake-up and the timer share one, as neither has a token of a user's.
constexpr uint64_t kOwn = 0;
constexpr uint64_t kTimerToken = 1;
constexpr uint64_t TagOf(PollEvent::Kind kind) {
  switch (kind) {
    case PollEvent::Kind::kHangup:
      return 1;
    case PollEvent::Kind::kReadable:
      return 2;
    case PollEvent::Kind::kSocket:
      return 3;
    default:
      return kOwn;
  }
}
PollEvent::Kind KindOf(uint64_t data) {
  constexpr PollEvent::Kind kKinds[] = {PollEvent::Kind::kWakeup, PollEvent::Kind::kHangup,
                                        PollEvent::Kind::kReadable, PollEvent::Kind::kSocket};
  return data == kTimerToken ? PollEvent::Kind::kTimer : kKinds[data >> kKindShift];
}

Status Add(int poller, int fd, uint32_t events, PollEvent::Kind kind, uint64_t token) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = TagOf(kind) << kKindShift | (token & kTokenMask);
  return epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) == 0 ? Status::kOk : Status::kSystem;
}

Status Arm(int timer, uint64_t first_ms, uint64_t interval_ms) {
  const auto after = [](uint64_t ms) {
    return timespec{static_cast<time_t>(ms / 1000), static_cast<long>(ms % 1000) * 1000000};
  };
  const itimerspec spec{after(interval_ms), after(first_ms)};
  return timerfd_settime(timer, 0, &spec, nullptr) == 0 ? Status::kOk : Status::kSystem;
}

}  // namespace

std::unique_ptr<Poller> Poller::Create() {
  std::unique_ptr<Poller> poller(new Poller);
  poller->fd_ = epoll_create1(EPOLL_CLOEXEC);
  poller->wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  poller->timer_fd_ = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  poller->alarm_fd_ = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (poller->fd_ < 0 || poller->wake_fd_ < 0 || poller->timer_fd_ < 0 || poller->alarm_fd_ < 0) {
    return nullptr;
  }
  // The wake-ups are edge-triggered: each is told, and nobody has to read the counter.
  constexpr auto kWakeup = PollEvent::Kind::kWakeup;
  if (!IsOk(Add(poller->fd_, poller->wake_fd_, EPOLLIN | EPOLLET, kWakeup, 0)) ||
      !IsOk(Add(poller->fd_, poller->alarm_fd_, EPOLLIN | EPOLLET, kWakeup, 0)) ||
      !IsOk(Add(poller->fd_, poller->timer_fd_, EPOLLIN, PollEvent::Kind::kTimer, kTimerToken))) {
    return nullptr;
  }
  return poller;
}

Poller::~Poller() {
  for (const int fd : {alarm_fd_, timer_fd_, wake_fd_, fd_}) {
    if (fd >= 0) CHECK(close(fd) == 0);
  }
}

void Poller::Wake() {
  const uint64_t one = 1;
  ssize_t written;
  do {
    written = write(wake_fd_, &one, sizeof one);
  } while (written < 0 && errno == EINTR);
  CHECK(written == sizeof one);
}

void Poller::WakeIn(uint64_t delay_ms) {
  // 0 would stop it.
  CHECK(IsOk(Arm(alarm_fd_, delay_ms == 0 ? 1 : delay_ms, 0)));
}

Status Poller::SetTimer(uint64_t interval_ms) { return Arm(timer_fd_, interval_ms, interval_ms); }

Status Poller::WatchHangup(int fd, uint64_t token) {
  // Edge-triggered, since a peer that stays half-closed would otherwise be told for ever. EPOLLERR
  // and EPOLLHUP are always watched.
  return Add(fd_, fd, EPOLLRDHUP | EPOLLET, PollEvent::Kind::kHangup, token);
}

Status Poller::WatchReadable(int fd, uint64_t token) {
  return Add(fd_, fd, EPOLLIN, PollEvent::Kind::kReadable, token);
}

Status Poller::WatchInput(int fd, uint64_t token) {
  return Add(fd_, fd, EPOLLIN | EPOLLRDHUP | EPOLLET, PollEvent::Kind::kReadable, token);
}

Status Poller::WatchSocket(int fd, uint64_t token) {
  return Add(fd_, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, PollEvent::Kind::kSocket, token);
}

Status Poller::Forget(int fd) {
  return epoll_ctl(fd_, EPOLL_CTL_DEL, fd, nullptr) == 0 ? Status::kOk : Status::kSystem;
}

int Poller::Wait(std::span<PollEvent> events, int timeout_ms) {
  constexpr int kMost = 64;
  epoll_event ready[kMost];
  const int most = events.size() < kMost ? static_cast<int>(events.size()) : kMost;
  int count;
  do {
    count = epoll_wait(fd_, ready, most, timeout_ms);
  } while (count < 0 && errno == EINTR);
  for (int i = 0; i < count; i++) {
    const auto kind = KindOf(ready[i].data.u64);
    if (kind == PollEvent::Kind::kTimer) {
      // A timerfd rearms when it is read. EAGAIN: it was set anew meanwhile.
      uint64_t expirations;
      CHECK(read(timer_fd_, &expirations, sizeof expirations) == sizeof expirations ||
            errno == EAGAIN);
    }
    PollEvent& event = events[static_cast<size_t>(i)];
    event = {kind, ready[i].data.u64 & kTokenMask};
    constexpr uint32_t kBroken = EPOLLERR | EPOLLHUP;
    if (kind == PollEvent::Kind::kReadable || kind == PollEvent::Kind::kSocket) {
      event.ended = (ready[i].events & (EPOLLRDHUP | kBroken)) != 0;
    }
    if (kind == PollEvent::Kind::kSocket) {
      event.readable = (ready[i].events & (EPOLLIN | EPOLLRDHUP | kBroken)) != 0;
      event.writable = (ready[i].events & (EPOLLOUT | kBroken)) != 0;
    }
  }
  return count;
}

}  // namespace holdfast
