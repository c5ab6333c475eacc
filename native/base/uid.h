// The 64-bit stream uid: a path, worker → slot of a block → lane, with a generation that makes a
// stale one recognisable. Shifts and masks on one word; no union, whose layout the compiler owns.
#pragma once

#include <cstdint>

// The uniqueness test is built with tiny fields, so that every wrap is reached in seconds.
#if !defined(HOLDFAST_GENERATION_BITS)
#define HOLDFAST_GENERATION_BITS 10
#define HOLDFAST_SLOT_BITS 22
#define HOLDFAST_STREAM_BITS 16
#endif

namespace holdfast {

inline constexpr uint32_t kStreamBits = HOLDFAST_STREAM_BITS;
inline constexpr uint32_t kSlotBits = HOLDFAST_SLOT_BITS;
inline constexpr uint32_t kGenerationBits = HOLDFAST_GENERATION_BITS;
inline constexpr uint32_t kEsocketBits = kSlotBits + kGenerationBits;
inline constexpr uint32_t kWorkerBits = 16;

inline constexpr uint32_t kMaxStreamId = (1u << kStreamBits) - 1;
inline constexpr uint32_t kMaxSlots = 1u << kSlotBits;
inline constexpr uint32_t kMaxGeneration = (1u << kGenerationBits) - 1;
inline constexpr uint32_t kMaxWorkers = 1u << kWorkerBits;

static_assert(kWorkerBits + kEsocketBits + kStreamBits <= 64);

// Generations begin at 1, so no stream's word is 0: 0 is "no stream".
struct StreamUid {
  uint64_t value = 0;

  static constexpr StreamUid Of(uint32_t worker_id, uint32_t generation, uint32_t slot,
                                uint32_t stream_id) {
    return {static_cast<uint64_t>(worker_id) << (kEsocketBits + kStreamBits) |
            static_cast<uint64_t>(generation) << (kSlotBits + kStreamBits) |
            static_cast<uint64_t>(slot) << kStreamBits | stream_id};
  }

  constexpr uint32_t worker_id() const {
    return static_cast<uint32_t>(value >> (kEsocketBits + kStreamBits)) & (kMaxWorkers - 1);
  }
  constexpr uint32_t esocket_uuid() const {
    return static_cast<uint32_t>((value >> kStreamBits) & ((uint64_t{1} << kEsocketBits) - 1));
  }
  constexpr uint32_t generation() const { return esocket_uuid() >> kSlotBits; }
  constexpr uint32_t slot() const { return esocket_uuid() & (kMaxSlots - 1); }
  constexpr uint32_t stream_id() const { return static_cast<uint32_t>(value) & kMaxStreamId; }

  friend constexpr bool operator==(StreamUid, StreamUid) = default;
};

static_assert(sizeof(StreamUid) == 8);
static_assert(StreamUid::Of(0xFFFF, kMaxGeneration, kMaxSlots - 1, kMaxStreamId).worker_id() ==
              0xFFFF);
static_assert(kGenerationBits != 10 ||
              StreamUid::Of(0xFFFF, kMaxGeneration, kMaxSlots - 1, kMaxStreamId).value ==
                  ~uint64_t{0});

}  // namespace holdfast
