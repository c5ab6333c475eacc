// Invariants. A broken one ends the process: going on would deliver to the wrong stream.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace holdfast {

[[noreturn]] inline void CheckFailed(const char* file, int line, const char* what) {
  std::fprintf(stderr, "holdfast: %s:%d: check failed: %s\n", file, line, what);
  std::abort();
}

}  // namespace holdfast

#define CHECK(condition)                                       \
  do {                                                         \
    if (!(condition)) [[unlikely]]                             \
      ::holdfast::CheckFailed(__FILE__, __LINE__, #condition); \
  } while (0)

#if defined(NDEBUG)
#define DCHECK(condition) \
  do {                    \
  } while (0)
#else
#define DCHECK(condition) CHECK(condition)
#endif
