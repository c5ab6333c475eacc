#include "reactor/reactor.h"

#include <array>

namespace holdfast {

std::unique_ptr<Reactor> Reactor::Create() {
  std::unique_ptr<Poller> poller = Poller::Create();
  if (poller == nullptr) return nullptr;
  return std::unique_ptr<Reactor>(new Reactor(std::move(poller)));
}

Status Reactor::Process(ReactorHandler& handler) {
  std::array<PollEvent, 64> events;
  // Once: what is left keeps our descriptor readable, and the outer loop's other work gets its
  // turn. A nested descriptor may be told ready with nothing behind it; then the count is 0.
  const int count = poller_->Wait(events, 0);
  if (count < 0) return Status::kSystem;
  for (int i = 0; i < count && handler.running(); i++) {
    const PollEvent& event = events[static_cast<size_t>(i)];
    switch (event.kind) {
      case PollEvent::Kind::kWakeup:
        handler.OnWakeup();
        break;
      case PollEvent::Kind::kTimer:
        handler.OnTimer();
        break;
      case PollEvent::Kind::kHangup:
        handler.OnHangup(event.token);
        break;
      case PollEvent::Kind::kReadable:
      case PollEvent::Kind::kSocket:
        break;  // nobody watches input here; the listener has a poller of its own
    }
  }
  return Status::kOk;
}

}  // namespace holdfast
