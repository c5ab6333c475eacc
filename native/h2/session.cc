#include "h2/session.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "base/check.h"

namespace holdfast {
namespace {

constexpr uint32_t kMostLingered = 1 << 20;
// What is sealed is written when it is as much.
constexpr size_t kSealedAWrite = 128 << 10;
// What a frame that waits in the library costs, with its fields.
constexpr uint64_t kQueuedFrameBytes = 512;
constexpr uint64_t kNever = ~uint64_t{0};

}  // namespace

std::unique_ptr<H2Session> H2Session::Open(H2Context& context, int fd,
                                           std::shared_ptr<const TlsContext> tls) {
  std::unique_ptr<H2Session> session(new H2Session(context, fd));
  if (tls != nullptr) {
    session->tls_ = TlsConnection::Open(std::move(tls), context.wire);
    if (session->tls_ == nullptr) return nullptr;
  }
  if (!session->Start()) return nullptr;
  context.events.OnSessionOpened(*session);
  session->told_ = true;
  return session;
}

H2Session::H2Session(H2Context& context, int fd)
    : context_(context),
      fd_(fd),
      flood_(context.now_ms),
      opened_ms_(context.now_ms),
      read_ms_(context.now_ms),
      empty_ms_(context.now_ms) {}

H2Session::~H2Session() {
  finished_ = true;
  while (first_ != nullptr) Forget(*first_, StreamEnd::kSession, ng::kCancel);
  if (told_) context_.events.OnSessionClosed(*this);
  if (session_ != nullptr) context_.api.session_del(session_);
  context_.held_bytes -= unsent_bytes_ + client_bytes_;
  if (dirty_) std::erase(context_.dirty, this);
  CHECK(close(fd_) == 0);
}

bool H2Session::Start() {
  const Nghttp2Api& api = context_.api;
  const H2Limits& limits = context_.limits;
  if (api.session_server_new3(&session_, context_.callbacks(), this, context_.option(),
                              context_.frame_buffers.memory()) != 0) {
    session_ = nullptr;
    return false;
  }
  const ng::SettingsEntry settings[] = {
      {ng::kSettingsMaxConcurrentStreams, limits.max_streams},
      {ng::kSettingsInitialWindowSize, limits.stream_window},
      {ng::kSettingsMaxHeaderListSize, limits.max_header_bytes},
      {ng::kSettingsEnableConnectProtocol, 1},
  };
  if (api.submit_settings(session_, 0, settings, std::size(settings)) != 0 ||
      api.session_set_local_window_size(session_, 0, 0,
                                        static_cast<int32_t>(limits.connection_window)) != 0) {
    return false;
  }
  MarkDirty();
  return true;
}

bool H2Session::Read(bool to_end) {
  std::vector<uint8_t>& input = context_.input;
  for (size_t total = 0; total < context_.limits.read_a_turn && !finished_;) {
    const ssize_t count = recv(fd_, input.data(), input.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
    if (count <= 0) {  // broken, or the peer's end: its input is drained, and it hears no more
      Fail();
      return false;
    }
    const auto size = static_cast<size_t>(count);
    total += size;
    if (tls_ != nullptr) {
      FeedSealed({input.data(), size});
    } else if (!Feed({input.data(), size})) {
      Discard(size);
    }
    // Less than was asked for is all there is: the next would only be told so.
    if (size < input.size() && !to_end) return false;
  }
  return !finished_;
}

void H2Session::Discard(size_t bytes) {
  lingered_bytes_ += static_cast<uint32_t>(bytes);
  if (lingered_bytes_ > kMostLingered) Fail();
}

// False if nobody listens any more.
bool H2Session::Feed(std::span<const uint8_t> bytes) {
  if (session_ == nullptr || terminating_) return false;
  read_ms_ = context_.now_ms;
  const ssize_t used = context_.api.session_mem_recv(session_, bytes.data(), bytes.size());
  // Most faults of the peer it answers by itself; after these it reads no further.
  if (used < 0) Terminate(used == ng::kErrFlooded ? ng::kEnhanceYourCalm : ng::kProtocolError);
  // The library keeps each answer until it is written, though its stream be long gone: a peer that
  // reads nothing could ask and reset without end.
  if (blocked()) {
    CountUnsent();
    const size_t queued = context_.api.session_get_outbound_queue_size(session_);
    if (queued > context_.limits.max_queued_frames) Fail();
  }
  MarkDirty();
  return true;
}

void H2Session::Flush() {
  WriteOut();
  // Of a connection that broke amid it.
  context_.wire.out.clear();
  context_.output.Clear();
  CountUnsent();
}

void H2Session::FlushRead() {
  // Not the last: something else of this turn has made it dirty, and may add to it.
  if (!dirty_ || context_.dirty.back() != this) return;
  context_.dirty.pop_back();
  dirty_ = false;
  Flush();
}

void H2Session::WriteOut() {
  if (finished_ || (session_ == nullptr && !blocked())) return;
  const uint64_t now_ms = context_.now_ms;
  if (blocked()) {
    const size_t pieces = unsent_.size();
    const uint32_t begin = unsent_.front().begin;
    if (!WriteUnsent(fd_, &unsent_)) return Fail();
    if (unsent_.size() != pieces || unsent_.front().begin != begin) blocked_ms_ = now_ms;
    if (blocked()) return;
    blocked_ms_ = 0;
    if (session_ == nullptr) return EndWriting();
  }
  if (tls_ != nullptr && !tls_->ready()) return;
  for (size_t written = 0;;) {
    Gather();
    const size_t size = context_.output.size();
    if (finished_ || size == 0) break;
    if (!WriteGathered()) return Fail();
    if (blocked()) {
      blocked_ms_ = now_ms;
      return;
    }
    written += size;
    if (written >= kWriteATurn) {
      MarkDirty();
      break;
    }
  }
  WriteSealed();
  if (finished_ || blocked()) return;
  if (context_.api.session_want_read(session_) == 0 &&
      context_.api.session_want_write(session_) == 0) {
    Linger();
  }
}

void H2Session::Gather() {
  Output& output = context_.output;
  if (takes_turns_) {
    while (ResumeNext()) continue;
  }
  while (output.HasRoomForFrame()) {
    const uint8_t* data;
    const ssize_t size = context_.api.session_mem_send(session_, &data);
    if (size < 0) return Fail();
    if (size > 0) {
      output.Copy({data, static_cast<size_t>(size)});
      continue;
    }
    if (!output.HasRoomForData()) break;  // send_data has refused, and goes on in the next round
    if (ResumeNext() || SubmitLateResets()) continue;
    takes_turns_ = false;
    return;
  }
  takes_turns_ = true;
}

bool H2Session::WriteGathered() {
  Output& output = context_.output;
  if (tls_ == nullptr) return output.WriteTo(fd_, &unsent_);
  const bool sealed = tls_->Write(output.copied());
  output.Clear();
  if (context_.wire.out.size() >= kSealedAWrite) WriteSealed();
  return sealed && !finished_;
}

// What the socket has not taken, and what the library keeps because of it, if only by number: none
// of it is a stream's any more.
void H2Session::CountUnsent() {
  uint64_t unsent = 0;
  if (blocked()) {
    unsent = TotalOf(unsent_);
    if (session_ != nullptr) {
      unsent += kQueuedFrameBytes * context_.api.session_get_outbound_queue_size(session_);
    }
  }
  context_.held_bytes += unsent - unsent_bytes_;
  unsent_bytes_ = unsent;
}

void H2Session::MarkDirty() {
  if (dirty_ || finished_) return;
  dirty_ = true;
  context_.dirty.push_back(this);
}

std::span<H2Session* const> H2Session::TakeDirty(H2Context& context) {
  context.flushing.clear();
  context.flushing.swap(context.dirty);
  for (H2Session* session : context.flushing) session->dirty_ = false;
  return context.flushing;
}

// Closing with bytes unread would make the system reset the connection, and the peer lose our
// GOAWAY.
void H2Session::Linger() {
  while (first_ != nullptr) Forget(*first_, StreamEnd::kSession, ng::kCancel);
  context_.api.session_del(session_);
  session_ = nullptr;
  linger_until_ms_ = context_.now_ms + context_.limits.linger_ms;
  if (tls_ != nullptr) {
    tls_->Close();
    WriteSealed();
    tls_.reset();
  }
  if (!blocked()) EndWriting();
}

void H2Session::EndWriting() {
  if (shutdown(fd_, SHUT_WR) != 0) Fail();
}

uint64_t H2Session::CheckTime() {
  if (finished_) return kNever;
  const H2Limits& limits = context_.limits;
  const uint64_t now_ms = context_.now_ms;
  uint64_t next_ms = kNever;
  const auto passed = [&](uint64_t deadline_ms) {
    if (now_ms >= deadline_ms) return true;
    next_ms = std::min(next_ms, deadline_ms);
    return false;
  };
  if (session_ == nullptr) {
    if (passed(linger_until_ms_)) Fail();
    return next_ms;
  }
  if (blocked_ms_ != 0 && passed(blocked_ms_ + limits.stall_ms)) Fail();
  if (tls_ != nullptr && !tls_->ready()) {
    if (passed(opened_ms_ + limits.handshake_ms)) Fail();
    return next_ms;
  }
  if (terminating_) return next_ms;
  if (!heard_settings_ && passed(opened_ms_ + limits.preface_ms)) Terminate(ng::kSettingsTimeout);
  if (headers_ms_ != 0 && passed(headers_ms_ + limits.headers_ms)) Terminate(ng::kEnhanceYourCalm);
  if (notice_ms_ != 0 && passed(notice_ms_ + limits.drain_notice_ms)) FinishShutdown();
  if (stream_count_ == 0 && !shutting_ && passed(empty_ms_ + limits.idle_ms)) Shutdown();
  if (pinged_ms_ != 0) {
    // Its answer may stand behind what the peer is sending, and itself behind what the socket has
    // yet to take: while that goes on, it is no silence.
    const uint64_t since_ms = std::max({pinged_ms_, read_ms_, blocked_ms_});
    if (passed(since_ms + limits.ping_timeout_ms)) Fail();
  } else if (limits.ping_interval_ms != 0 && passed(read_ms_ + limits.ping_interval_ms)) {
    pinged_ms_ = now_ms;
    next_ms = std::min(next_ms, now_ms + limits.ping_timeout_ms);
    (void)Submitted(context_.api.submit_ping(session_, 0, nullptr));
  }
  return next_ms;
}

void H2Session::Shutdown() {
  if (shutting_ || terminating_ || session_ == nullptr) return;
  shutting_ = true;
  notice_ms_ = context_.now_ms;
  // What the peer sent before it heard the first is served; its PING answer says that it has.
  if (!Submitted(context_.api.submit_shutdown_notice(session_))) return;
  if (pinged_ms_ == 0) pinged_ms_ = context_.now_ms;
  (void)Submitted(context_.api.submit_ping(session_, 0, nullptr));
}

void H2Session::FinishShutdown() {
  notice_ms_ = 0;
  const int32_t last = context_.api.session_get_last_proc_stream_id(session_);
  (void)Submitted(context_.api.submit_goaway(session_, 0, last, ng::kNoError, nullptr, 0));
}

void H2Session::Terminate(uint32_t code) {
  if (terminating_ || session_ == nullptr) return;
  terminating_ = true;
  (void)Submitted(context_.api.session_terminate_session(session_, code));
}

void H2Session::Shed() {
  Terminate(ng::kEnhanceYourCalm);
  Flush();
  // What is kept of its client goes with it alone.
  if (session_ != nullptr || blocked() || held_bytes() > 0) Fail();
}

void H2Session::Spend(uint32_t cost) { CheckFlood(flood_.Spend(cost, context_.now_ms)); }

void H2Session::CheckFlood(bool within) {
  if (!within) Terminate(ng::kEnhanceYourCalm);
}

// Only a want of memory is refused here, and then the session can do nothing more.
bool H2Session::Submitted(int result) {
  if (result != 0) Fail();
  MarkDirty();
  return result == 0;
}

}  // namespace holdfast
