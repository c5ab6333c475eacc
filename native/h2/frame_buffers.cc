#include "h2/frame_buffers.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/check.h"

namespace holdfast {
namespace {

// The largest frame that is sent, its header, and the length of its padding (RFC 9113,
// section 4.1).
constexpr size_t kFrameBytes = (16 << 10) + 9 + 1;
constexpr size_t kSlabBytes = FrameBuffers::kSlabBytes;

size_t PageBytes() {
  const long size = sysconf(_SC_PAGESIZE);
  CHECK(size > 0);
  return static_cast<size_t>(size);
}

size_t RoundUp(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

// Aligned to its size, by mapping twice as much and giving back what is around it.
uint8_t* MapSlab() {
  void* mapped =
      mmap(nullptr, 2 * kSlabBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  const auto from = reinterpret_cast<uintptr_t>(mapped);
  const uintptr_t begin = RoundUp(from, kSlabBytes);
  if (begin > from) CHECK(munmap(mapped, begin - from) == 0);
  auto* slab = static_cast<uint8_t*>(mapped) + (begin - from);
  CHECK(munmap(slab + kSlabBytes, from + kSlabBytes - begin) == 0);
#ifdef MADV_NOHUGEPAGE
  // A huge page would be resident as a whole. Kernels without them know no such advice.
  (void)madvise(slab, kSlabBytes, MADV_NOHUGEPAGE);
#endif
  return slab;
}

FrameBuffers& Of(void* self) { return *static_cast<FrameBuffers*>(self); }

}  // namespace

FrameBuffers::FrameBuffers()
    : page_bytes_(PageBytes()), buffer_bytes_(RoundUp(kFrameBytes, page_bytes_)) {
  memory_.user_data = this;
  memory_.allocate = [](size_t size, void* self) { return Of(self).Allocate(size); };
  memory_.release = [](void* memory, void* self) {
    if (!Of(self).Give(memory)) std::free(memory);
  };
  memory_.allocate_zeroed = [](size_t count, size_t size, void*) {
    return std::calloc(count, size);
  };
  memory_.reallocate = [](void* memory, size_t size, void* self) {
    // That is how the library asks for a frame buffer.
    if (memory == nullptr) return Of(self).Allocate(size);
    if (!Of(self).Owns(memory)) return std::realloc(memory, size);
    void* moved = std::malloc(size);
    if (moved == nullptr) return moved;
    std::memcpy(moved, memory, std::min(size, kFrameBytes));
    CHECK(Of(self).Give(memory));
    return moved;
  };
}

FrameBuffers::~FrameBuffers() {
  for (const auto& [key, slab] : slabs_) CHECK(munmap(slab->begin, kSlabBytes) == 0);
}

void* FrameBuffers::Allocate(size_t size) {
  return size == kFrameBytes ? Take() : std::malloc(size);
}

void* FrameBuffers::Take() {
  Slab* slab = with_room_.empty() ? AddSlab() : with_room_.back();
  if (slab == nullptr) return nullptr;
  const uint32_t index = slab->free.back();
  slab->free.pop_back();
  if (slab->free.empty()) with_room_.pop_back();
  return slab->begin + index * buffer_bytes_;
}

FrameBuffers::Slab* FrameBuffers::SlabOf(const void* buffer) const {
  const auto address = reinterpret_cast<uintptr_t>(buffer);
  // What comes from the heap, or is nothing, is hardly ever told by more than this.
  if (buffer == nullptr || (address & (page_bytes_ - 1)) != 0) return nullptr;
  const auto found = slabs_.find(address / kSlabBytes);
  return found == slabs_.end() ? nullptr : found->second.get();
}

bool FrameBuffers::Give(void* buffer) {
  Slab* slab = SlabOf(buffer);
  if (slab == nullptr) return false;
  const size_t offset = reinterpret_cast<uintptr_t>(buffer) % kSlabBytes;
  if (slab->free.empty()) with_room_.push_back(slab);
  slab->free.push_back(static_cast<uint32_t>(offset / buffer_bytes_));
  // The last one stays, for the next that comes.
  if (slab->free.size() == kSlabBytes / buffer_bytes_ && with_room_.size() > 1) Remove(slab);
  return true;
}

FrameBuffers::Slab* FrameBuffers::AddSlab() {
  uint8_t* begin = MapSlab();
  if (begin == nullptr) return nullptr;
  auto slab = std::make_unique<Slab>();
  slab->begin = begin;
  for (auto i = static_cast<uint32_t>(kSlabBytes / buffer_bytes_); i > 0; i--) {
    slab->free.push_back(i - 1);
  }
  with_room_.push_back(slab.get());
  return (slabs_[reinterpret_cast<uintptr_t>(begin) / kSlabBytes] = std::move(slab)).get();
}

void FrameBuffers::Remove(Slab* slab) {
  with_room_.erase(std::find(with_room_.begin(), with_room_.end(), slab));
  CHECK(munmap(slab->begin, kSlabBytes) == 0);
  slabs_.erase(reinterpret_cast<uintptr_t>(slab->begin) / kSlabBytes);
}

}  // namespace holdfast
