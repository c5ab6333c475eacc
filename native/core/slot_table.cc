#include "core/slot_table.h"

#include <sys/mman.h>

namespace holdfast {

bool SlotTable::AddRegion(uint32_t index, uint32_t block_bits) {
  const size_t bytes = (size_t{kRegionSlots} << block_bits) * sizeof(StreamLine);
  // Fresh pages read as zero, which is a line that holds nobody.
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return false;
  directory_[index].store(reinterpret_cast<uintptr_t>(memory) | block_bits,
                          std::memory_order_release);
  return true;
}

}  // namespace holdfast
