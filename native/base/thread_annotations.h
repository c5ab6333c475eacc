// Clang thread-safety attributes under project names; nothing to other compilers.
// https://clang.llvm.org/docs/ThreadSafetyAnalysis.html
#pragma once

#if defined(__clang__)
#define HOLDFAST_ATTRIBUTE(x) __attribute__((x))
#else
#define HOLDFAST_ATTRIBUTE(x)
#endif

#define CAPABILITY(name) HOLDFAST_ATTRIBUTE(capability(name))
#define SCOPED_CAPABILITY HOLDFAST_ATTRIBUTE(scoped_lockable)
#define GUARDED_BY(x) HOLDFAST_ATTRIBUTE(guarded_by(x))
#define ACQUIRED_BEFORE(...) HOLDFAST_ATTRIBUTE(acquired_before(__VA_ARGS__))
#define REQUIRES(...) HOLDFAST_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define REQUIRES_SHARED(...) HOLDFAST_ATTRIBUTE(requires_shared_capability(__VA_ARGS__))
#define ACQUIRE(...) HOLDFAST_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define ACQUIRE_SHARED(...) HOLDFAST_ATTRIBUTE(acquire_shared_capability(__VA_ARGS__))
#define RELEASE(...) HOLDFAST_ATTRIBUTE(release_capability(__VA_ARGS__))
#define RELEASE_SHARED(...) HOLDFAST_ATTRIBUTE(release_shared_capability(__VA_ARGS__))
#define RELEASE_GENERIC(...) HOLDFAST_ATTRIBUTE(release_generic_capability(__VA_ARGS__))
#define EXCLUDES(...) HOLDFAST_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define ASSERT_CAPABILITY(x) HOLDFAST_ATTRIBUTE(assert_capability(x))
#define RETURN_CAPABILITY(x) HOLDFAST_ATTRIBUTE(lock_returned(x))
