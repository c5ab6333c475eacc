#include "core/registry.h"

#include <algorithm>
#include <cstring>

#include "base/clock.h"
#include "core/loss.h"
#include "core/subscriptions.h"

namespace holdfast {

Registry& Registry::Get() {
  static Registry* const registry = new Registry;
  return *registry;
}

Status Registry::Join(const Options& options, uint32_t explicit_options, Worker** out,
                      WorkerKind kind) {
  WriteLock lock(mu_);
  if (live_.empty()) {
    options_ = options;
  } else {
    for (uint32_t i = 0; i < kOptions; i++) {
      const Option option = static_cast<Option>(i);
      if ((explicit_options >> i & 1) != 0 && options[option] != options_[option]) {
        return Status::kOptionsMismatch;
      }
    }
  }
  Worker* worker;
  if (!dead_.empty()) {
    worker = dead_.back();
    dead_.pop_back();
  } else {
    if (all_.size() == kMaxWorkers) return Status::kExhausted;
    worker = new Worker(*this, static_cast<uint32_t>(all_.size()));
    all_.push_back(worker);
    workers_[worker->id].store(worker, std::memory_order_release);
  }
  worker->options = options_;
  worker->Begin(kind);
  worker->topic_members.ForgetGaps();
  worker->load.store(0, std::memory_order_relaxed);
  worker->connections.store(0, std::memory_order_relaxed);
  worker->alive.store(true, std::memory_order_release);
  live_.push_back(worker);
  *out = worker;
  return Status::kOk;
}

uint64_t Registry::Leave(Worker& worker, CloseReason reason) {
  worker.accepting.store(false, std::memory_order_release);
  worker.takes_requests.store(false, std::memory_order_release);
  worker.takes_sessions.store(false, std::memory_order_release);
  worker.alive.store(false, std::memory_order_release);
  Mailbox::Batch left = worker.mailbox.Close();
  for (const ChunkPtr& chunk : left.chunks) {
    Lose(*this, &worker, *chunk);
    worker.mailbox.Unreserve(chunk->charged_bytes());
  }

  const uint64_t streams = DestroyAll(worker, reason);
  worker.counters.Add(Counter::kSocketsClosed, worker.cache.CloseAllSockets());

  queued_bytes_.fetch_add(std::exchange(worker.untold_queued_bytes, 0), std::memory_order_relaxed);
  {
    WriteLock lock(mu_);
    std::erase(live_, &worker);
    // Nobody is left who could ask for them, and the next to come has options of its own.
    if (live_.empty()) rings_.ForgetAll();
  }
  for (Connection& connection : left.connections) {
    worker.counters.Add(Counter::kConnectionsReturned);
    Place(std::move(connection));
  }
  AnnounceExit(worker.id, streams);
  // Last: from here the number may be given to another thread.
  WriteLock lock(mu_);
  dead_.push_back(&worker);
  return streams;
}

uint64_t Registry::DestroyAll(Worker& worker, CloseReason reason) {
  // So that nobody adopts a request behind our back.
  MutexLock lock(worker.requests.mu);
  uint64_t streams = 0;
  uint64_t cursor = 0;
  do {
    std::vector<StreamUid> found;
    cursor = worker.cache.Scan(cursor, 1024, [&](StreamUid uid) { found.push_back(uid); });
    for (const StreamUid uid : found) streams += DestroyStream(worker, uid, reason) ? 1 : 0;
  } while (cursor != WorkerCache::kScanEnd);
  return streams;
}

void Registry::AnnounceExit(uint32_t worker_id, uint64_t streams) {
  for (Worker* other : LiveWorkers()) {
    // One that leaves as well need not know.
    (void)other->mailbox.PostAlone(
        StreamUid{worker_id}, MessageOp::kWorkerExit, sizeof streams,
        [&](uint8_t* out) { std::memcpy(out, &streams, sizeof streams); });
  }
}

uint32_t Registry::OpenSocket(Worker& worker, const PeerAddress& peer, bool placed) {
  const uint32_t socket = worker.cache.OpenSocket(peer);
  if (socket == kNone) return kNone;
  if (!placed) worker.load.fetch_add(1, std::memory_order_relaxed);
  worker.counters.Add(Counter::kSocketsOpened);
  return socket;
}

void Registry::CloseSocket(Worker& worker, uint32_t socket, bool placed) {
  worker.cache.CloseSocket(socket);
  if (!placed) worker.load.fetch_sub(1, std::memory_order_relaxed);
  worker.counters.Add(Counter::kSocketsClosed);
}

Status Registry::CreateStream(Worker& worker, uint32_t socket, std::string_view tags,
                              StreamFacts* out, Worker* self) {
  if (worker.live_streams.load(std::memory_order_relaxed) >=
      worker.options[Option::kMaxStreamsPerWorker]) {
    return Status::kWorkerLimit;
  }
  // Reserve, and undo when over: two threads may both see the last place free.
  if (total_streams_.fetch_add(1, std::memory_order_relaxed) >=
      worker.options[Option::kMaxTotalStreams]) {
    total_streams_.fetch_sub(1, std::memory_order_relaxed);
    return Status::kTotalLimit;
  }
  out->created_ms = MonotonicMs();
  const uint32_t on_socket = worker.cache.Mint(socket, tags, out);
  if (on_socket == 0) {
    total_streams_.fetch_sub(1, std::memory_order_relaxed);
    return Status::kExhausted;
  }
  out->last_active_ms = out->created_ms;
  worker.live_streams.fetch_add(1, std::memory_order_relaxed);
  if (on_socket > 1) worker.load.fetch_add(1, std::memory_order_relaxed);
  (self != nullptr ? self : &worker)->counters.Add(CreatedOf(out->kind));
  return Status::kOk;
}

bool Registry::DestroyStream(Worker& worker, StreamUid uid, CloseReason reason) {
  CHECK(uid.worker_id() == worker.id);
  StreamLine* line = worker.cache.Find(uid);
  if (line == nullptr) return false;
  const StreamKind kind = line->kind();
  if (line->detached()) {
    RemoveAutonomous(*line);
    worker.counters.Add(Counter::kDetachedDestroyed);
  }
  if (line->subscribed()) LeaveTopics(*this, worker, uid, kind);
  if (KeepsQueue(line->policy())) worker.held_back.Forget(uid);
  if (line->slow()) worker.slow_streams.Set(uid, false);
  worker.alarms.Forget(uid);
  uint64_t queued_bytes;
  if (worker.cache.Retire(uid, &queued_bytes) > 0)
    worker.load.fetch_sub(1, std::memory_order_relaxed);
  AddQueued(&worker, -static_cast<int64_t>(queued_bytes));
  total_streams_.fetch_sub(1, std::memory_order_relaxed);
  worker.live_streams.fetch_sub(1, std::memory_order_relaxed);
  worker.counters.Add(DestroyedOf(kind));
  worker.counters.Add(ClosedBy(reason));
  return true;
}

bool Registry::Detach(Worker& worker, StreamUid uid, Worker* self) {
  StreamLine* line = worker.cache.Find(uid);
  if (line == nullptr) return false;
  if (line->detached()) return true;
  {
    WriteLock lock(mu_);
    line->set_autonomous_index(static_cast<uint32_t>(autonomous_.size()));
    autonomous_.push_back(uid);
    line->MarkDetached(MonotonicMs());
  }
  (self != nullptr ? self : &worker)->counters.Add(Counter::kStreamsDetached);
  return true;
}

void Registry::RemoveAutonomous(StreamLine& line) {
  WriteLock lock(mu_);
  // The last one takes the place of the one that goes. It is live: it cannot leave without this
  // lock.
  const uint32_t place = line.autonomous_index();
  const StreamUid last = autonomous_.back();
  autonomous_[place] = last;
  FindLine(last)->set_autonomous_index(place);
  autonomous_.pop_back();
}

std::vector<Worker*> Registry::LiveWorkers() {
  ReadLock lock(mu_);
  return live_;
}

std::vector<StreamUid> Registry::AutonomousStreams() {
  ReadLock lock(mu_);
  return {autonomous_.begin(), autonomous_.end()};
}

uint64_t Registry::Sum(Counter counter) const {
  uint64_t sum = shared_counters_.Get(counter);
  for (const Worker* worker : all_) sum += worker->counters.Get(counter);
  return sum;
}

std::array<uint64_t, kCounters> Registry::Totals() {
  ReadLock lock(mu_);
  std::array<uint64_t, kCounters> totals{};
  // Ends before beginnings, so that a stream born and gone meanwhile never counts as minus one:
  // core/counters.h lists beginnings first.
  for (uint32_t i = kCounters; i-- > 0;) totals[i] = Sum(static_cast<Counter>(i));
  return totals;
}

}  // namespace holdfast
