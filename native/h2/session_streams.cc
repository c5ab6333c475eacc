// The half of a session that deals with its streams.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "h2/fields.h"
#include "h2/session.h"
#include "h2/session_callbacks.h"

namespace holdfast {
namespace {

// A stream that has more waiting is large.
constexpr uint64_t kLarge = 16 << 10;

// The status of an answer that may be sent: it comes first, and there is no other pseudo-header.
// 0: none.
uint32_t StatusOf(const std::vector<ng::NameValue>& fields) {
  const auto is = [](const uint8_t* bytes, size_t size, std::string_view text) {
    return std::string_view(reinterpret_cast<const char*>(bytes), size) == text;
  };
  if (fields.empty() || !is(fields[0].name, fields[0].name_size, ":status")) return 0;
  for (size_t i = 1; i < fields.size(); i++) {
    if (fields[i].name[0] == ':') return 0;
  }
  if (fields[0].value_size != 3) return 0;
  uint32_t status = 0;
  for (size_t i = 0; i < 3; i++) {
    const uint8_t digit = fields[0].value[i];
    if (digit < '0' || digit > '9') return 0;
    status = status * 10 + digit - '0';
  }
  return status;
}

}  // namespace

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
    case ng::kPriority:
      // Versions of the library that know no priorities by frames let it pass.
      if (frame.stream_id == 0) Terminate(ng::kProtocolError);
      Spend(FloodMeter::kChatter);
      break;
    default:
      Spend(FloodMeter::kChatter);
  }
}

