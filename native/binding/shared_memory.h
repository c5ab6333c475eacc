// Memory that both sides see: allocated in JavaScript, its address kept here with a strong
// reference. src/native.ts describes the same layouts.
//
// Threads: owner loop.
#pragma once

#include <napi.h>

#include <cstdint>
#include <span>

namespace holdfast {

class SharedMemory {
 public:
  explicit SharedMemory(Napi::Uint8Array array)
      : bytes_(array.Data(), array.ByteLength()), reference_(Napi::Persistent(array)) {}

  std::span<uint8_t> bytes() const { return bytes_; }
  uint8_t* data() const { return bytes_.data(); }
  template <typename T>
  T* As() const {
    return reinterpret_cast<T*>(bytes_.data());
  }

 private:
  std::span<uint8_t> bytes_;
  Napi::Reference<Napi::Uint8Array> reference_;
};

}  // namespace holdfast
