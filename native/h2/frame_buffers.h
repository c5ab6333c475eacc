// Memory for what the library builds its frames in: a buffer of the largest frame's size for each
// session, of which all but the first bytes stay untouched as long as the session only sends small
// frames. On the heap each would lie at another place after each reconnect, until all of it has
// been touched and is resident. Here each begins a page of its own and is used again before another
// is: only pages that were touched before are touched again. What nobody uses goes back to the
// system.
//
// Threads: those that share a context, one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "h2/nghttp2_abi.h"

namespace holdfast {

class FrameBuffers {
 public:
  FrameBuffers();
  ~FrameBuffers();  // all sessions have gone
  FrameBuffers(const FrameBuffers&) = delete;
  FrameBuffers& operator=(const FrameBuffers&) = delete;

  // For the library, as long as this lives. Other sizes than a frame buffer's are the heap's.
  const ng::Memory* memory() const { return &memory_; }
  // What is taken from the system.
  size_t reserved() const { return slabs_.size() * kSlabBytes; }

  // Its alignment too, so that an address tells its slab.
  static constexpr size_t kSlabBytes = 1 << 20;

 private:
  struct Slab {
    uint8_t* begin;
    std::vector<uint32_t> free;
  };

  void* Allocate(size_t size);
  void* Take();
  // Both: not if it is the heap's.
  Slab* SlabOf(const void* buffer) const;
  bool Give(void* buffer);
  bool Owns(const void* buffer) const { return SlabOf(buffer) != nullptr; }
  Slab* AddSlab();
  void Remove(Slab* slab);

  const size_t page_bytes_;
  const size_t buffer_bytes_;
  ng::Memory memory_;
  // By the multiple of kSlabBytes at which it begins.
  std::unordered_map<uintptr_t, std::unique_ptr<Slab>> slabs_;
  std::vector<Slab*> with_room_;
};

}  // namespace holdfast
