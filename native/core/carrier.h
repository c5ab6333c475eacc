// What carries a stream's bytes stands behind this table. The core turns a worker's mail into these
// operations, on the worker's own thread; who implements it knows sockets, sessions or JavaScript.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/uid.h"
#include "core/message.h"
#include "core/payload.h"
#include "core/stream_facts.h"
#include "core/ticket.h"

namespace holdfast {

class Carrier {
 public:
  // To how many streams it is to write, or do something else, before the loop's other work has its
  // turn. At most so many are prepared for at once.
  virtual uint32_t streams_a_turn() const = 0;

  // Makes room for that many operations with that many bytes in all, first carrying out what was
  // gathered if it must. That may run user code, which may close streams or the worker; false when
  // the worker takes no more.
  virtual bool Prepare(uint64_t bytes, uint32_t operations) = 0;

  // Within what was prepared. Returns where to put the bytes, which go to the stream as one write
  // and stand for `messages` messages.
  virtual uint8_t* Write(uint32_t handle, uint32_t bytes, uint32_t messages) = 0;
  // A write of one message that somebody waits for: Settle is to be called when its bytes are
  // taken, or will not be.
  virtual uint8_t* WriteAwaited(uint32_t handle, uint32_t bytes, Ticket ticket) = 0;
  // A wait of this worker's has ended.
  virtual void Settled(Ticket ticket, Outcome outcome) = 0;
  // The same for one payload that goes to up to so many streams, and WriteMany behind it: each
  // stream gets the whole of it as one write, which stands for `messages` messages.
  virtual bool PrepareMany(uint32_t bytes, uint32_t handles) = 0;
  virtual void WriteMany(std::span<const uint32_t> handles, const PayloadRef& payload,
                         uint32_t messages) = 0;
  // Messages are missing in between: what the application has to say to that goes here.
  virtual void Gap(uint32_t handle) = 0;
  // The stream's reader is behind. The carrier tells when little waits and nothing is held back.
  virtual void Slow(uint32_t handle) = 0;
  // Code 0 ends the stream gracefully, any other resets it.
  virtual void Close(uint32_t handle, uint32_t code, CloseReason reason, std::string_view text) = 0;
  // A topic that is kept has a message that this worker waits for.
  virtual void TopicNews(uint64_t ring) = 0;
  // The stream's own thread has begun to end it, and now nothing waits before that end any more.
  virtual void End(uint32_t handle) = 0;
  virtual void WorkerExited(uint32_t worker_id, uint64_t streams) = 0;
  // A message of core/request_mail.h.
  virtual void OnRequestMail(const MessageHeader& message) = 0;

  // Carries out what was gathered. The same caution, the same answer as Prepare.
  virtual bool Flush() = 0;

 protected:
  ~Carrier() = default;
};

}  // namespace holdfast
