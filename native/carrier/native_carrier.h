// The native carrier: a reactor's mail turned into calls of its HTTP/2 sessions. The bytes of a
// message never leave native memory.
//
// Threads: the reactor's own.
#pragma once

#include <vector>

#include "carrier/reactor_streams.h"
#include "core/carrier.h"
#include "core/sweep.h"

namespace holdfast {

class NativeCarrier final : public Carrier {
 public:
  NativeCarrier(Registry& registry, Worker& self, ReactorStreams& streams)
      : registry_(registry), self_(self), streams_(streams) {}
  NativeCarrier(const NativeCarrier&) = delete;
  NativeCarrier& operator=(const NativeCarrier&) = delete;

  uint32_t streams_a_turn() const override { return 4096; }
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
  void TopicNews(uint64_t) override {}  // reactors wait for none
  void End(uint32_t handle) override;
  void WorkerExited(uint32_t worker_id, uint64_t streams) override;
  void OnRequestMail(const MessageHeader& message) override;
  bool Flush() override;

  // A stream that is past its time.
  void Expire(const ExpiredStream& expired);

 private:
  // The bytes are the carrier's caller's to fill.
  PayloadRef MakePayload(uint32_t bytes, uint8_t** out);
  // Hands reserved bytes to the stream; false, with the bytes given back, when it takes none.
  bool WriteReserved(ReactorRequest& request, Piece piece, uint32_t messages);
  void WriteAhead(const MessageHeader& message);
  void Respond(ReactorRequest& request, const MessageHeader& message);
  void WriteBody(ReactorRequest& request, const MessageHeader& message);

  Registry& registry_;
  Worker& self_;
  ReactorStreams& streams_;
  // What was handed out to be filled lives at least until the next operation is prepared.
  std::vector<PayloadRef> filling_;
};

}  // namespace holdfast
