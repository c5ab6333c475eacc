// Seeds of the tests that draw at random: printed, and taken from TEST_SEED to repeat a run.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace holdfast::test {

class Random {
 public:
  explicit Random(const char* what) : Random(Seed()) {
    std::printf("%s: TEST_SEED=%llu\n", what, static_cast<unsigned long long>(seed_));
    std::fflush(stdout);
  }
  // For a further thread, from a draw of the first.
  explicit Random(uint64_t seed) : seed_(seed), engine_(seed) {}

  // 0 to n - 1.
  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(engine_() % n); }
  bool OneIn(uint32_t n) { return Below(n) == 0; }
  uint64_t Next() { return engine_(); }

 private:
  static uint64_t Seed() {
    const char* given = std::getenv("TEST_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  }

  const uint64_t seed_;
  std::mt19937_64 engine_;
};

}  // namespace holdfast::test
