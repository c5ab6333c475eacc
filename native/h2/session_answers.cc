// The half of a stream that is written: its answer, from the application to the library.
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

// What the library sends as one header block: what is larger it drops, and tells nobody.
constexpr size_t kMostFields = (64 << 10) - 64;

bool FitsOneBlock(const std::vector<ng::NameValue>& fields) {
  size_t size = 0;
  for (const ng::NameValue& field : fields) size += field.name_size + field.value_size + 12;
  return size <= kMostFields;
}

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

bool H2Session::Inform(H2Stream& stream, std::string_view fields) {
  if (stream.responded || stream.reset || terminating_) return false;
  std::vector<ng::NameValue>& parsed = context_.fields;
  if (!ParseFields(fields, &parsed) || !FitsOneBlock(parsed)) return false;
  const uint32_t status = StatusOf(parsed);
  if (status < 100 || status > 199 || status == 101) return false;
  return Submitted(context_.api.submit_headers(session_, 0, stream.id, nullptr, parsed.data(),
                                               parsed.size(), nullptr));
}

bool H2Session::Respond(H2Stream& stream, std::string_view fields, bool end) {
  if (stream.responded || stream.reset || terminating_) return false;
  std::vector<ng::NameValue>& parsed = context_.fields;
  if (!ParseFields(fields, &parsed) || !FitsOneBlock(parsed)) return false;
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

void H2Session::HoldShared(const Payload& payload) {
  const auto held = std::ranges::find(shared_, &payload, &decltype(shared_)::value_type::first);
  if (held != shared_.end()) {
    held->second++;
    return;
  }
  shared_.emplace_back(&payload, 1);
  CountQueued(payload.size());
}

void H2Session::ReleaseShared(const Payload& payload) {
  const auto held = std::ranges::find(shared_, &payload, &decltype(shared_)::value_type::first);
  CHECK(held != shared_.end());
  if (--held->second > 0) return;
  shared_.erase(held);
  CountQueued(-int64_t{payload.size()});
}

bool H2Session::Write(H2Stream& stream, Piece piece, WriteTag tag) {
  if (stream.ended || stream.reset || terminating_) return false;
  const uint32_t size = piece.size();
  if (size == 0) return true;
  if (tag == WriteTag::kShared) {
    HoldShared(*piece.payload);
  } else {
    CountQueued(size);
  }
  stream.parts.push_back({std::move(piece), tag});
  stream.queued += size;
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
    if (!ParseFields(trailers, &context_.fields) || !FitsOneBlock(context_.fields)) return false;
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
  if (result != 0 && result != ng::kErrInvalidArgument) Fail();
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
    const WriteTag tag = part.tag;
    if (tag != WriteTag::kShared) CountQueued(-int64_t{take});
    if (part.piece.size() == 0) {
      if (tag == WriteTag::kShared) ReleaseShared(*part.piece.payload);
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
    if (part.tag == WriteTag::kShared) {
      ReleaseShared(*part.piece.payload);
    } else {
      CountQueued(-int64_t{size});
    }
    context_.events.OnTaken(stream, part.tag, size);
  }
  stream.parts.clear();
  stream.sent_parts = 0;
}

}  // namespace holdfast
