// The registry of the process: which workers live, which streams are autonomous, what the limits
// are, and where a new connection goes.
//
// Levels of locks. mu_, the read-write lock, guards the list of workers, the options and the list
// of autonomous streams. Above it stand a reactor's RequestPlaces; below it each worker's cache
// mutex, of which a thread holds one at a time; below that the rings of topics that are kept
// (core/replay_ring.h); and below all of them the leaves: mailboxes, topics and their members,
// alarms (native/README.md has the whole list). A look-up by uid takes none of them: workers_ is an
// array of pointers published once, a worker's slot directory likewise, and a stream's line proves
// by itself whether it still holds the uid (core/stream_line.h). Writers are preferred by the lock,
// since readers (enumeration, statistics, placement) can wait.
//
// One for the process, leaked on purpose: threads that use it may outlive every environment.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "core/replay_ring.h"
#include "core/static_answers.h"
#include "core/topics.h"
#include "core/worker.h"

namespace holdfast {

class Registry {
 public:
  static Registry& Get();

  // Makes the calling thread a worker, which then opens its mailbox. The first one's options hold
  // for all; later ones must not contradict them where `explicit_options` (bit n: option n) says
  // that they were given.
  Status Join(const Options& options, uint32_t explicit_options, Worker** out,
              WorkerKind kind = WorkerKind::kNodeThread) EXCLUDES(mu_);
  // The owner. Un-registers every stream of the worker with `reason`, tells the other workers,
  // gives its connections in flight to them; returns how many streams there were.
  uint64_t Leave(Worker& worker, CloseReason reason) EXCLUDES(mu_);

  // Any thread. nullptr if there never was one.
  Worker* FindWorker(uint32_t id) const { return workers_[id].load(std::memory_order_acquire); }
  StreamLine* FindLine(StreamUid uid) const {
    const Worker* worker = FindWorker(uid.worker_id());
    return worker == nullptr ? nullptr : worker->cache.Find(uid);
  }
  template <typename Out>  // StreamImage or StreamFacts
  bool Read(StreamUid uid, Out* out) const {
    const StreamLine* line = FindLine(uid);
    return line != nullptr && line->Read(uid, out);
  }
  // The same, and counts one hit, cross-worker look-up or miss. `self` is the calling thread's
  // worker or nullptr.
  template <typename Out>
  bool Find(Worker* self, StreamUid uid, Out* out);

  // The owner. A socket that was not placed here by the listener counts as load while it is open.
  uint32_t OpenSocket(Worker& worker, const PeerAddress& peer, bool placed);
  void CloseSocket(Worker& worker, uint32_t socket, bool placed);

  // The owner of the stream.
  // `out` says what kind of stream it is to be, its handle and its policy; the rest is filled in.
  // `self` counts it: the worker itself, unless another thread does this for it (core/adoption.h).
  Status CreateStream(Worker& worker, uint32_t socket, std::string_view tags, StreamFacts* out,
                      Worker* self = nullptr);
  // False if it was gone.
  bool DestroyStream(Worker& worker, StreamUid uid, CloseReason reason) EXCLUDES(mu_);
  // A second one is a no-op. False if the stream is gone.
  bool Detach(Worker& worker, StreamUid uid, Worker* self = nullptr) EXCLUDES(mu_);

  // Any thread.
  Topics& topics() { return topics_; }
  ReplayRings& rings() { return rings_; }
  StaticAnswers& static_answers() { return static_answers_; }

  // Hands the connection to the least loaded worker of its destination, or closes it if there is
  // none. One for a worker that takes sessions goes to a Node thread when no such worker lives.
  void Place(Connection connection) EXCLUDES(mu_);
  bool AnyoneAccepts() EXCLUDES(mu_);
  // Whether an HTTP/2 connection has somewhere to go and its requests have somebody to answer them.
  bool AnyoneTakesSessions() EXCLUDES(mu_);
  // The least loaded Node thread that takes requests of reactors; nullptr if there is none.
  Worker* PickRequestTaker() EXCLUDES(mu_);

