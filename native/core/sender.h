// One thread's way to streams by uid: finds, reserves, encodes, and packs for the owner's thread.
//
// Threads: its own only.
#pragma once

#include "core/encode.h"
#include "core/outboxes.h"
#include "core/receivers.h"
#include "core/request_mail.h"

namespace holdfast {

class Sender {
 public:
  // `self` is the thread's worker, nullptr if it is none.
  Sender(Registry& registry, Worker* self)
      : registry_(registry), self_(self), outboxes_(registry, self) {}
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
  // them. kQueued: they travel at the next Flush, as do those to an own stream behind mail of this
  // thread to itself; or the own stream holds them back. Else nothing was taken.
  Result Send(StreamUid uid, const OutgoingMessage& message, LocalBuffer& local);

  // To a stream of the own thread, before all that waits and whatever it is: false if it is gone.
  bool SendAhead(StreamUid uid, const OutgoingMessage& message, LocalBuffer& local);

  // To the topic's members except one, encoded once a kind. Returns how many there are in the
  // process; those of the own thread are in `own`, reserved, for the caller to hand to the carrier.
  // Of a topic that is kept it is numbered, and has been posted to all on return, to the own thread
  // as well.
  uint64_t Publish(std::string_view topic, const OutgoingMessage& message, StreamUid except,
                   Receivers* own);
  // The same to the streams of a list.
  uint64_t Multicast(const std::vector<StreamUid>& uids, const OutgoingMessage& message,
                     Receivers* own);

  // Of a live stream: whether this thread, which is its own, has to ask for its close as others do,
  // since it has said something by mail before.
  bool ClosesByMail(StreamUid uid);
  // Asks the stream's owner to close it; never refused for want of room. False if it is gone, or
  // one of the own thread that is closing already: that takes nothing more from here on.
  bool Close(StreamUid uid, uint32_t code, std::string_view text);

  // A message of core/request_mail.h; never refused for want of room.
  void Command(uint32_t reactor, StreamUid id, MessageOp op, RequestHeader header,
               std::string_view bytes = {});
  // To a stream on a reactor, before all that waits and whatever it is: false if it is gone.
  bool CommandAhead(StreamUid uid, const OutgoingMessage& message, bool ends_gap);

  // True when a message waits for Flush.
  bool pending() const { return outboxes_.pending(); }
  void Flush() { outboxes_.Flush(); }

 private:
  bool IsOwn(uint32_t worker_id) const { return self_ != nullptr && worker_id == self_->id; }
  bool OwnGoesByMail();
  void Disconnect(StreamUid uid);
  void TellGap(StreamUid uid);
  void TellGaps(uint32_t worker_id, const Publication& publication);
  void PostClose(StreamUid uid, uint32_t code, CloseReason reason, std::string_view text);
  uint64_t PublishKept(RingState& ring, uint64_t number, std::string_view topic,
                       const OutgoingMessage& message, StreamUid except);
  void PostGap(uint32_t worker_id, TopicId topic, StreamUid except, uint64_t sequence);
  uint64_t FanOut(uint32_t worker_id, Publication publication, Receivers* own);

  Registry& registry_;
  Worker* const self_;
  Outboxes outboxes_;
};

}  // namespace holdfast
