#include "carrier/native_carrier.h"

#include <algorithm>
#include <cstring>

#include "base/clock.h"
#include "core/admission.h"
#include "core/loss.h"
#include "core/settle.h"
#include "h2/fields.h"

namespace holdfast {
namespace {

// Below it, a code is one of HTTP/2: the WebSocket is broken off.
constexpr uint32_t kFirstWebSocketCode = 1000;

// Bytes of messages, without what is written of the answer otherwise.
uint64_t QueuedReserved(const H2Stream& stream) {
  uint64_t bytes = 0;
  for (size_t i = stream.sent_parts; i < stream.parts.size(); i++) {
    if (stream.parts[i].tag == WriteTag::kBudget) bytes += stream.parts[i].piece.size();
  }
  return bytes;
}

}  // namespace

bool NativeCarrier::Prepare(uint64_t, uint32_t) {
  filling_.clear();
  return true;
}

bool NativeCarrier::PrepareMany(uint32_t, uint32_t) { return Prepare(0, 0); }

bool NativeCarrier::Flush() { return Prepare(0, 0); }

PayloadRef NativeCarrier::MakePayload(uint32_t bytes, uint8_t** out) {
  PayloadRef payload = PayloadRef::Make(bytes, [&](uint8_t* data) { *out = data; });
  filling_.push_back(payload);
  return payload;
}

uint8_t* NativeCarrier::Write(uint32_t handle, uint32_t bytes, uint32_t messages) {
  uint8_t* out;
  (void)WriteReserved(streams_.At(handle), {MakePayload(bytes, &out), 0, bytes}, messages);
  return out;
}

uint8_t* NativeCarrier::WriteAwaited(uint32_t handle, uint32_t bytes, Ticket ticket) {
  ReactorRequest& request = streams_.At(handle);
  uint8_t* out;
  PayloadRef payload = MakePayload(bytes, &out);
  if (request.awaited == nullptr) {
    request.awaited = std::make_unique<AwaitedWrites>();
    // What is on its way already is counted when it leaves.
    request.awaited->written = QueuedReserved(*request.stream);
  }
  AwaitedWrites& awaited = *request.awaited;
  if (!WriteReserved(request, {std::move(payload), 0, bytes}, 1)) {
    Settle(registry_, ticket, Outcome::kGone);
  } else if (bytes == 0) {
    Settle(registry_, ticket, Outcome::kTaken);
  } else {
    awaited.tickets.emplace_back(awaited.written, ticket);
  }
  return out;
}

void NativeCarrier::Settled(Ticket, Outcome) {}  // a reactor waits for nothing

bool NativeCarrier::WriteReserved(ReactorRequest& request, Piece piece, uint32_t messages) {
  const uint32_t bytes = piece.size();
  H2Stream& stream = *request.stream;
  StreamLine* line = streams_.LineOf(request);
  CHECK(line != nullptr);
  if (stream.session.Write(stream, std::move(piece), WriteTag::kBudget)) {
    self_.counters.Add(Counter::kMessagesDelivered, messages);
    if (request.awaited != nullptr) request.awaited->written += bytes;
    if (!request.slow && stream.queued > self_.options[Option::kSendBudgetBytes] / 2) {
      streams_.SetSlow(request, *line, true);
    }
    if (bytes == 0 && request.slow) streams_.NoteEmpty(request);
    return true;
  }
  self_.counters.Add(Counter::kMessagesUndeliverable, messages);
  if (KeepsQueue(line->policy())) (void)self_.held_back.Taken(request.uid, bytes);
  (void)GiveBack(registry_, &self_, *line, request.uid, bytes);
  return false;
}

void NativeCarrier::WriteMany(std::span<const uint32_t> handles, const PayloadRef& payload,
                              uint32_t messages) {
  for (const uint32_t handle : handles) {
    (void)WriteReserved(streams_.At(handle), {payload, 0, payload->size()}, messages);
  }
}

void NativeCarrier::Gap(uint32_t handle) { streams_.AskForMark(streams_.At(handle)); }

void NativeCarrier::Slow(uint32_t handle) {
  ReactorRequest& request = streams_.At(handle);
  if (!request.slow) streams_.SetSlow(request, *streams_.LineOf(request), true);
}

void NativeCarrier::Close(uint32_t handle, uint32_t code, CloseReason reason,
                          std::string_view text) {
  ReactorRequest& request = streams_.At(handle);
  if (request.closing) return;
  request.closing = true;
  request.reason = reason;
  request.code = code;
  if (!text.empty()) request.text = std::make_unique<std::string>(text);
  StreamLine* line = streams_.LineOf(request);
  line->MarkClosing(MonotonicMs());
  const bool farewell = line->kind() == StreamKind::kWebSocket && code >= kFirstWebSocketCode;
  const bool waits = (code == ng::kNoError || farewell) && KeepsQueue(line->policy()) &&
                     self_.held_back.EndBehind(request.uid);
  if (waits) return streams_.WantPump();
  End(handle);
}

// Code 0 ends it behind what was written, any other breaks it off.
void NativeCarrier::End(uint32_t handle) {
  ReactorRequest& request = streams_.At(handle);
  // A WebSocket says farewell in its own way, which its Node thread knows.
  if (streams_.LineOf(request)->kind() == StreamKind::kWebSocket && streams_.IsAnswered(request)) {
    const std::string_view text = request.text == nullptr ? std::string_view() : *request.text;
    return streams_.Tell(request, MessageOp::kRequestCloseAsked, request.code,
                         static_cast<uint32_t>(request.reason), text);
  }
  H2Stream& stream = *request.stream;
  if (request.code != ng::kNoError) return stream.session.Reset(stream, request.code);
  if (!stream.responded) {
    std::string fields;
    AppendField(&fields, ":status", "503");
    (void)stream.session.Respond(stream, fields, /*end=*/true);
  }
  (void)stream.session.End(stream);
  stream.session.Discard(stream);
}

void NativeCarrier::Expire(const ExpiredStream& expired) {
  ReactorRequest& request = streams_.At(expired.handle);
  if (expired.expiry == Expiry::kStuck) {
    request.stream->session.Reset(*request.stream, ng::kCancel);
  } else {
    const bool idle = expired.expiry == Expiry::kIdle;
    Close(expired.handle, ng::kNoError, idle ? CloseReason::kIdle : CloseReason::kMaxAge, {});
  }
}

void NativeCarrier::WorkerExited(uint32_t, uint64_t) { streams_.OnNodeExit(); }

void NativeCarrier::OnRequestMail(const MessageHeader& message) {
  const RequestHeader header = RequestHeader::Of(message);
  if (message.op == MessageOp::kRequestAhead) return WriteAhead(message);
  if (message.op == MessageOp::kSessionClose) {
    H2Session* session = streams_.FindSession(header.a, header.b);
    if (session != nullptr) session->Shutdown();
    return;
  }
  ReactorRequest* request = streams_.Find(RequestId::Unpack(message.uid));
  if (request == nullptr) return;  // it ended while this was on its way
  H2Stream& stream = *request->stream;
  switch (message.op) {
    case MessageOp::kRequestHead:
      return Respond(*request, message);
    case MessageOp::kRequestWrite:
      return WriteBody(*request, message);
    case MessageOp::kRequestEnd: {
      const bool over = stream.ended || stream.reset;
      // As of a head that may not be sent.
      if (!stream.session.End(stream, RequestBytes(message)) && !over) {
        stream.session.Reset(stream, ng::kInternalError);
      }
      return;
    }
    case MessageOp::kRequestReset:
      return stream.session.Reset(stream, header.a);
    case MessageOp::kRequestConsume:
      return stream.session.Consume(stream, header.a);
    case MessageOp::kRequestDiscard:
      return stream.session.Discard(stream);
    case MessageOp::kRequestGapOver:
      return streams_.EndGap(*request);
    default:
      return;  // for the Node thread that had this number before
  }
}

void NativeCarrier::Respond(ReactorRequest& request, const MessageHeader& message) {
  const uint32_t flags = RequestHeader::Of(message).a;
  H2Stream& stream = *request.stream;
  if ((flags & kHeadInterim) != 0) {
    (void)stream.session.Inform(stream, RequestBytes(message));
    return;
  }
  const bool begun = stream.responded || stream.reset;
  if (!stream.session.Respond(stream, RequestBytes(message), (flags & kHeadEnds) != 0) && !begun) {
    // The typed layer has checked them; what it lets through and HTTP/2 forbids is its fault.
    stream.session.Reset(stream, ng::kInternalError);
  }
}

void NativeCarrier::WriteBody(ReactorRequest& request, const MessageHeader& message) {
  const std::string_view bytes = RequestBytes(message);
  const auto size = static_cast<uint32_t>(bytes.size());
  const bool reported = RequestHeader::Of(message).a != 0;
  const auto copy = [&](uint8_t* out) { std::memcpy(out, bytes.data(), size); };
  H2Stream& stream = *request.stream;
  const WriteTag tag = reported ? WriteTag::kReported : WriteTag::kPlain;
  if (!stream.session.Write(stream, {PayloadRef::Make(size, copy), 0, size}, tag) && reported) {
    streams_.AddReported(request, size);
  }
}

// To a stream, before all that it holds back.
void NativeCarrier::WriteAhead(const MessageHeader& message) {
  const StreamLine* line = self_.cache.Find(message.uid);
  if (line == nullptr) return Lose(registry_, &self_, message);
  const std::string_view bytes = RequestBytes(message);
  const auto size = static_cast<uint32_t>(bytes.size());
  ReactorRequest& request = streams_.At(line->handle());
  if (KeepsQueue(line->policy())) self_.held_back.PassAhead(message.uid, size);
  const auto copy = [&](uint8_t* out) { std::memcpy(out, bytes.data(), size); };
  (void)WriteReserved(request, {PayloadRef::Make(size, copy), 0, size}, 1);
  // Here, and not by a mail behind it: what is sent once the client has the mark is taken.
  if (RequestHeader::Of(message).a != 0) streams_.EndGap(request);
}

}  // namespace holdfast
