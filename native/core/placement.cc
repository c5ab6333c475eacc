#include <unistd.h>

#include <algorithm>

#include "core/registry.h"

namespace holdfast {

void Registry::Place(Connection connection) {
  for (;;) {
    Worker* worker = PickWorker(connection.destination);
    if (worker == nullptr) {
      shared_counters_.AddShared(Counter::kConnectionsDropped);
      CHECK(close(connection.fd) == 0);
      return;
    }
    worker->load.fetch_add(1, std::memory_order_relaxed);
    worker->connections.fetch_add(1, std::memory_order_relaxed);
    if (worker->mailbox.PostConnection(connection)) {
      shared_counters_.AddShared(Counter::kConnectionsPlaced);
      return;
    }
    // It left between the choice and the post. Its load is set anew when the number is.
  }
}

Worker* Registry::PickWorker(Destination destination) {
  ReadLock lock(mu_);
  Worker* worker = nullptr;
  if (destination == Destination::kSessions) worker = LeastLoadedLocked(&Worker::takes_sessions);
  return worker != nullptr ? worker : LeastLoadedLocked(&Worker::accepting);
}

Worker* Registry::LeastLoadedLocked(std::atomic<bool> Worker::* takes) {
  Worker* best = nullptr;
  int64_t best_load = 0;
  const size_t count = live_.size();
  const uint32_t start = next_pick_.fetch_add(1, std::memory_order_relaxed);
  for (size_t i = 0; i < count; i++) {
    Worker* worker = live_[(start + i) % count];
    if (!(worker->*takes).load(std::memory_order_acquire)) continue;
    const int64_t load = worker->load.load(std::memory_order_relaxed);
    if (best == nullptr || load < best_load) {
      best = worker;
      best_load = load;
    }
  }
  return best;
}

bool Registry::AnyoneLocked(std::atomic<bool> Worker::* takes) const {
  return std::any_of(live_.begin(), live_.end(), [takes](const Worker* worker) {
    return (worker->*takes).load(std::memory_order_acquire);
  });
}

bool Registry::AnyoneAccepts() {
  ReadLock lock(mu_);
  return AnyoneLocked(&Worker::accepting);
}

bool Registry::AnyoneTakesSessions() {
  ReadLock lock(mu_);
  return AnyoneLocked(&Worker::takes_sessions) && AnyoneLocked(&Worker::takes_requests);
}

Worker* Registry::PickRequestTaker() {
  ReadLock lock(mu_);
  return LeastLoadedLocked(&Worker::takes_requests);
}

}  // namespace holdfast
