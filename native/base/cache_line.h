#pragma once

#include <cstddef>

namespace holdfast {

// Fixed, not std::hardware_destructive_interference_size: the layout of a stream's line depends on
// it.
inline constexpr std::size_t kCacheLine = 64;

}  // namespace holdfast
