#include <errno.h>
#include <fcntl.h>
#include <sys/event.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/check.h"
#include "reactor/poller.h"

namespace holdfast {
namespace {

// EVFILT_USER and EVFILT_TIMER have name spaces of their own.
constexpr uintptr_t kWakeIdent = 0;
constexpr uintptr_t kTimerIdent = 0;
constexpr uintptr_t kAlarmIdent = 1;
// Which watch of a descriptor it is stands above the token. The wake-up and the timer are told by
// their filter, so a kind of theirs is free.
constexpr uint32_t kKindShift = 62;
constexpr uint64_t kTokenMask = (uint64_t{1} << kKindShift) - 1;
constexpr auto kSocketTag = static_cast<uint64_t>(PollEvent::Kind::kTimer);

Status Change(int poller, uintptr_t ident, int16_t filter, uint16_t flags, uint32_t fflags,
              int64_t data, uint64_t udata) {
  struct kevent change;
  EV_SET(&change, ident, filter, flags, fflags, data, reinterpret_cast<void*>(udata));
  int result;
  do {
    result = kevent(poller, &change, 1, nullptr, 0, nullptr);
  } while (result < 0 && errno == EINTR);
  return result == 0 ? Status::kOk : Status::kSystem;
}

uint64_t Tagged(PollEvent::Kind kind, uint64_t token) {
  const uint64_t tag = kind == PollEvent::Kind::kSocket ? kSocketTag : static_cast<uint64_t>(kind);
  return tag << kKindShift | (token & kTokenMask);
}

}  // namespace

std::unique_ptr<Poller> Poller::Create() {
  std::unique_ptr<Poller> poller(new Poller);
  poller->fd_ = kqueue();
  if (poller->fd_ < 0 || fcntl(poller->fd_, F_SETFD, FD_CLOEXEC) != 0) return nullptr;
  if (!IsOk(Change(poller->fd_, kWakeIdent, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0, 0))) {
    return nullptr;
  }
  return poller;
}

Poller::~Poller() {
  if (fd_ >= 0) CHECK(close(fd_) == 0);
}

void Poller::Wake() { CHECK(IsOk(Change(fd_, kWakeIdent, EVFILT_USER, 0, NOTE_TRIGGER, 0, 0))); }

void Poller::WakeIn(uint64_t delay_ms) {
  CHECK(IsOk(Change(fd_, kAlarmIdent, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0,
                    static_cast<int64_t>(delay_ms), 0)));
}

Status Poller::SetTimer(uint64_t interval_ms) {
  if (interval_ms != 0) {
    return Change(fd_, kTimerIdent, EVFILT_TIMER, EV_ADD, 0, static_cast<int64_t>(interval_ms), 0);
  }
  const Status status = Change(fd_, kTimerIdent, EVFILT_TIMER, EV_DELETE, 0, 0, 0);
  return IsOk(status) || errno == ENOENT ? Status::kOk : Status::kSystem;
}

Status Poller::WatchHangup(int fd, uint64_t token) {
  // EV_CLEAR, since a peer that stays half-closed would otherwise be told for ever. The low-water
  // mark keeps ordinary input from waking us; EV_EOF passes it.
  return Change(fd_, static_cast<uintptr_t>(fd), EVFILT_READ, EV_ADD | EV_CLEAR, NOTE_LOWAT,
                INT32_MAX, Tagged(PollEvent::Kind::kHangup, token));
}

Status Poller::WatchReadable(int fd, uint64_t token) {
  return Change(fd_, static_cast<uintptr_t>(fd), EVFILT_READ, EV_ADD, 0, 0,
                Tagged(PollEvent::Kind::kReadable, token));
}

Status Poller::WatchInput(int fd, uint64_t token) {
  return Change(fd_, static_cast<uintptr_t>(fd), EVFILT_READ, EV_ADD | EV_CLEAR, 0, 0,
                Tagged(PollEvent::Kind::kReadable, token));
}

Status Poller::WatchSocket(int fd, uint64_t token) {
  const uint64_t data = Tagged(PollEvent::Kind::kSocket, token);
  const auto ident = static_cast<uintptr_t>(fd);
  const Status reads = Change(fd_, ident, EVFILT_READ, EV_ADD | EV_CLEAR, 0, 0, data);
  return IsOk(reads) ? Change(fd_, ident, EVFILT_WRITE, EV_ADD | EV_CLEAR, 0, 0, data) : reads;
}

Status Poller::Forget(int fd) {
  return Change(fd_, static_cast<uintptr_t>(fd), EVFILT_READ, EV_DELETE, 0, 0, 0);
}

int Poller::Wait(std::span<PollEvent> events, int timeout_ms) {
  constexpr int kMost = 64;
  struct kevent ready[kMost];
  const int most = events.size() < kMost ? static_cast<int>(events.size()) : kMost;
  const timespec timeout = {timeout_ms / 1000, (timeout_ms % 1000) * 1000000L};
  int count;
  do {
    count = kevent(fd_, nullptr, 0, ready, most, timeout_ms < 0 ? nullptr : &timeout);
  } while (count < 0 && errno == EINTR);
  int told = 0;
  for (int i = 0; i < count; i++) {
    const uint64_t data = reinterpret_cast<uint64_t>(ready[i].udata);
    PollEvent event{static_cast<PollEvent::Kind>(data >> kKindShift), data & kTokenMask};
    if (event.kind == PollEvent::Kind::kReadable) event.ended = (ready[i].flags & EV_EOF) != 0;
    if (data >> kKindShift == kSocketTag) {
      event.kind = PollEvent::Kind::kSocket;
      event.ended = (ready[i].flags & EV_EOF) != 0;
      event.readable = ready[i].filter == EVFILT_READ;
      event.writable = ready[i].filter == EVFILT_WRITE || (ready[i].flags & EV_EOF) != 0;
    }
    if (ready[i].filter == EVFILT_USER) event.kind = PollEvent::Kind::kWakeup;
    if (ready[i].filter == EVFILT_TIMER) {
      const bool alarm = ready[i].ident == kAlarmIdent;
      event.kind = alarm ? PollEvent::Kind::kWakeup : PollEvent::Kind::kTimer;
    }
    if (event.kind == PollEvent::Kind::kHangup && (ready[i].flags & EV_EOF) == 0) continue;
    events[static_cast<size_t>(told++)] = event;
  }
  return told;
}

}  // namespace holdfast
