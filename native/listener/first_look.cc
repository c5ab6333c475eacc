#include "listener/first_look.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

namespace holdfast {

FirstLook::~FirstLook() {
  for (const auto& [token, waiting] : waiting_) Close(waiting.fd, Counter::kConnectionsAbandoned);
}

void FirstLook::Begin(int fd, uint64_t now_ms) {
  const Sight sight = Look(fd, /*ended=*/false);
  if (sight != Sight::kUndecided) return Settle(fd, sight);
  const uint64_t token = ++last_token_;
  // Told at once if something has come since the look.
  if (!IsOk(poller_.WatchInput(fd, token))) return Settle(fd, Sight::kOther);
  waiting_.emplace_hint(waiting_.end(), token, Waiting{fd, now_ms + limits_.timeout_ms});
  if (waiting_.size() > limits_.most_waiting) Settle(Remove(waiting_.begin()), Sight::kOther);
}

void FirstLook::OnInput(const PollEvent& event) {
  const auto waiting = waiting_.find(event.token);
  if (waiting == waiting_.end()) return;
  if (!event.ended && !registry_.AnyoneTakesSessions() && !registry_.AnyoneAccepts()) {
    passed_over_ = true;
    return;
  }
  const Sight sight = Look(waiting->second.fd, event.ended);
  if (sight != Sight::kUndecided) Settle(Remove(waiting), sight);
}

int FirstLook::Expire(uint64_t now_ms) {
  while (!waiting_.empty() && waiting_.begin()->second.until_ms <= now_ms) {
    Close(Remove(waiting_.begin()), Counter::kConnectionsTimedOut);
  }
  if (waiting_.empty()) return -1;
  return static_cast<int>(std::min<uint64_t>(waiting_.begin()->second.until_ms - now_ms, INT_MAX));
}

void FirstLook::GiveUp() {
  while (!waiting_.empty()) Settle(Remove(waiting_.begin()), Sight::kOther);
}

void FirstLook::LookAgain() {
  if (!passed_over_) return;
  passed_over_ = false;
  for (auto next = waiting_.begin(); next != waiting_.end();) {
    const auto waiting = next++;
    const Sight sight = Look(waiting->second.fd, /*ended=*/false);
    if (sight != Sight::kUndecided) Settle(Remove(waiting), sight);
  }
}

FirstLook::Sight FirstLook::Look(int fd, bool ended) {
  ssize_t size;
  do {
    const size_t most = tls_ == nullptr ? kMostClearText : bytes_.size();
    size = recv(fd, bytes_.data(), most, MSG_PEEK | MSG_DONTWAIT);
  } while (size < 0 && errno == EINTR);
  if (size < 0) {
    const bool nothing_yet = errno == EAGAIN || errno == EWOULDBLOCK;
    return nothing_yet && !ended ? Sight::kUndecided : Sight::kGone;
  }
  if (size == 0) return Sight::kGone;
  const std::span<const uint8_t> bytes(bytes_.data(), static_cast<size_t>(size));
  switch (tls_ == nullptr ? ReadClearText(bytes) : ReadClientHello(bytes)) {
    case FirstBytes::kHttp2:
      return Sight::kHttp2;
    case FirstBytes::kOther:
      return Sight::kOther;
    case FirstBytes::kNeedMore:
      break;
  }
  return ended ? Sight::kGone : Sight::kUndecided;
}

void FirstLook::Settle(int fd, Sight sight) {
  if (sight == Sight::kGone) return Close(fd, Counter::kConnectionsAbandoned);
  registry_.Place(
      {fd, tls_, sight == Sight::kHttp2 ? Destination::kSessions : Destination::kSockets});
}

int FirstLook::Remove(Queue::iterator waiting) {
  const int fd = waiting->second.fd;
  waiting_.erase(waiting);
  // Before it is given away: its next owner's thread may close it at once.
  CHECK(IsOk(poller_.Forget(fd)));
  return fd;
}

void FirstLook::Close(int fd, Counter why) {
  registry_.Count(nullptr, why);
  CHECK(close(fd) == 0);
}

}  // namespace holdfast
