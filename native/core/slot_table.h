// The address space of one worker's uids: slot → block of 2^k lines, lane = stream id modulo 2^k.
//
// Slots come in regions of one block size, mapped whole and touched as they are used. A region is
// published once and never moved or unmapped, so a look-up needs no lock: two loads give the line.
//
// Threads: Line and region: any. AddRegion: the owner, under its cache's lock.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/stream_line.h"

namespace holdfast {

inline constexpr uint32_t kRegionBits = kSlotBits > 12 ? 10 : 2;
inline constexpr uint32_t kRegionSlots = 1u << kRegionBits;
inline constexpr uint32_t kMaxRegions = kMaxSlots / kRegionSlots;
// Blocks of 1 to 128 lines, or of as many as a socket has stream ids.
inline constexpr uint32_t kMaxBlockBits = kStreamBits < 7 ? kStreamBits : 7;

class SlotTable {
 public:
  struct Region {
    StreamLine* lines = nullptr;  // nullptr: not there yet
    uint32_t block_bits = 0;
    uint32_t line_count() const { return kRegionSlots << block_bits; }
  };

  Region region(uint32_t index) const {
    const uintptr_t entry = directory_[index].load(std::memory_order_acquire);
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the low bits of an aligned address are the size.
    return {reinterpret_cast<StreamLine*>(entry & ~kBlockBitsMask),
            static_cast<uint32_t>(entry & kBlockBitsMask)};
  }

  StreamLine* Line(StreamUid uid) const {
    const Region found = region(uid.slot() >> kRegionBits);
    if (found.lines == nullptr) [[unlikely]]
      return nullptr;
    return found.lines + LineIndex(found.block_bits, uid.slot(), uid.stream_id());
  }

  static uint32_t LineIndex(uint32_t block_bits, uint32_t slot, uint32_t stream_id) {
    const uint32_t lane = stream_id & ((1u << block_bits) - 1);
    return ((slot & (kRegionSlots - 1)) << block_bits) + lane;
  }

  // False when the system has no memory to map.
  [[nodiscard]] bool AddRegion(uint32_t index, uint32_t block_bits);

 private:
  static constexpr uintptr_t kBlockBitsMask = kCacheLine - 1;

  // Address of the region's lines with its block size in the low bits. Written once by the owner,
  // release; read by any, acquire.
  std::atomic<uintptr_t> directory_[kMaxRegions]{};
};

}  // namespace holdfast
