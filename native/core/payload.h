// Immutable bytes that many receivers share: made once, freed when the last one lets go.
//
// Threads: any, once filled; the count is atomic.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <span>
#include <utility>

#include "base/check.h"

namespace holdfast {

class Payload {
 public:
  uint32_t size() const { return size_; }
  std::span<const uint8_t> bytes() const { return {data(), size_}; }

 private:
  friend class PayloadRef;
  explicit Payload(uint32_t size) : size_(size) {}
  uint8_t* data() { return reinterpret_cast<uint8_t*>(this + 1); }
  const uint8_t* data() const { return reinterpret_cast<const uint8_t*>(this + 1); }

  std::atomic<uint32_t> references_{1};
  const uint32_t size_;
};

class PayloadRef {
 public:
  PayloadRef() = default;
  PayloadRef(const PayloadRef& other) : payload_(other.payload_) {
    // Relaxed: who copies holds a reference already.
    if (payload_ != nullptr) payload_->references_.fetch_add(1, std::memory_order_relaxed);
  }
  PayloadRef(PayloadRef&& other) noexcept : payload_(std::exchange(other.payload_, nullptr)) {}
  PayloadRef& operator=(PayloadRef other) noexcept {
    std::swap(payload_, other.payload_);
    return *this;
  }
  ~PayloadRef() {
    // Release, so that what others did with the bytes happened before; acquire for who frees them.
    if (payload_ != nullptr && payload_->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      std::free(payload_);
    }
  }

  // `fill(uint8_t*)` writes the bytes.
  template <typename Fill>
  static PayloadRef Make(uint32_t size, Fill fill) {
    void* memory = std::malloc(sizeof(Payload) + size);
    CHECK(memory != nullptr);
    PayloadRef made;
    made.payload_ = new (memory) Payload(size);
    fill(made.payload_->data());
    return made;
  }

  explicit operator bool() const { return payload_ != nullptr; }
  const Payload* operator->() const { return payload_; }
  const Payload& operator*() const { return *payload_; }

 private:
  Payload* payload_ = nullptr;
};

}  // namespace holdfast
