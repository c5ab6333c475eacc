#include "base/uid.h"

#include "support/doctest.h"
#include "support/random.h"

namespace holdfast::test {

// A union of u16, u32 and u16 is 12 bytes after padding, and so no view of the 64 bits: a field
// then reads its neighbour's bits at the edges of its range.
TEST_CASE("a uid's fields come back whole at every edge of their range") {
  const uint32_t workers[] = {0, 1, 0x7FFF, 0x8000, 0xFFFF};
  const uint32_t generations[] = {0, 1, kMaxGeneration / 2, kMaxGeneration - 1, kMaxGeneration};
  const uint32_t slots[] = {0, 1, kMaxSlots / 2 - 1, kMaxSlots / 2, kMaxSlots - 1};
  const uint32_t streams[] = {0, 1, kMaxStreamId / 2, kMaxStreamId - 1, kMaxStreamId};
  for (const uint32_t worker : workers) {
    for (const uint32_t generation : generations) {
      for (const uint32_t slot : slots) {
        for (const uint32_t stream : streams) {
          const StreamUid uid = StreamUid::Of(worker, generation, slot, stream);
          EXPECT(uid.worker_id() == worker);
          EXPECT(uid.generation() == generation);
          EXPECT(uid.slot() == slot);
          EXPECT(uid.stream_id() == stream);
          EXPECT(uid.esocket_uuid() == ((generation << kSlotBits) | slot));
        }
      }
    }
  }
}

TEST_CASE("a uid is one word of 64 bits and its three parts fill it from the top") {
  EXPECT(sizeof(StreamUid) == 8);
  const StreamUid uid = StreamUid::Of(2, 1, 3, 4);
  EXPECT(uid.value == ((uint64_t{2} << (kEsocketBits + kStreamBits)) |
                       (uint64_t{uid.esocket_uuid()} << kStreamBits) | 4));
  if (kStreamBits == 16) EXPECT(uid.value == 0x0002'0040'0003'0004);
}

TEST_CASE("two uids that differ in one bit differ in exactly the field that holds it") {
  Random random("uid bits");
  const uint32_t bits = kWorkerBits + kEsocketBits + kStreamBits;
  for (int round = 0; round < 200; round++) {
    const StreamUid one{random.Next() & (~uint64_t{0} >> (64 - bits))};
    for (uint32_t bit = 0; bit < bits; bit++) {
      const StreamUid other{one.value ^ (uint64_t{1} << bit)};
      const int differing = (one.worker_id() != other.worker_id()) +
                            (one.generation() != other.generation()) +
                            (one.slot() != other.slot()) + (one.stream_id() != other.stream_id());
      CAPTURE(bit);
      REQUIRE(differing == 1);
      REQUIRE(!(one == other));
    }
  }
}

TEST_CASE("no stream's uid is 0") { EXPECT(StreamUid::Of(0, 1, 0, 0).value != 0); }

}  // namespace holdfast::test