  // Copies of the lists, to be walked without the lock.
  std::vector<Worker*> LiveWorkers() EXCLUDES(mu_);
  std::vector<StreamUid> AutonomousStreams() EXCLUDES(mu_);
  // The sums of all counters, `destroyed` never above `created`.
  std::array<uint64_t, kCounters> Totals() EXCLUDES(mu_);
  // Bytes that streams have waiting, in the process: each thread tells of its share now and then.
  uint64_t queued_bytes() const {
    return static_cast<uint64_t>(
        std::max<int64_t>(0, queued_bytes_.load(std::memory_order_relaxed)));
  }
  void AddQueued(Worker* self, int64_t bytes);
  uint64_t total_streams() const { return total_streams_.load(std::memory_order_relaxed); }

  // `self` is the calling thread's worker; nullptr: it is none, and counts for all of its like.
  void Count(Worker* self, Counter counter, uint64_t n = 1);

 private:
  Registry() = default;

  Worker* PickWorker(Destination destination) EXCLUDES(mu_);
  Worker* LeastLoadedLocked(std::atomic<bool> Worker::* takes) REQUIRES_SHARED(mu_);
  bool AnyoneLocked(std::atomic<bool> Worker::* takes) const REQUIRES_SHARED(mu_);
  uint64_t DestroyAll(Worker& worker, CloseReason reason) EXCLUDES(mu_);
  uint64_t Sum(Counter counter) const REQUIRES_SHARED(mu_);
  void RemoveAutonomous(StreamLine& line) EXCLUDES(mu_);
  void AnnounceExit(uint32_t worker_id, uint64_t streams) EXCLUDES(mu_);

  // Written once per number under mu_, release; read by any thread, acquire.
  std::atomic<Worker*> workers_[kMaxWorkers]{};
  std::atomic<uint64_t> total_streams_{0};  // reserve, and undo when over; relaxed
  std::atomic<uint32_t> next_pick_{0};      // spreads ties; relaxed
  std::atomic<int64_t> queued_bytes_{0};    // relaxed: it bounds memory, it orders nothing
  Counters shared_counters_;
  Topics topics_;
  ReplayRings rings_;
  StaticAnswers static_answers_;

  mutable SharedMutex mu_;
  Options options_ GUARDED_BY(mu_);
  std::vector<Worker*> all_ GUARDED_BY(mu_);
  std::vector<Worker*> live_ GUARDED_BY(mu_);
  std::vector<Worker*> dead_ GUARDED_BY(mu_);
  // A deque, so that a million of them never move at once. A line knows its place in it.
  std::deque<StreamUid> autonomous_ GUARDED_BY(mu_);
};

template <typename Out>
bool Registry::Find(Worker* self, StreamUid uid, Out* out) {
  const bool own = self != nullptr && self->id == uid.worker_id();
  // A branch, not a choice of address: the processor goes on to the next look-up while this line is
  // still on its way from memory.
  if (Read(uid, out)) [[likely]] {
    Count(self, own ? Counter::kCacheHits : Counter::kCrossWorkerLookups);
    return true;
  }
  Count(self, Counter::kCacheMisses);
  return false;
}

inline void Registry::AddQueued(Worker* self, int64_t bytes) {
  constexpr int64_t kUntold = 64 << 10;
  if (self != nullptr) {
    self->untold_queued_bytes += bytes;
    if (std::abs(self->untold_queued_bytes) < kUntold) return;
    bytes = std::exchange(self->untold_queued_bytes, 0);
  }
  queued_bytes_.fetch_add(bytes, std::memory_order_relaxed);
}

inline void Registry::Count(Worker* self, Counter counter, uint64_t n) {
  if (self != nullptr) {
    self->counters.Add(counter, n);
  } else {
    shared_counters_.AddShared(counter, n);
  }
}

}  // namespace holdfast
