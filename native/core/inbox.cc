#include "core/inbox.h"

#include <cstring>

#include "base/clock.h"
#include "core/gaps.h"
#include "core/heartbeat.h"
#include "core/loss.h"

namespace holdfast {

void Inbox::Put(std::vector<ChunkPtr> chunks) {
  for (ChunkPtr& chunk : chunks) chunks_.push_back(std::move(chunk));
}

bool Inbox::Deliver() {
  bool open = RunAlarms(registry_, worker_, carrier_);
  uint64_t spent = 0;
  while (open && spent < kBytesATurn && (!chunks_.empty() || !fan_out_.finished())) {
    open = Step(&spent);
  }
  open = open && Write() && worker_.held_back.Pump(carrier_) && carrier_.Flush();
  worker_.held_back.BatchDone();
  for (const ChunkPtr& chunk : consumed_) worker_.mailbox.Unreserve(chunk->charged_bytes());
  consumed_.clear();
  if (!open) Discard();
  const bool more_due = open && ArmAlarm();
  return !chunks_.empty() || more_due || (open && worker_.held_back.has_ready());
}

bool Inbox::ArmAlarm() {
  const uint64_t due_ms = worker_.alarms.next_due_ms();
  if (due_ms == Alarms::kNever) return false;
  const uint64_t now_ms = MonotonicMs();
  if (due_ms <= now_ms) return true;
  // One that is set for an earlier time finds nothing due, and leads here again. As does one that
  // came too soon by our coarse clock; so none that is near counts as set.
  constexpr uint64_t kGrainMs = 16;
  if (alarm_ms_ > now_ms + kGrainMs && alarm_ms_ <= due_ms) return false;
  alarm_ms_ = due_ms;
  worker_.mailbox.WakeIn(due_ms - now_ms);
  return false;
}

bool Inbox::Step(uint64_t* spent) {
  if (!fan_out_.finished()) {
    uint64_t receivers = 0;
    const bool open = fan_out_.Step(&receivers);
    *spent += receivers * kReceiverBytes;
    return open;
  }
  const Chunk& chunk = *chunks_.front();
  const MessageHeader* message = chunk.At(offset_);
  if (message == nullptr) {
    consumed_.push_back(std::move(chunks_.front()));
    chunks_.pop_front();
    offset_ = 0;
    return true;
  }
  if (message->op == MessageOp::kPublish) {
    // Behind what came before it.
    if (!Write()) return false;
    offset_ = fan_out_.Begin(chunk, offset_);
    return true;
  }
  offset_ = Chunk::Next(offset_, *message);
  *spent += Chunk::Footprint(message->size);
  return Add(*message);
}

void Inbox::Discard() {
  fan_out_.Abandon();
  for (const ChunkPtr& chunk : chunks_) {
    while (const MessageHeader* message = chunk->At(offset_)) {
      Lose(registry_, &worker_, *message);
      offset_ = Chunk::Next(offset_, *message);
    }
    offset_ = 0;
    worker_.mailbox.Unreserve(chunk->charged_bytes());
  }
  chunks_.clear();
}

bool Inbox::Add(const MessageHeader& message) {
  if (message.op != MessageOp::kWrite && message.op != MessageOp::kWriteWith) {
    return Write() && Control(message);
  }
  const WithHeader with = WithHeader::Of(message);
  // One that is waited for is written by itself, behind what came before it. What is held back
  // takes a group as well, and no place in the window.
  if (window_.size() == kWindowMessages || groups_.size() == kWindowMessages ||
      window_bytes_ + message.size > kWindowBytes || with.ticket != 0) {
    if (!Write()) {
      Lose(registry_, &worker_, message);
      return false;
    }
  }
  Group* group = GroupOf(message);
  if (group == nullptr) {
    Lose(registry_, &worker_, message);
    return true;
  }
  const uint32_t offset =
      message.op == MessageOp::kWriteWith ? WithHeader::kBytes + with.key_size : 0;
  const uint32_t size = message.size - offset;
  const uint8_t* bytes = message.bytes() + offset;
  if (group->keeps_queue && !worker_.held_back.Pass(message.uid, size)) {
    const auto* key = reinterpret_cast<const char*>(bytes) - with.key_size;
    worker_.held_back.Hold(
        message.uid, PayloadRef::Make(size, [&](uint8_t* out) { std::memcpy(out, bytes, size); }),
        1, {key, with.key_size}, with.ticket);
    return true;
  }
  if (with.ticket != 0) return WriteAwaited(message, {bytes, size}, with.ticket);
  group->bytes += size;
  group->messages++;
  window_bytes_ += size;
  window_.push_back({&message, offset, static_cast<uint32_t>(group - groups_.data())});
  return true;
}

// The group of the message's stream, nullptr if the stream is gone.
Inbox::Group* Inbox::GroupOf(const MessageHeader& message) {
  if (window_.empty()) {
    groups_.clear();
    if (++stamp_ == 0) {
      table_.assign(kTableSize, Cell{});
      stamp_ = 1;
    }
  }
  // The high bits of the product are the well mixed ones.
  uint64_t cell = message.uid.value * 0x9E3779B97F4A7C15 >> 51;
  static_assert(kTableSize == 1 << 13);
  for (; table_[cell].stamp == stamp_; cell = (cell + 1) % kTableSize) {
    Group& group = groups_[table_[cell].group];
    if (group.uid == message.uid) return &group;
  }
  const StreamLine* line = worker_.cache.Find(message.uid);
  if (line == nullptr) return nullptr;
  table_[cell] = {stamp_, static_cast<uint32_t>(groups_.size())};
  groups_.push_back({message.uid, line->handle(), 0, 0, KeepsQueue(line->policy())});
  return &groups_.back();
}

// Hands the window to the carrier, a write a stream. False when the carrier takes no more.
bool Inbox::Write() {
  if (window_.empty()) return true;
  const bool open = carrier_.Prepare(window_bytes_, static_cast<uint32_t>(groups_.size()));
  const uint64_t now_ms = MonotonicMs();
  for (Group& group : groups_) {
    // Looked up again: preparing may have run user code.
    if (group.messages == 0) continue;  // all of it was held back
    StreamLine* line = open ? worker_.cache.Find(group.uid) : nullptr;
    if (line != nullptr) {
      line->Touch(now_ms);
      group.out = carrier_.Write(group.handle, group.bytes, group.messages);
    } else {
      worker_.counters.Add(Counter::kMessagesUndeliverable, group.messages);
    }
  }
  for (const Entry& entry : window_) {
    uint8_t*& out = groups_[entry.group].out;
    if (out == nullptr) continue;
    const uint32_t size = entry.message->size - entry.offset;
    std::memcpy(out, entry.message->bytes() + entry.offset, size);
    out += size;
  }
  window_.clear();
  window_bytes_ = 0;
  return open;
}

bool Inbox::WriteAwaited(const MessageHeader& message, std::span<const uint8_t> bytes,
                         Ticket ticket) {
  const uint32_t size = static_cast<uint32_t>(bytes.size());
  const bool open = carrier_.Prepare(size, 1);
  // Looked up again: preparing may have run user code.
  StreamLine* line = open ? worker_.cache.Find(message.uid) : nullptr;
  if (line == nullptr) {
    Lose(registry_, &worker_, message);
    return open;
  }
  line->Touch(MonotonicMs());
  uint8_t* out = carrier_.WriteAwaited(line->handle(), size, ticket);
  if (size > 0) std::memcpy(out, bytes.data(), size);
  return true;
}

bool Inbox::Control(const MessageHeader& message) {
  if (message.op == MessageOp::kGap) return TellGap(message.uid);
  if (!carrier_.Prepare(message.size, 1)) return false;
  if (message.op == MessageOp::kSettled) {
    Outcome outcome;
    std::memcpy(&outcome, message.bytes(), sizeof outcome);
    carrier_.Settled(message.uid.value, outcome);
  } else if (message.op == MessageOp::kTopicNews) {
    carrier_.TopicNews(message.uid.value);
  } else if (message.op == MessageOp::kWorkerExit) {
    uint64_t streams;
    std::memcpy(&streams, message.bytes(), sizeof streams);
    carrier_.WorkerExited(static_cast<uint32_t>(message.uid.value), streams);
  } else if (message.op >= MessageOp::kRequestHead) {
    carrier_.OnRequestMail(message);
  } else if (const StreamLine* line = worker_.cache.Find(message.uid); line != nullptr) {
    uint32_t words[2];
    std::memcpy(words, message.bytes(), sizeof words);
    const auto* text = reinterpret_cast<const char*>(message.bytes() + sizeof words);
    carrier_.Close(line->handle(), words[0], static_cast<CloseReason>(words[1]),
                   {text, message.size - sizeof words});
  }
  return true;
}

// The sender has noted the refusal.
bool Inbox::TellGap(StreamUid uid) {
  // First, as it may run user code, and nothing may come between the taking and the telling.
  if (!carrier_.Prepare(0, 1)) return false;
  if (TakeGap(worker_, uid)) carrier_.Gap(worker_.cache.Find(uid)->handle());
  return true;
}

}  // namespace holdfast
