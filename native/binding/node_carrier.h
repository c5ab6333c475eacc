// The node carrier, native half: turns operations into one batch of records in the arena and
// carries them out with one JavaScript callback. The other half is src/inbox.ts.
//
// Arena: kMaxRecords records of kRecordWords 32-bit words, then the payload bytes.
//
// Threads: owner loop.
#pragma once

#include <napi.h>

#include <unordered_set>

#include "binding/shared_memory.h"
#include "core/carrier.h"
#include "core/counters.h"
#include "core/sweep.h"

namespace holdfast {

class NodeCarrier final : public Carrier {
 public:
  static constexpr uint32_t kMaxRecords = 8192;
  static constexpr uint32_t kRecordWords = 8;

  // src/inbox.ts holds the same list.
  enum class Op : uint32_t {
    kWrite = 1,         // handle, offset, length, messages
    kClose = 2,         // handle, offset, length (of the text), code, reason
    kWorkerExit = 3,    // worker, streams (low, high)
    kHangup = 4,        // socket
    kExpired = 5,       // handle, expiry
    kConnection = 6,    // file descriptor
    kWriteMany = 7,     // offset of the handles, how many, offset, length, messages
    kGap = 8,           // handle
    kWriteAwaited = 9,  // handle, offset, length, ticket (low, high)
    kSettled = 10,      // ticket (low, high), outcome
    // Of requests, in the order of core/message.h: reactor, slot, generation, offset, length, and
    // the two numbers of core/request_mail.h. kSessionClosed names no slot.
    kRequest = 11,
    kSessionClosed = 19,
    kTopicNews = 20,  // ring (low, high)
    kEnd = 21,        // handle
    kSlow = 22,       // handle
  };

  // `callback(count, large)`: `large` is the payload of the batch's only write if it was larger
  // than the arena, else undefined.
  NodeCarrier(Napi::Env env, Counters& counters, const Napi::Function& callback,
              const Napi::Uint8Array& arena);

  uint32_t streams_a_turn() const override { return streams_a_turn_; }
  bool Prepare(uint64_t bytes, uint32_t operations) override;
  uint8_t* Write(uint32_t handle, uint32_t bytes, uint32_t messages) override;
  uint8_t* WriteAwaited(uint32_t handle, uint32_t bytes, Ticket ticket) override;
  void Settled(Ticket ticket, Outcome outcome) override;
  bool PrepareMany(uint32_t bytes, uint32_t handles) override;
  void WriteMany(std::span<const uint32_t> handles, const PayloadRef& payload,
                 uint32_t messages) override;
  void Gap(uint32_t handle) override;
  void Slow(uint32_t handle) override;
  void Close(uint32_t handle, uint32_t code, CloseReason reason, std::string_view text) override;
  void TopicNews(uint64_t ring) override;
  void End(uint32_t handle) override;
  void WorkerExited(uint32_t worker_id, uint64_t streams) override;
  void OnRequestMail(const MessageHeader& message) override;
  bool Flush() override;

  // Events that are no mail; within what was prepared.
  void Hangup(uint32_t socket);
  void Expired(const ExpiredStream& stream);
  void Connection(int fd);

  // Around what one turn of the loop does; `more`: something is left for the next.
  void BeginTurn();
  void EndTurn(bool more);

  // JavaScript says what became of the batch's messages. Of a batch that it did not finish, none
  // counts as delivered.
  void Settle(uint64_t delivered, uint64_t undeliverable);

  // JavaScript says what became of a write that is waited for.
  void SettleAwaited(Ticket ticket, Outcome outcome);
  // The worker goes, and with it all that JavaScript still has.
  void AbandonAwaited();

  // From here on nothing enters JavaScript.
  void Stop() { running_ = false; }
  bool running() const { return running_; }

 private:
  // A millisecond's work or so. What Node keeps of so many streams is still in the processor's
  // cache when their bytes leave, which saves a tenth of what a write costs.
  static constexpr uint32_t kStreamsATurn = 128;
  static constexpr uint32_t kMostStreamsATurn = 4096;
  // What it takes Node to send what one stream was written, or more.
  static constexpr uint64_t kSendingUs = 20;

  bool Enter(uint32_t count, napi_value large);
  uint32_t* Record(Op op, uint32_t a, uint32_t b = 0, uint32_t c = 0, uint32_t d = 0,
                   uint32_t e = 0);
  // A Buffer for a payload larger than the arena, which then is its batch's only one.
  bool MakeLarge(size_t bytes);
  uint8_t* Place(uint32_t bytes, uint32_t* offset);
  uint8_t* LargeData(size_t bytes) const;
  uint32_t Append(const void* bytes, uint32_t size);

  const Napi::Env env_;
  Counters& counters_;
  const Napi::FunctionReference callback_;
  const SharedMemory arena_;
  const uint32_t payload_begin_;
  uint32_t used_;
  uint32_t records_ = 0;
  uint64_t unsettled_ = 0;  // messages of the batch
  uint32_t streams_a_turn_ = kStreamsATurn;
  uint64_t written_ = 0;      // streams, this turn
  uint64_t turn_end_us_ = 0;  // of a turn that left something; 0: the last one left nothing
  std::unordered_set<Ticket> awaited_;
  napi_value large_ = nullptr;  // lives in the handle scope of the loop callback that made it
  bool running_ = true;
};

}  // namespace holdfast
