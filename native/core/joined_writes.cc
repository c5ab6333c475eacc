#include "core/joined_writes.h"

#include <cstring>

#include "base/clock.h"
#include "core/session_order.h"
#include "core/worker.h"

namespace holdfast {

bool JoinedWrites::Takes(const MessageHeader& message) const {
  const bool writes = message.op == MessageOp::kWrite ||
                      (message.op == MessageOp::kWriteWith && WithHeader::Of(message).ticket == 0);
  if (!writes || written_ > 0) return false;
  // What is held back takes a group as well, and no entry.
  return entries_.empty() || (entries_.size() < kMessages && groups_.size() < kMessages &&
                              bytes_ + message.size <= kBytes);
}

bool JoinedWrites::Add(const MessageHeader& message) {
  Group* group = GroupOf(message.uid);
  if (group == nullptr) return false;
  if (group->keeps_queue && !worker_.held_back.PassOrHold(message)) return true;
  const std::span<const uint8_t> bytes = WrittenBytes(message);
  const auto size = static_cast<uint32_t>(bytes.size());
  const auto entry = static_cast<uint32_t>(entries_.size());
  (group->messages == 0 ? group->first : entries_[group->last].next) = entry;
  group->last = entry;
  group->bytes += size;
  group->messages++;
  bytes_ += size;
  entries_.push_back({bytes.data(), size, kNone});
  return true;
}

// The group of the stream, nullptr if that is gone.
JoinedWrites::Group* JoinedWrites::GroupOf(StreamUid uid) {
  if (entries_.empty()) {
    groups_.clear();
    if (++stamp_ == 0) {
      table_.assign(kTableSize, Cell{});
      stamp_ = 1;
    }
  }
  // The high bits of the product are the well mixed ones.
  uint64_t cell = uid.value * 0x9E3779B97F4A7C15 >> 51;
  static_assert(kTableSize == 1 << 13);
  for (; table_[cell].stamp == stamp_; cell = (cell + 1) % kTableSize) {
    Group& group = groups_[table_[cell].group];
    if (group.uid == uid) return &group;
  }
  const StreamLine* line = worker_.cache.Find(uid);
  if (line == nullptr) return nullptr;
  table_[cell] = {stamp_, static_cast<uint32_t>(groups_.size())};
  Group& group = groups_.emplace_back();
  group.uid = uid;
  group.handle = line->handle();
  group.socket = line->socket();
  group.keeps_queue = KeepsQueue(line->policy());
  return &group;
}

bool JoinedWrites::Write(uint32_t* streams) {
  if (written_ == 0 && groups_.size() > *streams) OrderBySession(groups_);
  size_t end = written_;
  for (uint32_t room = *streams; end < groups_.size() && room > 0; end++) {
    if (groups_[end].messages > 0) room--;
  }
  end = EndOfPiece(groups_, written_, end);
  uint64_t bytes = 0;
  uint32_t writes = 0;
  for (size_t i = written_; i < end; i++) {
    bytes += groups_[i].bytes;
    if (groups_[i].messages > 0) writes++;
  }
  if (!carrier_.Prepare(bytes, writes)) return false;
  *streams = end == groups_.size() ? *streams - writes : 0;
  const uint64_t now_ms = MonotonicMs();
  for (; written_ < end; written_++) {
    if (groups_[written_].messages > 0) WriteGroup(groups_[written_], now_ms);
  }
  if (end == groups_.size()) Clear();
  return true;
}

void JoinedWrites::WriteGroup(const Group& group, uint64_t now_ms) {
  // Looked up again: it was added a while ago, and preparing may have run user code.
  StreamLine* line = worker_.cache.Find(group.uid);
  if (line == nullptr) {
    worker_.counters.Add(Counter::kMessagesUndeliverable, group.messages);
    return;
  }
  line->Touch(now_ms);
  uint8_t* out = carrier_.Write(group.handle, group.bytes, group.messages);
  for (uint32_t i = group.first; i != kNone; i = entries_[i].next) {
    std::memcpy(out, entries_[i].bytes, entries_[i].size);
    out += entries_[i].size;
  }
}

void JoinedWrites::Abandon() {
  if (entries_.empty()) return;
  for (; written_ < groups_.size(); written_++) {
    worker_.counters.Add(Counter::kMessagesUndeliverable, groups_[written_].messages);
  }
  Clear();
}

void JoinedWrites::Clear() {
  entries_.clear();
  written_ = 0;
  bytes_ = 0;
}

}  // namespace holdfast