void H2Session::OnHeadersBegin(const ng::Frame& frame) {
  headers_ms_ = std::max<uint64_t>(context_.now_ms, 1);
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

// False ends the session.
bool H2Session::OnField(const ng::Frame& frame, std::string_view name, std::string_view value) {
  constexpr uint32_t kOverhead = 32;  // RFC 9113, section 6.5.2
  const uint32_t most = context_.limits.max_header_bytes;
  fields_size_ += static_cast<uint32_t>(name.size() + value.size()) + kOverhead;
  if (fields_size_ <= most) {
    AppendField(fields_.get(), name, value);
    return true;
  }
  // The block must be read to its end, as it changes the table; but not without end.
  if (fields_size_ > 4 * most) {
    Terminate(ng::kEnhanceYourCalm);
    return false;
  }
  fields_->clear();
  if (H2Stream* stream = Find(frame.stream_id)) Reset(*stream, ng::kEnhanceYourCalm);
  return true;
}

void H2Session::OnFrame(const ng::Frame& frame) {
  const bool ended = (frame.flags & ng::kFlagEndStream) != 0;
  H2Stream* stream = frame.stream_id == 0 ? nullptr : Find(frame.stream_id);
  switch (frame.type) {
    case ng::kHeaders:
      if (stream != nullptr) OnHeaders(*stream, ended);
      headers_ms_ = 0;
      fields_.reset();
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
    flood_.Earn(FloodMeter::kDataEarns);
    if ((frame.flags & ng::kFlagEndStream) == 0) return;  // of all frames the most
  }
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

bool H2Session::Inform(H2Stream& stream, std::string_view fields) {
  if (stream.responded || stream.reset || terminating_) return false;
  std::vector<ng::NameValue>& parsed = context_.fields;
  if (!ParseFields(fields, &parsed)) return false;
  const uint32_t status = StatusOf(parsed);
  if (status < 100 || status > 199 || status == 101) return false;
  return Submitted(context_.api.submit_headers(session_, 0, stream.id, nullptr, parsed.data(),
                                               parsed.size(), nullptr));
}

bool H2Session::Respond(H2Stream& stream, std::string_view fields, bool end) {
  if (stream.responded || stream.reset || terminating_) return false;
  std::vector<ng::NameValue>& parsed = context_.fields;
  if (!ParseFields(fields, &parsed)) return false;
  const uint32_t status = StatusOf(parsed);
  if (status < 200 || status > 599) return false;
  stream.responded = true;
  stream.head_waits = true;
  stream.bodiless = stream.head || status == 204 || status == 304;
  const bool whole = end || stream.bodiless;
  // Before anything is told: from here no write is taken.
  if (whole) stream.ended = true;
  if (stream.bodiless) DropParts(stream);
  ng::DataProvider body;
  body.source.pointer = &stream;
  body.read = H2Callbacks::Read;
  return Submitted(context_.api.submit_response(session_, stream.id, parsed.data(), parsed.size(),
                                                whole ? nullptr : &body));
}

void H2Session::CountQueued(int64_t bytes) {
  queued_bytes_ += static_cast<uint64_t>(bytes);
  context_.held_bytes += static_cast<uint64_t>(bytes);
}

void H2Session::CountUnread(int64_t bytes) {
  unread_bytes_ += static_cast<uint64_t>(bytes);
  context_.held_bytes += static_cast<uint64_t>(bytes);
}

bool H2Session::Write(H2Stream& stream, Piece piece, WriteTag tag) {
  if (stream.ended || stream.reset || terminating_) return false;
  const uint32_t size = piece.size();
  if (size == 0) return true;
  stream.parts.push_back({std::move(piece), tag});
  stream.queued += size;
  CountQueued(size);
  if (queued_bytes_ > context_.limits.max_queued_bytes) {
    Terminate(ng::kEnhanceYourCalm);
    return true;
  }
  Resume(stream);
  return true;
}

bool H2Session::End(H2Stream& stream, std::string_view trailers) {
  if (stream.ended || stream.reset || terminating_) return false;
  if (!trailers.empty()) {
    if (!ParseFields(trailers, &context_.fields)) return false;
    for (const ng::NameValue& field : context_.fields) {
      if (field.name[0] == ':') return false;
    }
    stream.trailers = std::make_unique<std::string>(trailers);
  }
  stream.ended = true;
  Resume(stream);
  return true;
}

void H2Session::Resume(H2Stream& stream) {
  if (!stream.responded) return;
  if (std::exchange(stream.deferred, false)) resumed_.push_back(stream.id);
  // Those behind it are not to wait until it has been sent.
  if (stream.queued > kLarge) takes_turns_ = true;
  MarkDirty();
}

// Whether there was one.
bool H2Session::ResumeNext() {
  if (next_resumed_ == resumed_.size()) {
    resumed_.clear();
    next_resumed_ = 0;
    return false;
  }
  const int result = context_.api.session_resume_data(session_, resumed_[next_resumed_++]);
  // One that has ended meanwhile is not known any more.
  if (result != ng::kErrInvalidArgument) (void)Submitted(result);
  return true;
}

void H2Session::Reset(H2Stream& stream, uint32_t code) {
  if (stream.reset || terminating_) return;
  // What is queued stays: a frame of it may have been promised to the library already.
  stream.reset = true;
  if (stream.head_waits) {
    // The library would drop it, and the peer not see that there was an answer.
    late_resets_.emplace_back(stream.id, code);
    return MarkDirty();
  }
  (void)Submitted(context_.api.submit_rst_stream(session_, 0, stream.id, code));
}

// Whether there was any.
bool H2Session::SubmitLateResets() {
  if (late_resets_.empty()) return false;
  for (const auto& [id, code] : std::exchange(late_resets_, {})) {
    if (Find(id) != nullptr) {
      (void)Submitted(context_.api.submit_rst_stream(session_, 0, id, code));
    }
  }
  return true;
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

ssize_t H2Session::OnRead(H2Stream& stream, size_t most, uint32_t* flags) {
  const size_t size = static_cast<size_t>(std::min<uint64_t>(most, stream.queued));
  const bool last = size == stream.queued && stream.ended;
  if (stream.reset || (size == 0 && !last)) {
    stream.deferred = true;
    return ng::kErrDeferred;
  }
  *flags = ng::kDataNoCopy;
  if (!last) return static_cast<ssize_t>(size);
  *flags |= ng::kDataEof;
  if (stream.trailers != nullptr) {
    *flags |= ng::kDataNoEndStream;
    CHECK(ParseFields(*stream.trailers, &context_.fields));  // as End found
    (void)Submitted(context_.api.submit_trailer(session_, stream.id, context_.fields.data(),
                                                context_.fields.size()));
    stream.trailers.reset();
  }
  return static_cast<ssize_t>(size);
}

void H2Session::SendData(H2Stream& stream, std::span<const uint8_t> frame_header, size_t size) {
  Output& output = context_.output;
  output.Copy(frame_header);
  while (size > 0) {
    CHECK(stream.sent_parts < stream.parts.size());
    H2Stream::Part& part = stream.parts[stream.sent_parts];
    const auto take = static_cast<uint32_t>(std::min<size_t>(size, part.piece.size()));
    const std::span<const uint8_t> bytes = part.piece.bytes().first(take);
    if (tls_ == nullptr) {
      output.Add(part.piece.payload, bytes);
    } else {
      output.Copy(bytes);  // one piece to be sealed, in records as large as they may be
    }
    part.piece.begin += take;
    size -= take;
    stream.queued -= take;
    CountQueued(-int64_t{take});
    const WriteTag tag = part.tag;
    if (part.piece.size() == 0) {
      part.piece.payload = PayloadRef();
      stream.sent_parts++;
    }
    // Last, since it may write.
    context_.events.OnTaken(stream, tag, take);
  }
  if (stream.sent_parts == stream.parts.size()) {
    // An idle stream keeps no more than it needs.
    if (stream.parts.capacity() > 4) {
      std::vector<H2Stream::Part>().swap(stream.parts);
    } else {
      stream.parts.clear();
    }
    stream.sent_parts = 0;
  } else if (stream.sent_parts >= 64 && stream.sent_parts > stream.parts.size() / 2) {
    stream.parts.erase(stream.parts.begin(), stream.parts.begin() + stream.sent_parts);
    stream.sent_parts = 0;
  }
}

void H2Session::DropParts(H2Stream& stream) {
  for (size_t i = stream.sent_parts; i < stream.parts.size(); i++) {
    const H2Stream::Part& part = stream.parts[i];
    const uint32_t size = part.piece.size();
    stream.queued -= size;
    CountQueued(-int64_t{size});
    context_.events.OnTaken(stream, part.tag, size);
  }
  stream.parts.clear();
  stream.sent_parts = 0;
}

}  // namespace holdfast
