#include "core/sender.h"

#include <algorithm>
#include <cstring>

#include "base/clock.h"

namespace holdfast {

Sender::Result Sender::Send(StreamUid uid, const OutgoingMessage& message, LocalBuffer& local) {
  const uint32_t worker_id = uid.worker_id();
  StreamLine* line = registry_.FindLine(uid);
  if (line == nullptr) {
    Count(Counter::kMessagesGone);
    return Result::kGone;
  }
  const uint64_t budget =
      self_ != nullptr ? self_->options[Option::kSendBudgetBytes] : StreamLine::kQueuedMask;
  const StreamKind kind = line->kind();
  const size_t size = EncodedSize(kind, message);
  const Status status = size > budget ? Status::kFull : line->Reserve(uid, size, budget);
  if (status != Status::kOk) {
    Count(status == Status::kGone ? Counter::kMessagesGone : Counter::kMessagesFull);
    return status == Status::kGone ? Result::kGone : Result::kFull;
  }
  const uint32_t bytes = static_cast<uint32_t>(size);
  if (self_ != nullptr && worker_id == self_->id) {
    Encode(kind, message, local.Allocate(bytes));
    line->Touch(MonotonicMs());
    Count(Counter::kMessagesSent);
    return Result::kSent;
  }
  Outbox* outbox = RoomFor(worker_id, bytes, /*control=*/false);
  if (outbox == nullptr) {
    line->Release(uid, bytes);
    Count(Counter::kMessagesFull);
    return Result::kFull;
  }
  Encode(kind, message, outbox->chunk->Append(uid, MessageOp::kWrite, bytes));
  Appended(worker_id, *outbox);
  Count(Counter::kMessagesQueued);
  return Result::kQueued;
}

bool Sender::Close(StreamUid uid, uint32_t code, std::string_view reason) {
  if (registry_.FindLine(uid) == nullptr) return false;
  const uint32_t bytes = static_cast<uint32_t>(sizeof code + reason.size());
  Outbox* outbox = RoomFor(uid.worker_id(), bytes, /*control=*/true);
  uint8_t* out = outbox->chunk->Append(uid, MessageOp::kClose, bytes);
  std::memcpy(out, &code, sizeof code);
  if (!reason.empty()) std::memcpy(out + sizeof code, reason.data(), reason.size());
  Appended(uid.worker_id(), *outbox);
  return true;
}

void Sender::Appended(uint32_t worker_id, Outbox& outbox) {
  if (outbox.messages++ == 0 && !outbox.bursty) Post(worker_id, outbox);
}

// The target's outbox with a chunk that takes `bytes`; nullptr if its mailbox has no room for one.
Sender::Outbox* Sender::RoomFor(uint32_t worker_id, uint32_t bytes, bool control) {
  if (outboxes_.size() <= worker_id) outboxes_.resize(worker_id + 1);
  Outbox& outbox = outboxes_[worker_id];
  if (outbox.chunk != nullptr && outbox.chunk->HasRoom(bytes)) [[likely]]
    return &outbox;

  // Small at first, so that a lone message reserves and touches little.
  const uint32_t usual = outbox.busy || outbox.chunk != nullptr ? kNextChunk : kFirstChunk;
  const uint32_t capacity = std::max(usual, Chunk::Footprint(bytes));
  if (outbox.chunk != nullptr) {
    Post(worker_id, outbox);
    outbox.busy = true;
  }
  if (!registry_.FindWorker(worker_id)->mailbox.Reserve(capacity, control)) return nullptr;
  outbox.chunk = Chunk::Make(capacity);
  if (!outbox.dirty) {
    outbox.dirty = true;
    dirty_.push_back(worker_id);
  }
  return &outbox;
}

void Sender::Post(uint32_t worker_id, Outbox& outbox) {
  Mailbox& mailbox = registry_.FindWorker(worker_id)->mailbox;
  ChunkPtr chunk = std::move(outbox.chunk);
  if (mailbox.Post(chunk)) return;
  // The worker has gone; it has un-registered the streams, and nobody will read this.
  Count(Counter::kMessagesUndeliverable, chunk->CountWrites());
  mailbox.Unreserve(chunk->capacity());
}

void Sender::Flush() {
  for (const uint32_t worker_id : dirty_) {
    Outbox& outbox = outboxes_[worker_id];
    if (outbox.chunk != nullptr) Post(worker_id, outbox);
    outbox.bursty = outbox.messages > 1;
    outbox.messages = 0;
    outbox.dirty = false;
    outbox.busy = false;
  }
  dirty_.clear();
}

void Sender::Count(Counter counter, uint64_t n) {
  if (self_ != nullptr) {
    self_->counters.Add(counter, n);
  } else {
    registry_.shared_counters().AddShared(counter, n);
  }
}

}  // namespace holdfast
