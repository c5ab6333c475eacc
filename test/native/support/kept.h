// Objects of the core that are never freed in the process, and so do not free what they map or
// allocate: tests keep theirs as well, reachable, so that a leak of anything else is reported.
#pragma once

#include <utility>
#include <vector>

namespace holdfast::test {

template <typename T, typename... Arguments>
T* MakeKept(Arguments&&... arguments) {
  static std::vector<T*>* const kept = new std::vector<T*>;
  return kept->emplace_back(new T(std::forward<Arguments>(arguments)...));
}

}  // namespace holdfast::test
