// One thread's way to streams by uid: finds, reserves, encodes, and packs for the owner's thread.
//
// What goes to another worker is gathered in one open chunk per target and posted when it is full
// or at Flush, which the thread calls at the end of its tick: one lock and at most one wake-up for
// all that a tick had to say to a worker, in the order it was said. But a first message leaves at
// once if the tick before had no more than one for that worker: most have one, and whoever waits
// for it should not wait for the rest of the tick.
//
// Threads: its own only.
#pragma once

#include <vector>

#include "core/encode.h"
#include "core/registry.h"

namespace holdfast {

class Sender {
 public:
  // `self` is the thread's worker, nullptr if it is none.
  Sender(Registry& registry, Worker* self) : registry_(registry), self_(self) {}
  ~Sender() { Flush(); }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // Where bytes for a stream of the own thread are put, for the caller to hand to the carrier.
  class LocalBuffer {
   public:
    virtual uint8_t* Allocate(uint32_t bytes) = 0;

   protected:
    ~LocalBuffer() = default;
  };

  enum class Result { kSent, kQueued, kFull, kGone };
  // kSent: the encoded bytes are in `local`, reserved; the owner releases them when the socket took
  // them. kQueued: they travel at the next Flush. Else nothing was taken.
  Result Send(StreamUid uid, const OutgoingMessage& message, LocalBuffer& local);

  // Asks the stream's owner to close it; never refused for want of room. False if it is gone.
  bool Close(StreamUid uid, uint32_t code, std::string_view reason);

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
  };

  // To be called when a message was appended.
  void Appended(uint32_t worker_id, Outbox& outbox);
  Outbox* RoomFor(uint32_t worker_id, uint32_t bytes, bool control);
  void Post(uint32_t worker_id, Outbox& outbox);
  void Count(Counter counter, uint64_t n = 1);

  Registry& registry_;
  Worker* const self_;
  std::vector<Outbox> outboxes_;  // by worker number
  std::vector<uint32_t> dirty_;
};

}  // namespace holdfast
