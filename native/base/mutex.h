// POSIX locks that clang's thread-safety analysis understands. The only place that names pthread
// locks.
#pragma once

#include <pthread.h>

#include "base/check.h"
#include "base/thread_annotations.h"

namespace holdfast {

class CAPABILITY("mutex") Mutex {
 public:
  Mutex() { CHECK(pthread_mutex_init(&mu_, nullptr) == 0); }
  ~Mutex() { CHECK(pthread_mutex_destroy(&mu_) == 0); }
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ACQUIRE() { CHECK(pthread_mutex_lock(&mu_) == 0); }
  void Unlock() RELEASE() { CHECK(pthread_mutex_unlock(&mu_) == 0); }

 private:
  pthread_mutex_t mu_;
};

class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mu) ACQUIRE(mu) : mu_(mu) { mu_.Lock(); }
  ~MutexLock() RELEASE() { mu_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mu_;
};

// Writers first, where the platform lets us say so: glibc otherwise lets a stream of readers starve
// them.
class CAPABILITY("shared_mutex") SharedMutex {
 public:
  SharedMutex() {
    pthread_rwlockattr_t attributes;
    CHECK(pthread_rwlockattr_init(&attributes) == 0);
#if defined(__GLIBC__)
    CHECK(pthread_rwlockattr_setkind_np(&attributes,
                                        PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP) == 0);
#endif
    CHECK(pthread_rwlock_init(&lock_, &attributes) == 0);
    CHECK(pthread_rwlockattr_destroy(&attributes) == 0);
  }
  ~SharedMutex() { CHECK(pthread_rwlock_destroy(&lock_) == 0); }
  SharedMutex(const SharedMutex&) = delete;
  SharedMutex& operator=(const SharedMutex&) = delete;

  void Lock() ACQUIRE() { CHECK(pthread_rwlock_wrlock(&lock_) == 0); }
  void LockShared() ACQUIRE_SHARED() { CHECK(pthread_rwlock_rdlock(&lock_) == 0); }
  void Unlock() RELEASE_GENERIC() { CHECK(pthread_rwlock_unlock(&lock_) == 0); }

 private:
  pthread_rwlock_t lock_;
};

class SCOPED_CAPABILITY WriteLock {
 public:
  explicit WriteLock(SharedMutex& mu) ACQUIRE(mu) : mu_(mu) { mu_.Lock(); }
  ~WriteLock() RELEASE() { mu_.Unlock(); }
  WriteLock(const WriteLock&) = delete;
  WriteLock& operator=(const WriteLock&) = delete;

 private:
  SharedMutex& mu_;
};

class SCOPED_CAPABILITY ReadLock {
 public:
  explicit ReadLock(SharedMutex& mu) ACQUIRE_SHARED(mu) : mu_(mu) { mu_.LockShared(); }
  ~ReadLock() RELEASE_GENERIC() { mu_.Unlock(); }
  ReadLock(const ReadLock&) = delete;
  ReadLock& operator=(const ReadLock&) = delete;

 private:
  SharedMutex& mu_;
};

}  // namespace holdfast
