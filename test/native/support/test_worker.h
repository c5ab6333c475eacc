// A worker of the process's registry for the length of a test, and what a test asks of it.
#pragma once

#include <atomic>
#include <string>
#include <string_view>
#include <vector>

#include "core/registry.h"

namespace holdfast::test {

class CountingWaker final : public Waker {
 public:
  void Wake() override { wakes.fetch_add(1); }
  void WakeIn(uint64_t delay_ms) override { wakes_in.push_back(delay_ms); }
  std::atomic<uint32_t> wakes{0};
  std::vector<uint64_t> wakes_in;
};

inline Options RoomyOptions() {
  Options options;
  options[Option::kMaxStreamsPerWorker] = 1 << 20;
  options[Option::kMaxTotalStreams] = 1 << 20;
  options[Option::kCleanupIntervalMs] = 1000;
  options[Option::kPingTimeoutMs] = 10'000;
  options[Option::kSendBudgetBytes] = 1 << 20;
  options[Option::kMaxQueuedBytes] = uint64_t{1} << 40;
  return options;
}

inline StreamFacts FactsOf(StreamUid uid) {
  StreamFacts facts;
  facts.uid = uid;
  return facts;
}

class TestWorker {
 public:
  explicit TestWorker(const Options& options = RoomyOptions()) {
    CHECK(Registry::Get().Join(options, 0, &worker_) == Status::kOk);
    worker_->mailbox.Open(&waker_);
  }
  ~TestWorker() { Leave(); }
  TestWorker(const TestWorker&) = delete;
  TestWorker& operator=(const TestWorker&) = delete;

  Worker& operator*() const { return *worker_; }
  Worker* operator->() const { return worker_; }
  Worker* get() const { return worker_; }
  uint32_t wakes() const { return waker_.wakes.load(); }
  // The delays after which it asked to be woken.
  const std::vector<uint64_t>& wakes_in() const { return waker_.wakes_in; }

  // What came since, its room in the mailbox given back.
  Mailbox::Batch Take() const {
    Mailbox::Batch batch;
    worker_->mailbox.Take(&batch);
    for (const ChunkPtr& chunk : batch.chunks) worker_->mailbox.Unreserve(chunk->charged_bytes());
    return batch;
  }

  uint64_t Leave(CloseReason reason = CloseReason::kWorker) {
    if (left_) return 0;
    left_ = true;
    return Registry::Get().Leave(*worker_, reason);
  }

  uint32_t Open(const PeerAddress& peer = {}) {
    return Registry::Get().OpenSocket(*worker_, peer, /*placed=*/false);
  }
  void CloseSocket(uint32_t socket) {
    Registry::Get().CloseSocket(*worker_, socket, /*placed=*/false);
  }
  StreamFacts Create(uint32_t socket, StreamKind kind = StreamKind::kRaw,
                     std::string_view tags = {}, uint32_t handle = 0,
                     SlowPolicy policy = SlowPolicy::kDrop, bool marks_gaps = false) {
    StreamFacts facts;
    facts.kind = kind;
    facts.handle = handle;
    facts.policy = policy;
    facts.marks_gaps = marks_gaps;
    CHECK(Registry::Get().CreateStream(*worker_, socket, tags, &facts) == Status::kOk);
    return facts;
  }
  bool Destroy(StreamUid uid, CloseReason reason = CloseReason::kEnd) {
    return Registry::Get().DestroyStream(*worker_, uid, reason);
  }
  bool Detach(StreamUid uid) { return Registry::Get().Detach(*worker_, uid); }

 private:
  Worker* worker_ = nullptr;
  // Outlived by no thread of the test: each joins its threads before its workers go.
  CountingWaker waker_;
  bool left_ = false;
};

// What the process counted since this object was made.
class CountedSince {
 public:
  CountedSince() : before_(Registry::Get().Totals()) {}
  uint64_t operator[](Counter counter) const {
    const auto index = static_cast<uint32_t>(counter);
    return Registry::Get().Totals()[index] - before_[index];
  }

 private:
  const std::array<uint64_t, kCounters> before_;
};

}  // namespace holdfast::test
