#include "binding/node_carrier.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "core/loss.h"
#include "core/request_mail.h"
#include "core/settle.h"

namespace holdfast {

NodeCarrier::NodeCarrier(Napi::Env env, Counters& counters, const Napi::Function& callback,
                         const Napi::Uint8Array& arena)
    : env_(env),
      counters_(counters),
      callback_(Napi::Persistent(callback)),
      arena_(arena),
      payload_begin_(sizeof(uint32_t) * kRecordWords * kMaxRecords),
      used_(payload_begin_) {
  CHECK(arena_.bytes().size() > payload_begin_);
}

// Where the loop was away for long with other things than to send, a turn does as much more: it
// would else have the smaller a share, the busier the loop is.
void NodeCarrier::BeginTurn() {
  streams_a_turn_ = kStreamsATurn;
  const uint64_t sending_us = std::exchange(written_, 0) * kSendingUs;
  if (turn_end_us_ == 0) return;
  const uint64_t away_us = MonotonicUs() - turn_end_us_;
  const uint64_t others_ms = away_us > sending_us ? (away_us - sending_us) / 1000 : 0;
  streams_a_turn_ =
      static_cast<uint32_t>(std::min<uint64_t>(kMostStreamsATurn, kStreamsATurn * (1 + others_ms)));
}

void NodeCarrier::EndTurn(bool more) { turn_end_us_ = more ? MonotonicUs() : 0; }

bool NodeCarrier::Prepare(uint64_t bytes, uint32_t operations) {
  CHECK(operations <= kMaxRecords);
  // Nothing else joins the batch of a large payload.
  const bool room = large_ == nullptr && records_ + operations <= kMaxRecords &&
                    used_ + bytes <= arena_.bytes().size();
  if (!running_ || (!room && !Flush())) return false;
  if (payload_begin_ + bytes <= arena_.bytes().size()) return true;
  return operations == 1 && MakeLarge(static_cast<size_t>(bytes));
}

bool NodeCarrier::MakeLarge(size_t bytes) {
  void* data;
  return napi_create_buffer(env_, bytes, &data, &large_) == napi_ok;
}

uint8_t* NodeCarrier::LargeData(size_t bytes) const {
  void* data;
  size_t size;
  CHECK(napi_get_buffer_info(env_, large_, &data, &size) == napi_ok && size == bytes);
  return static_cast<uint8_t*>(data);
}

// Where the payload of the next record goes.
uint8_t* NodeCarrier::Place(uint32_t bytes, uint32_t* offset) {
  *offset = 0;
  if (large_ != nullptr) return LargeData(bytes);
  *offset = used_;
  used_ += bytes;
  return arena_.data() + *offset;
}

uint8_t* NodeCarrier::Write(uint32_t handle, uint32_t bytes, uint32_t messages) {
  unsettled_ += messages;
  written_++;
  uint32_t offset;
  uint8_t* out = Place(bytes, &offset);
  Record(Op::kWrite, handle, offset, bytes, messages);
  return out;
}

uint8_t* NodeCarrier::WriteAwaited(uint32_t handle, uint32_t bytes, Ticket ticket) {
  unsettled_++;
  written_++;
  awaited_.insert(ticket);
  uint32_t offset;
  uint8_t* out = Place(bytes, &offset);
  Record(Op::kWriteAwaited, handle, offset, bytes, static_cast<uint32_t>(ticket),
         static_cast<uint32_t>(ticket >> 32));
  return out;
}

void NodeCarrier::Settled(Ticket ticket, Outcome outcome) {
  Record(Op::kSettled, static_cast<uint32_t>(ticket), static_cast<uint32_t>(ticket >> 32),
         static_cast<uint32_t>(outcome));
}

void NodeCarrier::SettleAwaited(Ticket ticket, Outcome outcome) {
  if (awaited_.erase(ticket) == 1) holdfast::Settle(Registry::Get(), ticket, outcome);
}

void NodeCarrier::AbandonAwaited() {
  for (const Ticket ticket : awaited_) holdfast::Settle(Registry::Get(), ticket, Outcome::kGone);
  awaited_.clear();
}

bool NodeCarrier::PrepareMany(uint32_t bytes, uint32_t handles) {
  const uint64_t list = (handles + 1ull) * sizeof(uint32_t);  // one more, to align it
  if (payload_begin_ + list + bytes <= arena_.bytes().size()) return Prepare(list + bytes, 1);
  return Prepare(list, 1) && Flush() && MakeLarge(bytes);
}

void NodeCarrier::WriteMany(std::span<const uint32_t> handles, const PayloadRef& payload,
                            uint32_t messages) {
  const uint32_t count = static_cast<uint32_t>(handles.size());
  const std::span<const uint8_t> bytes = payload->bytes();
  unsettled_ += uint64_t{count} * messages;
  written_ += count;
  used_ = (used_ + 3u) & ~3u;
  const uint32_t list = Append(handles.data(), count * static_cast<uint32_t>(sizeof(uint32_t)));
  uint32_t offset = 0;
  if (large_ == nullptr) {
    offset = Append(bytes.data(), payload->size());
  } else {
    std::memcpy(LargeData(bytes.size()), bytes.data(), bytes.size());
  }
  Record(Op::kWriteMany, list, count, offset, payload->size(), messages);
}

void NodeCarrier::Gap(uint32_t handle) { Record(Op::kGap, handle); }

void NodeCarrier::Slow(uint32_t handle) { Record(Op::kSlow, handle); }

void NodeCarrier::Close(uint32_t handle, uint32_t code, CloseReason reason, std::string_view text) {
  const uint32_t size = static_cast<uint32_t>(text.size());
  Record(Op::kClose, handle, Append(text.data(), size), size, code, static_cast<uint32_t>(reason));
}

void NodeCarrier::TopicNews(uint64_t ring) {
  Record(Op::kTopicNews, static_cast<uint32_t>(ring), static_cast<uint32_t>(ring >> 32));
}

void NodeCarrier::End(uint32_t handle) { Record(Op::kEnd, handle); }

void NodeCarrier::WorkerExited(uint32_t worker_id, uint64_t streams) {
  Record(Op::kWorkerExit, worker_id, static_cast<uint32_t>(streams),
         static_cast<uint32_t>(streams >> 32));
}

void NodeCarrier::OnRequestMail(const MessageHeader& message) {
  if (message.op < MessageOp::kRequest || message.op > MessageOp::kSessionClosed) {
    // For the reactor that had this number before.
    return Lose(Registry::Get(), nullptr, message);
  }
  const RequestId id = RequestId::Unpack(message.uid);
  const RequestHeader header = RequestHeader::Of(message);
  const std::string_view bytes = RequestBytes(message);
  const auto size = static_cast<uint32_t>(bytes.size());
  CHECK(large_ == nullptr);  // a frame or a header block, which are far smaller than the arena
  const uint32_t offset = Append(bytes.data(), size);
  const auto op = static_cast<uint32_t>(Op::kRequest) + static_cast<uint32_t>(message.op) -
                  static_cast<uint32_t>(MessageOp::kRequest);
  uint32_t* record = Record(static_cast<Op>(op), id.reactor, id.slot, id.generation, offset, size);
  record[6] = header.a;
  record[7] = header.b;
}

void NodeCarrier::Hangup(uint32_t socket) { Record(Op::kHangup, socket); }

void NodeCarrier::Expired(const ExpiredStream& stream) {
  Record(Op::kExpired, stream.handle, static_cast<uint32_t>(stream.expiry));
}

void NodeCarrier::Connection(int fd) { Record(Op::kConnection, static_cast<uint32_t>(fd)); }

bool NodeCarrier::Flush() {
  const napi_value large = std::exchange(large_, nullptr);
  if (records_ == 0) return running_;  // nothing was prepared, or nothing came of it
  const uint32_t count = records_;
  records_ = 0;
  used_ = payload_begin_;
  running_ = running_ && Enter(count, large);
  Settle(0, unsettled_);
  return running_;
}

// False when the environment runs no JavaScript any more.
bool NodeCarrier::Enter(uint32_t count, napi_value large) {
  napi_value arguments[2];
  napi_value receiver;
  napi_value callback;
  napi_value ignored;
  if (napi_create_uint32(env_, count, &arguments[0]) != napi_ok ||
      napi_get_undefined(env_, &arguments[1]) != napi_ok ||
      napi_get_global(env_, &receiver) != napi_ok ||
      napi_get_reference_value(env_, callback_, &callback) != napi_ok) {
    return false;
  }
  if (large != nullptr) arguments[1] = large;
  // By MakeCallback, so that process.nextTick and promises run when it returns.
  const napi_status status =
      napi_make_callback(env_, nullptr, receiver, callback, 2, arguments, &ignored);
  if (status == napi_ok) return running_;

  // A tick or promise behind the callback threw, and the process took it as uncaught and lives on.
  if (status == napi_generic_failure) return running_;
  // Either the callback threw, or the environment is ending.
  bool thrown = false;
  napi_value error;
  return napi_is_exception_pending(env_, &thrown) == napi_ok && thrown &&
         napi_get_and_clear_last_exception(env_, &error) == napi_ok &&
         napi_fatal_exception(env_, error) == napi_ok && running_;
}

void NodeCarrier::Settle(uint64_t delivered, uint64_t undeliverable) {
  counters_.Add(Counter::kMessagesDelivered, delivered);
  counters_.Add(Counter::kMessagesUndeliverable, undeliverable);
  unsettled_ = 0;
}

uint32_t* NodeCarrier::Record(Op op, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e) {
  DCHECK(records_ < kMaxRecords);
  uint32_t* record = arena_.As<uint32_t>() + size_t{kRecordWords} * records_++;
  record[0] = static_cast<uint32_t>(op);
  record[1] = a;
  record[2] = b;
  record[3] = c;
  record[4] = d;
  record[5] = e;
  return record;
}

uint32_t NodeCarrier::Append(const void* bytes, uint32_t size) {
  const uint32_t offset = used_;
  if (size != 0) std::memcpy(arena_.data() + offset, bytes, size);
  used_ += size;
  return offset;
}

}  // namespace holdfast
