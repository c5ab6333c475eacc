// Threads that begin together, and waiting for what another thread does.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <thread>
#include <vector>

namespace holdfast::test {

using Clock = std::chrono::steady_clock;

// How long a stress loop runs; STRESS_MS makes it longer.
inline std::chrono::milliseconds StressTime() {
  const char* given = std::getenv("STRESS_MS");
  return std::chrono::milliseconds(given != nullptr ? std::atoi(given) : 300);
}

// False when the condition has not come true within ten seconds.
inline bool Eventually(const std::function<bool()>& condition) {
  const Clock::time_point deadline = Clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (Clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

// Runs each function on a thread of its own, all begun at once, and waits for them.
inline void RunTogether(const std::vector<std::function<void()>>& bodies) {
  std::atomic<size_t> waiting{0};
  std::vector<std::thread> threads;
  for (const auto& body : bodies) {
    threads.emplace_back([&] {
      waiting.fetch_add(1);
      while (waiting.load() != bodies.size()) std::this_thread::yield();
      body();
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace holdfast::test
