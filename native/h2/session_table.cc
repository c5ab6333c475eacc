#include "h2/session_table.h"

#include <utility>

#include "base/clock.h"
#include "h2/tls_port.h"

namespace holdfast {
namespace {

// Thirty bits of generation: a token has 62.
constexpr uint32_t kGenerationMask = (uint32_t{1} << 30) - 1;

uint64_t TokenOf(uint32_t generation, uint32_t place) {
  return static_cast<uint64_t>(generation) << 32 | place;
}

}  // namespace

void H2SessionTable::BeginTurn() {
  context_.now_ms = MonotonicMs();
  if (!readable_.empty()) ReadOn();
}

bool H2SessionTable::Adopt(int fd, const std::shared_ptr<const PortContext>& port) {
  // Ports of that one kind have a context.
  const auto* tls = static_cast<const TlsPort*>(port.get());
  std::unique_ptr<H2Session> session =
      H2Session::Open(context_, fd, tls == nullptr ? nullptr : tls->Current());
  if (session == nullptr) return false;
  uint32_t place;
  if (free_.empty()) {
    place = static_cast<uint32_t>(places_.size());
    places_.emplace_back();
  } else {
    place = free_.back();
    free_.pop_back();
  }
  Place& taken = places_[place];
  taken.generation = (taken.generation + 1) & kGenerationMask;
  taken.reads_on = false;
  session->set_place(place);
  taken.session = std::move(session);
  if (size_++ == 0) next_slice_ms_ = context_.now_ms + kSliceMs;
  if (!IsOk(poller_.WatchSocket(fd, TokenOf(taken.generation, place)))) Release(*taken.session);
  return true;
}

void H2SessionTable::OnSocket(const PollEvent& event) {
  const auto place = static_cast<uint32_t>(event.token);
  if (place >= places_.size()) return;
  Place& held = places_[place];
  if (held.session == nullptr || held.generation != event.token >> 32) return;
  H2Session& session = *held.session;
  if (event.writable && session.blocked()) session.Flush();
  if (event.readable && session.Read(event.ended) && !std::exchange(held.reads_on, true)) {
    readable_.push_back(event.token);
  }
  session.FlushRead();
  ReleaseIfFinished(session);
}

void H2SessionTable::ReadOn() {
  std::vector<uint64_t> tokens;
  tokens.swap(readable_);
  for (const uint64_t token : tokens) {
    places_[static_cast<uint32_t>(token)].reads_on = false;
    // It may have ended when it was left.
    OnSocket({.kind = PollEvent::Kind::kSocket, .token = token, .ended = true, .readable = true});
  }
}

int H2SessionTable::EndTurn() {
  if (context_.now_ms >= next_slice_ms_ && size_ > 0) CheckSlice();
  for (H2Session* session : H2Session::TakeDirty(context_)) {
    session->Flush();
    ReleaseIfFinished(*session);
  }
  // Behind the flush: what the sockets take at once is no burden.
  while (context_.held_bytes > context_.limits.max_held_bytes && ShedLargest()) continue;
  if (!readable_.empty() || !context_.dirty.empty()) return 0;
  return size_ > 0 ? static_cast<int>(kSliceMs) : -1;
}

// Rare, and each time the memory of many: so all may be looked at. False if none holds anything.
bool H2SessionTable::ShedLargest() {
  H2Session* largest = nullptr;
  for (const Place& place : places_) {
    H2Session* session = place.session.get();
    if (session == nullptr) continue;
    if (largest == nullptr || session->held_bytes() > largest->held_bytes()) largest = session;
  }
  if (largest == nullptr || largest->held_bytes() == 0) return false;
  largest->Shed();
  ReleaseIfFinished(*largest);
  return true;
}

void H2SessionTable::CheckSlice() {
  next_slice_ms_ = context_.now_ms + kSliceMs;
  for (size_t place = slice_; place < places_.size(); place += kSlices) {
    H2Session* session = places_[place].session.get();
    if (session == nullptr) continue;
    (void)session->CheckTime();
    ReleaseIfFinished(*session);
  }
  slice_ = (slice_ + 1) % kSlices;
}

void H2SessionTable::ReleaseIfFinished(H2Session& session) {
  if (session.finished()) Release(session);
}

void H2SessionTable::Release(H2Session& session) {
  const uint32_t place = session.place();
  places_[place].session.reset();
  free_.push_back(place);
  size_--;
}

void H2SessionTable::Shutdown() {
  for (Place& place : places_) {
    if (place.session != nullptr) place.session->Shutdown();
  }
}

}  // namespace holdfast
