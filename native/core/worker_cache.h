// What one worker holds: its sockets, and the slots its uids are minted from.
//
// Minting. A socket owns blocks of lanes. A stream takes the socket's next stream id whose lane is
// free; ids of a block only rise, and when they are spent, or every lane is taken, the socket goes
// on in a further block under another esocket_uuid. A block goes back when its socket does, or when
// its ids are spent and its lanes empty; its slot then waits at the end of a queue and comes back
// with the next generation. A slot whose generations are spent is never used again. So two live
// streams never share a uid, and no uid is minted twice while the process lives.
//
// Threads: the owner mints, retires, opens and closes; Find, Scan and Tags: any thread, no lock;
// Usage: any thread. mu_ guards the structure, never the path of a look-up.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "core/slot_table.h"
#include "core/tag_store.h"

namespace holdfast {

struct CacheUsage {
  uint64_t sockets = 0;
  uint64_t slots_live = 0;
  uint64_t slots_quarantined = 0;
  uint64_t slots_retired = 0;
};

class WorkerCache {
 public:
  // A freed slot is taken again only when this many wait behind it (or nothing else is left).
  static constexpr size_t kQuarantine = kRegionSlots;

  explicit WorkerCache(uint32_t worker_id) : worker_id_(worker_id) {}
  WorkerCache(const WorkerCache&) = delete;
  WorkerCache& operator=(const WorkerCache&) = delete;

  // Owner. kNone when the table is full.
  uint32_t OpenSocket(const PeerAddress& peer) EXCLUDES(mu_);
  // The socket takes no more streams; its record goes when the last of them is retired.
  void CloseSocket(uint32_t socket) EXCLUDES(mu_);
  uint32_t StreamsOf(uint32_t socket) EXCLUDES(mu_);
  // Tells this opening of the socket from an earlier one under the same index.
  uint32_t SocketGeneration(uint32_t socket) EXCLUDES(mu_);
  // The esocket_uuids the socket's streams may carry, first its primary one.
  std::vector<uint32_t> SocketIds(uint32_t socket) EXCLUDES(mu_);

  // Owner. What a worker that dies leaves behind; no stream may be live. Returns how many there
  // were.
  uint32_t CloseAllSockets() EXCLUDES(mu_);

  // Owner. Fills in uid, socket, peer and tag_block of `facts` and publishes the stream. Returns
  // how many streams the socket has now; 0 when no uid is left to mint.
  uint32_t Mint(uint32_t socket, std::string_view tags, StreamFacts* facts) EXCLUDES(mu_);
  // Owner. The stream must be live. Returns how many streams its socket has left.
  uint32_t Retire(StreamUid uid, uint64_t* queued_bytes = nullptr) EXCLUDES(mu_);

  // Any thread. The line of a live stream, nullptr if it is gone.
  StreamLine* Find(StreamUid uid) const {
    StreamLine* line = slots_.Line(uid);
    return line != nullptr && line->Holds(uid) ? line : nullptr;
  }
  // Has the processor fetch the line that Find is to look at so many streams later: a walk over
  // many would wait for each, as what it does to one lets nothing behind it begin.
  static constexpr size_t kFetchedAhead = 8;
  void Fetch(StreamUid uid) const { __builtin_prefetch(slots_.Line(uid), /*rw=*/1); }
  // Copies the tags; false if the stream went meanwhile.
  bool Tags(const StreamFacts& facts, TagText* out) const;

  // Calls visit(uid) for live streams from line `cursor` on, in at most `lines` lines; returns
  // where to go on, or kScanEnd. A stream that lives during the whole walk is visited once.
  static constexpr uint64_t kScanEnd = ~uint64_t{0};
  template <typename Visit>
  uint64_t Scan(uint64_t cursor, uint32_t lines, Visit visit) const;

  CacheUsage Usage() EXCLUDES(mu_);

 private:
  // One a slot, beside its lines: what the owner must remember between two tenants of it.
  struct SlotRecord {
    uint32_t socket = kNone;
    uint32_t next_of_socket = kNone;
    uint32_t next_stream_id = 0;
    uint16_t generation = 0;
    uint16_t live = 0;
  };

  struct Socket {
    PeerAddress peer;
    uint32_t first_slot = kNone;
    uint32_t current_slot = kNone;  // where the last mint or retirement was
    uint32_t live = 0;
    uint32_t generation = 0;  // tells one opening of this record from the next
    bool open = false;
  };

  SlotRecord& Record(uint32_t slot) REQUIRES(mu_) {
    return records_[slot >> kRegionBits][slot & (kRegionSlots - 1)];
  }
  uint32_t EsocketUuid(uint32_t slot) REQUIRES(mu_) {
    return static_cast<uint32_t>(Record(slot).generation) << kSlotBits | slot;
  }
  uint32_t BlockBits(uint32_t slot) const { return slots_.region(slot >> kRegionBits).block_bits; }

  std::optional<StreamUid> MintIn(uint32_t slot) REQUIRES(mu_);
  uint32_t TakeSlot(uint32_t block_bits) REQUIRES(mu_);
  void ReleaseSlot(uint32_t slot) REQUIRES(mu_);
  void ReleaseSpentSlot(Socket& socket, uint32_t slot) REQUIRES(mu_);
  void ReleaseSocket(uint32_t index) REQUIRES(mu_);

  const uint32_t worker_id_;
  SlotTable slots_;  // read by any thread; written under mu_
  TagStore tags_;    // read by any thread; written under mu_

  Mutex mu_;
  std::vector<std::unique_ptr<SlotRecord[]>> records_ GUARDED_BY(mu_);
  std::deque<uint32_t> free_slots_[kMaxBlockBits + 1] GUARDED_BY(mu_);
  uint32_t region_top_[kMaxBlockBits + 1] GUARDED_BY(mu_) = {};  // next unused slot of its region
  std::deque<Socket> sockets_ GUARDED_BY(mu_);
  std::vector<uint32_t> free_sockets_ GUARDED_BY(mu_);
  CacheUsage usage_ GUARDED_BY(mu_);
};

template <typename Visit>
uint64_t WorkerCache::Scan(uint64_t cursor, uint32_t lines, Visit visit) const {
  uint32_t region_index = static_cast<uint32_t>(cursor >> 32);
  uint32_t line_index = static_cast<uint32_t>(cursor);
  for (; region_index < kMaxRegions; region_index++, line_index = 0) {
    const SlotTable::Region region = slots_.region(region_index);
    if (region.lines == nullptr) break;  // regions are added in order
    for (; line_index < region.line_count(); line_index++) {
      if (lines-- == 0) return static_cast<uint64_t>(region_index) << 32 | line_index;
      uint32_t generation;
      uint32_t stream_id;
      if (!region.lines[line_index].Tag(&generation, &stream_id)) continue;
      const uint32_t slot = (region_index << kRegionBits) + (line_index >> region.block_bits);
      visit(StreamUid::Of(worker_id_, generation, slot, stream_id));
    }
  }
  return kScanEnd;
}

}  // namespace holdfast
