#include "core/outboxes.h"

#include <algorithm>
#include <utility>

#include "core/loss.h"

namespace holdfast {

uint8_t* Outboxes::Append(StreamUid uid, MessageOp op, uint32_t bytes, bool control) {
  return AppendTo(uid.worker_id(), uid, op, bytes, control);
}

uint8_t* Outboxes::AppendTo(uint32_t worker_id, StreamUid id, MessageOp op, uint32_t bytes,
                            bool control) {
  Outbox* outbox = RoomFor(worker_id, bytes, control);
  return outbox == nullptr ? nullptr : outbox->chunk->Append(id, op, bytes);
}

void Outboxes::Appended(uint32_t worker_id) {
  Outbox& outbox = outboxes_[worker_id];
  if (outbox.messages++ == 0 && !outbox.bursty) Post(worker_id, outbox);
}

bool Outboxes::Publish(uint32_t worker_id, Publication& publication) {
  Mailbox& mailbox = registry_.FindWorker(worker_id)->mailbox;
  const uint64_t charge = publication.charged_bytes();
  if (!mailbox.Reserve(charge)) return false;
  Outbox* outbox = RoomFor(worker_id, sizeof(Publication), /*control=*/false);
  if (outbox == nullptr) {
    mailbox.Unreserve(charge);
    return false;
  }
  std::vector<TopicId>& published = outbox->published;
  const bool listed = publication.topic == 0;
  if (!listed && (published.empty() || published.back() != publication.topic)) {
    published.push_back(publication.topic);
  }
  outbox->chunk->Append(std::move(publication));
  Appended(worker_id);
  return true;
}

bool Outboxes::PublishNow(uint32_t worker_id, Publication publication) {
  Mailbox& mailbox = registry_.FindWorker(worker_id)->mailbox;
  const uint64_t charge = publication.charged_bytes();
  // That a message is missing has to arrive; it is little, and one alone.
  if (!mailbox.Reserve(charge, /*control=*/publication.gap != 0)) return false;
  if (mailbox.PostPublication(publication)) return true;
  registry_.Count(self_, Counter::kMessagesUndeliverable, publication.receivers);
  mailbox.Unreserve(charge);
  return true;
}

void Outboxes::PostGap(StreamUid uid) {
  (void)Append(uid, MessageOp::kGap, 0, /*control=*/true);
  Appended(uid.worker_id());
}

void Outboxes::PostPending(uint32_t worker_id) {
  if (worker_id >= outboxes_.size()) return;
  Outbox& outbox = outboxes_[worker_id];
  if (outbox.chunk != nullptr) Post(worker_id, outbox);
}

// The target's outbox with a chunk that takes `bytes`; nullptr if its mailbox has no room for one.
Outboxes::Outbox* Outboxes::RoomFor(uint32_t worker_id, uint32_t bytes, bool control) {
  if (outboxes_.size() <= worker_id) outboxes_.resize(worker_id + 1);
  Outbox& outbox = outboxes_[worker_id];
  if (outbox.chunk != nullptr && outbox.chunk->HasRoom(bytes)) [[likely]]
    return &outbox;

  // Small at first, so that a lone message reserves and touches little.
  const uint32_t usual = outbox.busy || outbox.chunk != nullptr ? kNextChunk : kFirstChunk;
  uint32_t capacity = std::max(usual, Chunk::Footprint(bytes));
  if (outbox.chunk != nullptr) {
    Post(worker_id, outbox);
    outbox.busy = true;
  }
  Mailbox& mailbox = registry_.FindWorker(worker_id)->mailbox;
  if (!mailbox.Reserve(capacity)) {
    if (!control) return nullptr;
    // No more than that one takes: others would follow it into what is left.
    capacity = Chunk::Footprint(bytes);
    (void)mailbox.Reserve(capacity, /*control=*/true);
  }
  outbox.chunk = Chunk::Make(capacity);
  if (!outbox.dirty) {
    outbox.dirty = true;
    dirty_.push_back(worker_id);
  }
  return &outbox;
}

void Outboxes::Post(uint32_t worker_id, Outbox& outbox) {
  Worker& worker = *registry_.FindWorker(worker_id);
  ChunkPtr chunk = std::move(outbox.chunk);
  if (!worker.mailbox.Post(chunk)) {
    // The worker has gone; it has un-registered the streams, and nobody will read this.
    Lose(registry_, self_, *chunk);
    worker.mailbox.Unreserve(chunk->charged_bytes());
  }
  for (const TopicId topic : outbox.published) worker.topic_members.EndGap(topic);
  outbox.published.clear();
}

void Outboxes::Flush() {
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

}  // namespace holdfast
