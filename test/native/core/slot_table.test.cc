#include "core/slot_table.h"

#include <set>

#include "support/doctest.h"
#include "support/kept.h"

namespace holdfast::test {

TEST_CASE("a uid into a region that was never made finds nothing") {
  const auto table = MakeKept<SlotTable>();
  EXPECT(table->Line(StreamUid::Of(0, 1, 0, 0)) == nullptr);
  EXPECT(table->Line(StreamUid::Of(0, 1, kMaxSlots - 1, kMaxStreamId)) == nullptr);
}

TEST_CASE("each slot has lines of its own, and stream ids take its lanes in turn") {
  for (uint32_t block_bits = 0; block_bits <= kMaxBlockBits; block_bits++) {
    const auto table = MakeKept<SlotTable>();
    REQUIRE(table->AddRegion(1, block_bits));
    std::set<const StreamLine*> seen;
    for (uint32_t slot = kRegionSlots; slot < 2 * kRegionSlots; slot++) {
      for (uint32_t id = 0; id < 1u << block_bits; id++) {
        const StreamLine* line = table->Line(StreamUid::Of(0, 1, slot, id));
        EXPECT(seen.insert(line).second);
        // One lane further on is the same lane; another generation is the same line.
        EXPECT(table->Line(StreamUid::Of(0, 1, slot, (id + (1u << block_bits)) & kMaxStreamId)) ==
               line);
        EXPECT(table->Line(StreamUid::Of(0, 2, slot, id)) == line);
      }
    }
    const SlotTable::Region region = table->region(1);
    EXPECT(seen.size() == region.line_count());
    EXPECT(*seen.begin() == region.lines);
    EXPECT(*seen.rbegin() == region.lines + region.line_count() - 1);
    EXPECT(reinterpret_cast<uintptr_t>(region.lines) % kCacheLine == 0);
  }
}

TEST_CASE("fresh lines hold nobody") {
  const auto table = MakeKept<SlotTable>();
  REQUIRE(table->AddRegion(0, 1));
  const SlotTable::Region region = table->region(0);
  for (uint32_t i = 0; i < region.line_count(); i++) {
    uint32_t generation;
    uint32_t stream_id;
    EXPECT(!region.lines[i].Tag(&generation, &stream_id));
  }
}

}  // namespace holdfast::test
