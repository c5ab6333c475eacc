#include "core/tag_store.h"

#include <cstring>
#include <new>

#include "base/check.h"
#include "core/stream_facts.h"

namespace holdfast {

bool TagText::Contains(std::string_view tag) const {
  for (std::string_view rest = view(); !rest.empty();) {
    const size_t end = rest.find('\0');
    if (rest.substr(0, end) == tag) return true;
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return false;
}

uint32_t TagStore::Allocate(std::string_view text) {
  CHECK(text.size() <= kMaxTagBytes);
  uint32_t index;
  if (!free_.empty()) {
    index = free_.back();
    free_.pop_back();
  } else {
    if (used_ == kPages << kPageBits) return kNone;
    index = used_++;
    auto& page = pages_[index >> kPageBits];
    if (page.load(std::memory_order_relaxed) == nullptr) {
      page.store(new Block[size_t{1} << kPageBits]{}, std::memory_order_release);
    }
  }
  char bytes[kWords * 8] = {static_cast<char>(text.size())};
  std::memcpy(bytes + 1, text.data(), text.size());
  Block* block = Find(index);
  for (size_t i = 0; i < kWords; i++) {
    uint64_t word;
    std::memcpy(&word, bytes + i * 8, 8);
    block->words[i].store(word, std::memory_order_release);
  }
  return index;
}

void TagStore::Read(uint32_t index, TagText* out) const {
  const Block* block = Find(index);
  char bytes[kWords * 8];
  for (size_t i = 0; i < kWords; i++) {
    const uint64_t word = block->words[i].load(std::memory_order_acquire);
    std::memcpy(bytes + i * 8, &word, 8);
  }
  out->size = static_cast<uint8_t>(bytes[0]);
  std::memcpy(out->bytes, bytes + 1, out->size);
}

}  // namespace holdfast
