// The half of a stream that is read: its request, from the library to the application, and its end.
#include <algorithm>
#include <utility>

#include "h2/fields.h"
#include "h2/session.h"

namespace holdfast {

// The library tells several things of one stream in a row, and looks for it each time.
H2Stream* H2Session::Find(int32_t id) {
  if (found_ != nullptr && found_->id == id) return found_;
  auto* stream = static_cast<H2Stream*>(context_.api.session_get_stream_user_data(session_, id));
  if (stream != nullptr) found_ = stream;
  return stream;
}

// The library unpacks the header block of a stream that is gone, and tells nobody.
bool H2Session::IsPast(int32_t id) {
  return id <= context_.api.session_get_last_proc_stream_id(session_) && Find(id) == nullptr;
}

void H2Session::OnFrameBegin(const ng::Frame& frame) {
  // Nothing comes amid a header block but the rest of it; of one that is malformed, or of a stream
  // that was reset, no end is told.
  if (frame.type != ng::kContinuation) EndFields();
  switch (frame.type) {
    case ng::kData:
      data_bytes_ = 0;
      if (frame.length == 0 && (frame.flags & ng::kFlagEndStream) == 0) Spend(FloodMeter::kChatter);
      break;
    case ng::kSettings:
      Spend(FloodMeter::kSettings);
      break;
    case ng::kHeaders:
      if (IsPast(frame.stream_id)) Spend(FloodMeter::kPast);
      break;
    case ng::kRstStream:
      break;  // counted when it is understood
    case ng::kWindowUpdate:
      CheckFlood(flood_.SpendUpdate(context_.now_ms));
      break;
    case ng::kPriority:
      // Versions of the library that know no priorities by frames let it pass.
      if (frame.stream_id == 0) Terminate(ng::kProtocolError);
      [[fallthrough]];
    default:
      Spend(FloodMeter::kChatter);
  }
}

void H2Session::OnHeadersBegin(const ng::Frame& frame) {
  headers_ms_ = std::max<uint64_t>(context_.now_ms, 1);
  fields_id_ = frame.stream_id;
  fields_size_ = 0;
  fields_ = std::make_unique<std::string>();
  // Numbers only rise (RFC 9113, section 5.1.1).
  if (frame.stream_id <= newest_id_ && Find(frame.stream_id) != nullptr) return;  // trailers
  newest_id_ = std::max(newest_id_, frame.stream_id);
  auto* stream = new H2Stream(*this, frame.stream_id);
  if (context_.api.session_set_stream_user_data(session_, frame.stream_id, stream) != 0) {
    delete stream;
    return;
  }
  stream->next = first_;
  if (first_ != nullptr) first_->previous = stream;
  first_ = stream;
  found_ = stream;
  stream_count_++;
}

void H2Session::EndFields() {
  headers_ms_ = 0;
  fields_.reset();
}

// False ends the session.
bool H2Session::OnField(const ng::Frame& frame, std::string_view name, std::string_view value) {
  constexpr uint32_t kOverhead = 32;  // RFC 9113, section 6.5.2
  const uint32_t most = context_.limits.max_header_bytes;
  fields_size_ += static_cast<uint32_t>(name.size() + value.size()) + kOverhead;
  if (fields_size_ <= most) {
    if (fields_ != nullptr) AppendField(fields_.get(), name, value);  // else its stream has ended
    return true;
  }
  // The block must be read to its end, as it changes the table; but not without end.
  if (fields_size_ > 4 * most) {
    Terminate(ng::kEnhanceYourCalm);
    return false;
  }
  if (fields_ != nullptr) fields_->clear();
  if (H2Stream* stream = Find(frame.stream_id)) Reset(*stream, ng::kEnhanceYourCalm);
  return true;
}

void H2Session::OnFrame(const ng::Frame& frame) {
  const bool ended = (frame.flags & ng::kFlagEndStream) != 0;
  H2Stream* stream = frame.stream_id == 0 ? nullptr : Find(frame.stream_id);
  switch (frame.type) {
    case ng::kHeaders:
      if (stream != nullptr) OnHeaders(*stream, ended);
      EndFields();
      break;
    case ng::kData:
      // Nothing but padding.
      if (data_bytes_ == 0 && frame.length > 0 && !ended) Spend(FloodMeter::kChatter);
      if (ended && stream != nullptr && !stream->peer_ended) {
        stream->peer_ended = true;
        context_.events.OnRequestEnd(*stream);
      }
      break;
    case ng::kRstStream:
      if (stream == nullptr) {
        Spend(FloodMeter::kPast);
        break;
      }
      stream->peer_reset = true;
      Spend(stream->responded ? FloodMeter::kLateReset : FloodMeter::kRapidReset);
      break;
    case ng::kSettings:
      heard_settings_ = true;
      break;
    case ng::kPing:
      if ((frame.flags & ng::kFlagAck) == 0) break;
      pinged_ms_ = 0;
      if (notice_ms_ != 0) FinishShutdown();
      break;
    default:
      break;
  }
}

void H2Session::OnHeaders(H2Stream& stream, bool ended) {
  if (terminating_ || stream.reset) return;
  stream.peer_ended = ended;
  if (stream.requested) {
    context_.events.OnTrailers(stream, *fields_);
    if (ended) context_.events.OnRequestEnd(stream);
    return;
  }
  stream.requested = true;
  stream.head = FindField(*fields_, ":method") == "HEAD";
  flood_.Earn(FloodMeter::kRequestEarns);
  context_.events.OnRequest(stream, *fields_, ended);
}

void H2Session::OnData(int32_t id, std::span<const uint8_t> bytes) {
  const auto size = static_cast<uint32_t>(bytes.size());
  data_bytes_ += size;
  H2Stream* stream = Find(id);
  if (stream == nullptr || stream->reset || terminating_) {
    (void)context_.api.session_consume_connection(session_, size);
    return;
  }
  if (stream->discarded) {
    (void)context_.api.session_consume_stream(session_, id, size);
    (void)context_.api.session_consume_connection(session_, size);
    return;
  }
  stream->unconsumed += size;
  CountUnread(size);
  context_.events.OnBody(*stream, bytes);
}

void H2Session::OnSent(const ng::Frame& frame) {
  if (frame.type == ng::kData) {
    flood_.DataSent();
    if ((frame.flags & ng::kFlagEndStream) == 0) return;  // of all frames the most
  }
  if (frame.type == ng::kPing && (frame.flags & ng::kFlagAck) == 0) pinged_ms_ = context_.now_ms;
  H2Stream* stream = frame.stream_id == 0 ? nullptr : Find(frame.stream_id);
  if (frame.type == ng::kRstStream && (stream == nullptr || !stream->reset)) {
    Spend(FloodMeter::kOurReset);
  }
  if (frame.type != ng::kData && frame.type != ng::kHeaders) return;
  if (stream != nullptr && frame.type == ng::kHeaders) stream->head_waits = false;
  if ((frame.flags & ng::kFlagEndStream) == 0 || stream == nullptr) return;
  stream->sent_end = true;
  if (stream->discarded && !stream->peer_ended) Reset(*stream, ng::kNoError);
}

void H2Session::OnStreamClose(int32_t id, uint32_t code) {
  if (id == fields_id_) EndFields();
  H2Stream* stream = Find(id);
  if (stream == nullptr) return;
  (void)context_.api.session_set_stream_user_data(session_, id, nullptr);
  StreamEnd end = StreamEnd::kOurReset;
  if (stream->peer_reset) {
    end = StreamEnd::kPeerReset;
  } else if (stream->sent_end && code == ng::kNoError) {
    end = StreamEnd::kFinished;
  }
  Forget(*stream, end, code);
}

void H2Session::Forget(H2Stream& stream, StreamEnd end, uint32_t code) {
  stream.ended = true;  // from here no write is taken
  stream.reset = true;
  DropParts(stream);
  CountUnread(-int64_t{stream.unconsumed});
  if (stream.unconsumed > 0 && session_ != nullptr) {
    (void)context_.api.session_consume_connection(session_, stream.unconsumed);
  }
  if (stream.requested) context_.events.OnClosed(stream, end, code);
  (stream.previous == nullptr ? first_ : stream.previous->next) = stream.next;
  if (stream.next != nullptr) stream.next->previous = stream.previous;
  if (found_ == &stream) found_ = nullptr;
  if (--stream_count_ == 0) empty_ms_ = context_.now_ms;
  delete &stream;
}

void H2Session::CountUnread(int64_t bytes) {
  unread_bytes_ += static_cast<uint64_t>(bytes);
  context_.held_bytes += static_cast<uint64_t>(bytes);
}

void H2Session::Consume(H2Stream& stream, uint32_t bytes) {
  const uint32_t size = std::min(bytes, stream.unconsumed);
  if (size == 0 || terminating_) return;
  stream.unconsumed -= size;
  CountUnread(-int64_t{size});
  (void)context_.api.session_consume_stream(session_, stream.id, size);
  (void)context_.api.session_consume_connection(session_, size);
  MarkDirty();
}

void H2Session::Discard(H2Stream& stream) {
  if (std::exchange(stream.discarded, true)) return;
  Consume(stream, stream.unconsumed);
  if (stream.sent_end && !stream.peer_ended) Reset(stream, ng::kNoError);
}

}  // namespace holdfast
