// What one thread has to say to the other workers, packed and on its way.
//
// It is gathered in one open chunk per target and posted when that is full or at Flush, which the
// thread calls at the end of its tick: one lock and at most one wake-up for all that a tick had to
// say to a worker, in the order it was said. But a first message leaves at once if the tick before
// had no more than one for that worker: most have one, and whoever waits for it should not wait for
// the rest of the tick.
//
// Threads: its own only.
#pragma once

#include <vector>

#include "core/message.h"
#include "core/registry.h"

namespace holdfast {

class Outboxes {
 public:
  // `self` is the thread's worker, nullptr if it is none.
  Outboxes(Registry& registry, Worker* self) : registry_(registry), self_(self) {}
  ~Outboxes() { Flush(); }
  Outboxes(const Outboxes&) = delete;
  Outboxes& operator=(const Outboxes&) = delete;

  // Where to put the message's bytes, which travel once Appended is called; nullptr when the
  // target's mailbox has no room. Control messages are never refused.
  uint8_t* Append(StreamUid uid, MessageOp op, uint32_t bytes, bool control = false);
  void Appended(uint32_t worker_id);
  // The same for a message of a request, whose id is no stream's.
  uint8_t* AppendTo(uint32_t worker_id, StreamUid id, MessageOp op, uint32_t bytes, bool control);
  // False when the mailbox has no room; then nothing was taken from the publication.
  bool Publish(uint32_t worker_id, Publication& publication);
  // The same, and it has been posted on return. What was said before must have been flushed. A gap
  // is never refused.
  bool PublishNow(uint32_t worker_id, Publication publication);

  // What says to a stream's owner that messages were refused.
  void PostGap(StreamUid uid);
  // What was said to that worker so far is on its way on return.
  void PostPending(uint32_t worker_id);

  // True when a message waits for Flush.
  bool pending() const { return !dirty_.empty(); }
  void Flush();

 private:
  static constexpr uint32_t kFirstChunk = 4 << 10;
  static constexpr uint32_t kNextChunk = 64 << 10;

  struct Outbox {
    ChunkPtr chunk;
    bool dirty = false;     // listed in dirty_
    bool busy = false;      // has posted a full chunk since the last Flush
    bool bursty = false;    // got more than one message before the last Flush
    uint32_t messages = 0;  // since the last Flush
    // The topics of the messages in the chunk: their gaps end when it is posted.
    std::vector<TopicId> published;
  };

  Outbox* RoomFor(uint32_t worker_id, uint32_t bytes, bool control);
  void Post(uint32_t worker_id, Outbox& outbox);

  Registry& registry_;
  Worker* const self_;
  std::vector<Outbox> outboxes_;  // by worker number
  std::vector<uint32_t> dirty_;
};

}  // namespace holdfast
