// The tags of a worker's streams, in type-stable blocks: as with a stream's line, who reads a block
// looks at the stream's state before and after, and so knows whose tags it saw.
//
// Threads: Read: any. Allocate and Free: the owner, under its cache's lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

namespace holdfast {

// A stream's tags as one text: each tag, then a zero byte.
inline constexpr uint32_t kMaxTagBytes = 255;

struct TagText {
  char bytes[kMaxTagBytes + 1];
  uint32_t size = 0;

  std::string_view view() const { return {bytes, size}; }
  bool Contains(std::string_view tag) const;
};

class TagStore {
 public:
  // kNone when the store is full.
  uint32_t Allocate(std::string_view text);
  void Free(uint32_t block) { free_.push_back(block); }
  void Read(uint32_t block, TagText* out) const;

 private:
  static constexpr uint32_t kPageBits = 8;
  static constexpr uint32_t kPages = 1u << 14;
  static constexpr uint32_t kWords = (kMaxTagBytes + 1) / 8;

  // Byte 0 is the length, the text follows.
  struct Block {
    std::atomic<uint64_t> words[kWords];
  };

  Block* Find(uint32_t block) const {
    return pages_[block >> kPageBits].load(std::memory_order_acquire) +
           (block & ((1u << kPageBits) - 1));
  }

  std::atomic<Block*> pages_[kPages]{};  // written once by the owner, release; read by any, acquire
  std::vector<uint32_t> free_;
  uint32_t used_ = 0;
};

}  // namespace holdfast
