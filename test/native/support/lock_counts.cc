#include "support/lock_counts.h"

#include <pthread.h>

namespace holdfast::test {
namespace {

thread_local LockCounts counts;

}  // namespace

LockCounts LocksTaken() { return counts; }

extern "C" {

int __real_pthread_mutex_lock(pthread_mutex_t* mutex);
int __real_pthread_rwlock_rdlock(pthread_rwlock_t* lock);
int __real_pthread_rwlock_wrlock(pthread_rwlock_t* lock);

int __wrap_pthread_mutex_lock(pthread_mutex_t* mutex) {
  counts.mutex++;
  return __real_pthread_mutex_lock(mutex);
}
int __wrap_pthread_rwlock_rdlock(pthread_rwlock_t* lock) {
  counts.read++;
  return __real_pthread_rwlock_rdlock(lock);
}
int __wrap_pthread_rwlock_wrlock(pthread_rwlock_t* lock) {
  counts.write++;
  return __real_pthread_rwlock_wrlock(lock);
}
}

}  // namespace holdfast::test
