#include "core/adoption.h"

#include "base/clock.h"
#include "core/heartbeat.h"
#include "core/subscriptions.h"

namespace holdfast {
namespace {

constexpr uint32_t kGenerationMask = (1u << RequestId::kGenerationBits) - 1;

// Calls `change(reactor)` while the stream of a reactor cannot end; false if it has.
template <typename Change>
bool WhileItLives(Registry& registry, StreamUid uid, Change change) {
  Worker* reactor = registry.FindWorker(uid.worker_id());
  if (reactor == nullptr || reactor->kind() != WorkerKind::kReactor) return false;
  MutexLock lock(reactor->requests.mu);
  return reactor->cache.Find(uid) != nullptr && change(*reactor);
}

}  // namespace

RequestId OpenRequest(Worker& reactor, uint32_t socket) {
  RequestPlaces& requests = reactor.requests;
  MutexLock lock(requests.mu);
  uint32_t slot;
  if (requests.free.empty()) {
    slot = static_cast<uint32_t>(requests.places.size());
    CHECK(slot < 1u << RequestId::kSlotBits);
    requests.places.emplace_back();
  } else {
    slot = requests.free.back();
    requests.free.pop_back();
  }
  RequestPlace& place = requests.places[slot];
  place.generation = (place.generation + 1) & kGenerationMask;
  place.socket = socket;
  place.open = true;
  place.uid = {};
  return {reactor.id, slot, place.generation};
}

StreamUid CloseRequest(Registry& registry, Worker& reactor, uint32_t slot, CloseReason reason) {
  RequestPlaces& requests = reactor.requests;
  MutexLock lock(requests.mu);
  RequestPlace& place = requests.places[slot];
  place.open = false;
  const StreamUid uid = place.uid;
  if (uid.value != 0) (void)registry.DestroyStream(reactor, uid, reason);
  requests.free.push_back(slot);
  return uid;
}

Status AdoptRequest(Registry& registry, Worker& self, RequestId request, std::string_view tags,
                    StreamFacts* out) {
  Worker* reactor = registry.FindWorker(request.reactor);
  if (reactor == nullptr || reactor->kind() != WorkerKind::kReactor) return Status::kGone;
  RequestPlaces& requests = reactor->requests;
  MutexLock lock(requests.mu);
  if (request.slot >= requests.places.size()) return Status::kGone;
  RequestPlace& place = requests.places[request.slot];
  if (!place.open || place.generation != request.generation) return Status::kGone;
  if (place.uid.value != 0) return Status::kInvalid;
  out->handle = request.slot;
  const Status status = registry.CreateStream(*reactor, place.socket, tags, out, &self);
  if (IsOk(status)) place.uid = out->uid;
  return status;
}

bool DetachOnReactor(Registry& registry, Worker& self, StreamUid uid) {
  return WhileItLives(registry, uid,
                      [&](Worker& reactor) { return registry.Detach(reactor, uid, &self); });
}

bool SubscribeOnReactor(Registry& registry, StreamUid uid, std::string_view topic) {
  return WhileItLives(registry, uid,
                      [&](Worker& reactor) { return Subscribe(registry, reactor, uid, topic); });
}

bool UnsubscribeOnReactor(Registry& registry, StreamUid uid, std::string_view topic) {
  return WhileItLives(registry, uid,
                      [&](Worker& reactor) { return Unsubscribe(registry, reactor, uid, topic); });
}

Resumption ResumeOnReactor(Registry& registry, Worker& self, StreamUid uid, std::string_view topic,
                           std::string_view after, bool gap_told) {
  Resumption resumption;
  (void)WhileItLives(registry, uid, [&](Worker& reactor) {
    resumption = Resume(registry, self, reactor, uid, topic, after, gap_told);
    return true;
  });
  return resumption;
}

void MarkClosingOnReactor(Registry& registry, StreamUid uid) {
  (void)WhileItLives(registry, uid, [&](Worker& reactor) {
    reactor.cache.Find(uid)->MarkClosing(MonotonicMs());
    return true;
  });
}

void SetHeartbeatOnReactor(Registry& registry, StreamUid uid, uint32_t interval_ms) {
  (void)WhileItLives(registry, uid, [&](Worker& reactor) {
    SetHeartbeat(reactor, uid, interval_ms);
    return true;
  });
}

}  // namespace holdfast
