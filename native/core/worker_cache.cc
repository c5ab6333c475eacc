#include "core/worker_cache.h"

#include <algorithm>
#include <bit>

namespace holdfast {

uint32_t WorkerCache::OpenSocket(const PeerAddress& peer) {
  MutexLock lock(mu_);
  uint32_t index;
  if (!free_sockets_.empty()) {
    index = free_sockets_.back();
    free_sockets_.pop_back();
  } else {
    if (sockets_.size() == kNone) return kNone;
    index = static_cast<uint32_t>(sockets_.size());
    sockets_.emplace_back();
  }
  Socket& socket = sockets_[index];
  socket.peer = peer;
  socket.open = true;
  socket.generation++;
  usage_.sockets++;
  return index;
}

void WorkerCache::CloseSocket(uint32_t index) {
  MutexLock lock(mu_);
  CHECK(index < sockets_.size() && sockets_[index].open);
  sockets_[index].open = false;
  if (sockets_[index].live == 0) ReleaseSocket(index);
}

uint32_t WorkerCache::CloseAllSockets() {
  MutexLock lock(mu_);
  uint32_t closed = 0;
  for (uint32_t index = 0; index < sockets_.size(); index++) {
    if (!sockets_[index].open) continue;
    CHECK(sockets_[index].live == 0);
    ReleaseSocket(index);
    closed++;
  }
  return closed;
}

uint32_t WorkerCache::StreamsOf(uint32_t index) {
  MutexLock lock(mu_);
  return sockets_[index].live;
}

uint32_t WorkerCache::SocketGeneration(uint32_t index) {
  MutexLock lock(mu_);
  return sockets_[index].generation;
}

std::vector<uint32_t> WorkerCache::SocketIds(uint32_t index) {
  MutexLock lock(mu_);
  std::vector<uint32_t> ids;
  for (uint32_t slot = sockets_[index].first_slot; slot != kNone;
       slot = Record(slot).next_of_socket) {
    ids.push_back(EsocketUuid(slot));
  }
  return ids;
}

uint32_t WorkerCache::Mint(uint32_t socket_index, std::string_view tags, StreamFacts* facts) {
  MutexLock lock(mu_);
  CHECK(socket_index < sockets_.size() && sockets_[socket_index].open);
  Socket& socket = sockets_[socket_index];

  std::optional<StreamUid> uid;
  if (socket.current_slot != kNone) uid = MintIn(socket.current_slot);
  uint32_t last = kNone;
  for (uint32_t slot = socket.first_slot; !uid && slot != kNone;) {
    last = slot;
    uid = MintIn(slot);
    slot = Record(last).next_of_socket;
  }
  if (uid) {
    socket.current_slot = uid->slot();
  } else {
    // As large as what lives now, never as what once did: a burst long gone buys no memory. Smaller
    // where no slot of that size is left.
    uint32_t bits =
        std::min<uint32_t>(std::bit_width(socket.live == 0 ? 0u : socket.live - 1), kMaxBlockBits);
    uint32_t slot = TakeSlot(bits);
    while (slot == kNone && bits > 0) slot = TakeSlot(--bits);
    if (slot == kNone) return 0;
    Record(slot).socket = socket_index;
    (last == kNone ? socket.first_slot : Record(last).next_of_socket) = slot;
    socket.current_slot = slot;
    uid = MintIn(slot);
    CHECK(uid.has_value());
  }

  facts->tag_block = kNone;
  if (!tags.empty()) {
    facts->tag_block = tags_.Allocate(tags);
    if (facts->tag_block == kNone) return 0;  // a spent stream id; nothing else was taken
  }
  facts->uid = *uid;
  facts->peer = socket.peer;
  facts->socket = EsocketUuid(socket.first_slot);
  Record(uid->slot()).live++;
  slots_.Line(*uid)->Publish(*facts);
  return ++socket.live;
}

// The next id of the block whose lane is free. Ids passed over are spent: they only rise.
std::optional<StreamUid> WorkerCache::MintIn(uint32_t slot) {
  SlotRecord& record = Record(slot);
  if (record.live == 1u << BlockBits(slot)) return std::nullopt;
  while (record.next_stream_id <= kMaxStreamId) {
    const StreamUid uid = StreamUid::Of(worker_id_, record.generation, slot, record.next_stream_id);
    record.next_stream_id++;
    uint32_t generation;
    uint32_t stream_id;
    if (!slots_.Line(uid)->Tag(&generation, &stream_id)) return uid;
  }
  return std::nullopt;
}

uint32_t WorkerCache::Retire(StreamUid uid, uint64_t* queued_bytes) {
  MutexLock lock(mu_);
  StreamLine* line = Find(uid);
  CHECK(line != nullptr);
  const uint32_t tag_block = line->tag_block();
  const uint64_t queued = line->Retire();
  if (queued_bytes != nullptr) *queued_bytes = queued;
  if (tag_block != kNone) tags_.Free(tag_block);

  const uint32_t slot = uid.slot();
  SlotRecord& record = Record(slot);
  const uint32_t socket_index = record.socket;
  Socket& socket = sockets_[socket_index];
  record.live--;
  const uint32_t left = --socket.live;
  if (!socket.open && socket.live == 0) {
    ReleaseSocket(socket_index);
  } else if (record.live == 0 && record.next_stream_id > kMaxStreamId) {
    ReleaseSpentSlot(socket, slot);
  } else {
    socket.current_slot = slot;
  }
  return left;
}

bool WorkerCache::Tags(const StreamFacts& facts, TagText* out) const {
  out->size = 0;
  if (facts.tag_block == kNone) return true;
  tags_.Read(facts.tag_block, out);
  return slots_.Line(facts.uid)->Holds(facts.uid);
}

CacheUsage WorkerCache::Usage() {
  MutexLock lock(mu_);
  return usage_;
}

uint32_t WorkerCache::TakeSlot(uint32_t block_bits) {
  std::deque<uint32_t>& waiting = free_slots_[block_bits];
  uint32_t& top = region_top_[block_bits];
  uint32_t slot = kNone;
  const bool region_full = (top & (kRegionSlots - 1)) == 0;
  if (waiting.size() > kQuarantine || (region_full && records_.size() == kMaxRegions)) {
    if (waiting.empty()) return kNone;
    slot = waiting.front();
    waiting.pop_front();
    usage_.slots_quarantined--;
  } else {
    if (region_full) {
      const uint32_t region = static_cast<uint32_t>(records_.size());
      if (!slots_.AddRegion(region, block_bits)) return kNone;
      records_.push_back(std::make_unique<SlotRecord[]>(kRegionSlots));
      top = region << kRegionBits;
    }
    slot = top++;
  }
  usage_.slots_live++;
  SlotRecord& record = Record(slot);
  record.generation++;
  record.next_stream_id = 0;
  record.next_of_socket = kNone;
  return slot;
}

void WorkerCache::ReleaseSlot(uint32_t slot) {
  usage_.slots_live--;
  if (Record(slot).generation == kMaxGeneration) {
    usage_.slots_retired++;
    return;
  }
  usage_.slots_quarantined++;
  free_slots_[BlockBits(slot)].push_back(slot);
}

void WorkerCache::ReleaseSpentSlot(Socket& socket, uint32_t slot) {
  // The primary block stays while the socket does: its esocket_uuid names the socket.
  if (slot == socket.first_slot) return;
  uint32_t before = socket.first_slot;
  while (Record(before).next_of_socket != slot) before = Record(before).next_of_socket;
  Record(before).next_of_socket = Record(slot).next_of_socket;
  if (socket.current_slot == slot) socket.current_slot = before;
  ReleaseSlot(slot);
}

void WorkerCache::ReleaseSocket(uint32_t index) {
  Socket& socket = sockets_[index];
  for (uint32_t slot = socket.first_slot; slot != kNone;) {
    const uint32_t next = Record(slot).next_of_socket;
    ReleaseSlot(slot);
    slot = next;
  }
  const uint32_t generation = socket.generation;
  socket = Socket{};
  socket.generation = generation;
  free_sockets_.push_back(index);
  usage_.sockets--;
}

}  // namespace holdfast
