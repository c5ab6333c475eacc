// What the registry's find is measured beside. Each copies out the stream it finds, as the registry
// does.
#pragma once

#include <pthread.h>

#include <algorithm>
#include <memory>
#include <random>
#include <unordered_map>
#include <vector>

#include "base/cache_line.h"
#include "base/check.h"
#include "base/uid.h"

namespace holdfast {

struct alignas(kCacheLine) RivalStream {
  StreamUid uid;
  uint64_t facts[7] = {};
};
static_assert(sizeof(RivalStream) == kCacheLine);

// The least a find can cost: one random line, at an address known beforehand.
struct RawLines {
  std::vector<uint32_t> order;
  std::unique_ptr<RivalStream[]> lines;

  void Fill(size_t count, std::mt19937_64& random) {
    lines = std::make_unique<RivalStream[]>(count);
    for (size_t i = 0; i < count; i++) {
      lines[i].uid.value = i;
      order.push_back(static_cast<uint32_t>(i));
    }
    std::shuffle(order.begin(), order.end(), random);
  }
  uint64_t Load(uint64_t index) const { return lines[index].uid.value; }
};

class ReadGuard {
 public:
  explicit ReadGuard(pthread_rwlock_t* lock) : lock_(lock) {
    CHECK(pthread_rwlock_rdlock(lock_) == 0);
  }
  ~ReadGuard() { CHECK(pthread_rwlock_unlock(lock_) == 0); }
  ReadGuard(const ReadGuard&) = delete;

 private:
  pthread_rwlock_t* const lock_;
};

class MutexGuard {
 public:
  explicit MutexGuard(pthread_mutex_t* mutex) : mutex_(mutex) {
    CHECK(pthread_mutex_lock(mutex_) == 0);
  }
  ~MutexGuard() { CHECK(pthread_mutex_unlock(mutex_) == 0); }
  MutexGuard(const MutexGuard&) = delete;

 private:
  pthread_mutex_t* const mutex_;
};

// One hash map for all, one read-write lock.
class LockedMap {
 public:
  void Insert(StreamUid uid) {
    auto stream = std::make_unique<RivalStream>();
    stream->uid = uid;
    CHECK(pthread_rwlock_wrlock(&lock_) == 0);
    streams_.emplace(uid.value, std::move(stream));
    CHECK(pthread_rwlock_unlock(&lock_) == 0);
  }
  void Erase(StreamUid uid) {
    CHECK(pthread_rwlock_wrlock(&lock_) == 0);
    CHECK(streams_.erase(uid.value) == 1);
    CHECK(pthread_rwlock_unlock(&lock_) == 0);
  }
  bool Find(uint32_t, StreamUid uid, RivalStream* out) {
    const ReadGuard guard(&lock_);
    const auto found = streams_.find(uid.value);
    if (found == streams_.end()) return false;
    *out = *found->second;
    return true;
  }

 private:
  pthread_rwlock_t lock_ = PTHREAD_RWLOCK_INITIALIZER;
  std::unordered_map<uint64_t, std::unique_ptr<RivalStream>> streams_;
};

// Arrays, searched from the front: the own worker's under its mutex, the list of all locations
// under a read-write lock, the target worker's under its mutex.
class LinearScan {
 public:
  void Insert(StreamUid uid) {
    Cache& cache = caches_[uid.worker_id()];
    cache.streams.push_back(std::make_unique<RivalStream>());
    cache.streams.back()->uid = uid;
    locations_.push_back({uid, uid.worker_id()});
  }
  bool Find(uint32_t self, StreamUid uid, RivalStream* out) {
    if (Scan(caches_[self], uid, out)) return true;
    uint32_t target = kWorkers;
    {
      const ReadGuard guard(&locations_lock_);
      for (const Location& location : locations_) {
        if (location.uid != uid) continue;
        target = location.worker_id;
        break;
      }
    }
    return target < kWorkers && Scan(caches_[target], uid, out);
  }

 private:
  static constexpr uint32_t kWorkers = 2;

  struct Location {
    StreamUid uid;
    uint32_t worker_id;
  };
  struct Cache {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    std::vector<std::unique_ptr<RivalStream>> streams;
  };

  static bool Scan(Cache& cache, StreamUid uid, RivalStream* out) {
    const MutexGuard guard(&cache.mutex);
    for (const auto& stream : cache.streams) {
      if (stream->uid != uid) continue;
      *out = *stream;
      return true;
    }
    return false;
  }

  Cache caches_[kWorkers];
  std::vector<Location> locations_;
  pthread_rwlock_t locations_lock_ = PTHREAD_RWLOCK_INITIALIZER;
};

}  // namespace holdfast
