#include "carrier/reactor_streams.h"

#include <cstring>

#include "base/clock.h"
#include "core/admission.h"
#include "core/settle.h"
#include "h2/fields.h"
#include "listener/socket.h"

namespace holdfast {
namespace {

// How the stream ended, where nobody here closed it.
CloseReason ReasonOf(StreamEnd end, uint32_t code) {
  if (end == StreamEnd::kSession) return CloseReason::kSession;
  // CANCEL is how a client says that it wants no more (RFC 9113, section 7).
  const bool left = code == ng::kNoError || code == ng::kCancel;
  if (end == StreamEnd::kPeerReset && left) return CloseReason::kAbort;
  return code == ng::kNoError ? CloseReason::kEnd : CloseReason::kReset;
}

}  // namespace

ReactorRequest* ReactorStreams::Find(RequestId id) {
  if (id.slot >= requests_.size()) return nullptr;
  ReactorRequest& request = requests_[id.slot];
  // Of whoever had this number before, some may still be on its way.
  const bool ours = id.reactor == self_.id && id.generation == request.id.generation;
  const bool here = request.stream != nullptr && ours;
  return here ? &request : nullptr;
}

StreamLine* ReactorStreams::LineOf(ReactorRequest& request) {
  if (request.uid.value == 0) {
    // A Node thread adopted it meanwhile, if anybody did.
    MutexLock lock(self_.requests.mu);
    request.uid = self_.requests.places[request.id.slot].uid;
    if (request.uid.value == 0) return nullptr;
  }
  return self_.cache.Find(request.uid);
}

H2Session* ReactorStreams::FindSession(uint32_t socket, uint32_t generation) {
  if (socket >= sessions_by_socket_.size()) return nullptr;
  const uint32_t handle = sessions_by_socket_[socket];
  if (handle == kNone || sessions_[handle].socket_generation != generation) return nullptr;
  return sessions_[handle].session;
}

bool ReactorStreams::Lives(uint32_t node, uint32_t incarnation) const {
  if (node == kNone) return false;
  const Worker* worker = registry_.FindWorker(node);
  return worker->incarnation() == incarnation && worker->alive.load(std::memory_order_acquire);
}

bool ReactorStreams::IsAnswered(const ReactorRequest& request) const {
  return !request.untold && Lives(request.node, request.node_incarnation);
}

void ReactorStreams::OnNodeExit() {
  for (ReactorRequest& request : requests_) {
    if (request.stream == nullptr || IsAnswered(request)) continue;
    request.untold = true;
    EndGap(request);
    const StreamLine* line = LineOf(request);
    if (line != nullptr && line->detached()) {
      // Nobody reads on, and what was read may have been with that thread.
      request.stream->session.Discard(*request.stream);
      continue;
    }
    if (request.stream->ended) {
      // Its answer is whole, though it may not have left yet. Nobody reads on.
      request.stream->session.Discard(*request.stream);
      continue;
    }
    if (!std::exchange(request.closing, true)) request.reason = CloseReason::kWorker;
    request.stream->session.Reset(*request.stream, ng::kInternalError);
  }
}

void ReactorStreams::Tell(const ReactorRequest& request, MessageOp op, uint32_t a, uint32_t b,
                          std::string_view bytes) {
  if (!IsAnswered(request)) return;
  const RequestHeader header{a, b};
  const auto size = static_cast<uint32_t>(sizeof header + bytes.size());
  uint8_t* out = outboxes_.AppendTo(request.node, request.id.Pack(), op, size, /*control=*/true);
  std::memcpy(out, &header, sizeof header);
  if (!bytes.empty()) std::memcpy(out + sizeof header, bytes.data(), bytes.size());
  outboxes_.Appended(request.node);
}

void ReactorStreams::AddReported(ReactorRequest& request, uint32_t bytes) {
  if (bytes == 0) return;
  if (request.reported == 0) reporting_.push_back(request.id);
  request.reported += bytes;
}

void ReactorStreams::SetSlow(ReactorRequest& request, StreamLine& line, bool slow) {
  request.slow = slow;
  line.SetSlow(slow);
  self_.slow_streams.Set(request.uid, slow);
  Tell(request, MessageOp::kRequestSlow, slow ? 1 : 0, 0);
}

void ReactorStreams::AskForMark(ReactorRequest& request) {
  if (request.mark_asked_ms != 0) return;
  request.mark_asked_ms = MonotonicMs();
  if (!IsAnswered(request)) return EndGap(request);  // and nobody marks it
  StreamLine* line = LineOf(request);
  if (KeepsQueue(line->policy())) {
    self_.held_back.Pause(request.uid);
  } else {
    (void)line->MarkGap(request.uid);  // where it is not what leads here
  }
  awaiting_marks_.emplace_back(request.id, request.mark_asked_ms);
  Tell(request, MessageOp::kRequestGap, 0, 0);
}

void ReactorStreams::EndGap(ReactorRequest& request) {
  if (std::exchange(request.mark_asked_ms, 0) == 0) return;
  StreamLine* line = LineOf(request);
  if (line == nullptr) return;
  if (!KeepsQueue(line->policy())) return line->EndGap(request.uid);
  if (self_.held_back.Resume(request.uid)) WantPump();
}

int ReactorStreams::EndLateGaps() {
  if (awaiting_marks_.empty()) return -1;
  const uint64_t now_ms = MonotonicMs();
  while (!awaiting_marks_.empty()) {
    const auto [id, asked_ms] = awaiting_marks_.front();
    const uint64_t waited_ms = now_ms - asked_ms;
    if (waited_ms < mark_wait_ms_) return static_cast<int>(mark_wait_ms_ - waited_ms);
    awaiting_marks_.pop_front();
    ReactorRequest* request = Find(id);
    if (request != nullptr && request->mark_asked_ms == asked_ms) EndGap(*request);
  }
  return -1;
}

void ReactorStreams::Flush() {
  for (const RequestId id : reporting_) {
    ReactorRequest* request = Find(id);
    if (request == nullptr) continue;
    Tell(*request, MessageOp::kRequestTaken, std::exchange(request->reported, 0), 0);
  }
  reporting_.clear();
  for (const RequestId id : empty_) {
    ReactorRequest* request = Find(id);
    StreamLine* line = request == nullptr ? nullptr : LineOf(*request);
    if (line != nullptr) TellIfDrained(*request, *line);
  }
  empty_.clear();
  outboxes_.Flush();
}

void ReactorStreams::OnSessionOpened(H2Session& session) {
  uint32_t handle;
  if (free_sessions_.empty()) {
    handle = static_cast<uint32_t>(sessions_.size());
    sessions_.emplace_back();
  } else {
    handle = free_sessions_.back();
    free_sessions_.pop_back();
  }
  session.set_handle(handle);
  Session& state = sessions_[handle];
  state = Session{};
  state.session = &session;
  state.socket = registry_.OpenSocket(self_, PeerOf(session.fd()), /*placed=*/true);
  if (state.socket == kNone) return session.Terminate(ng::kEnhanceYourCalm);
  state.socket_generation = self_.cache.SocketGeneration(state.socket);
  if (sessions_by_socket_.size() <= state.socket) {
    sessions_by_socket_.resize(state.socket + 1, kNone);
  }
  sessions_by_socket_[state.socket] = handle;
}

void ReactorStreams::OnSessionClosed(H2Session& session) {
  Session& state = sessions_[session.handle()];
  if (state.socket != kNone) {
    if (Lives(state)) {
      const RequestHeader header{state.socket, state.socket_generation};
      uint8_t* out = outboxes_.AppendTo(state.node, RequestId{self_.id, 0, 0}.Pack(),
                                        MessageOp::kSessionClosed, sizeof header, /*control=*/true);
      std::memcpy(out, &header, sizeof header);
      outboxes_.Appended(state.node);
    }
    sessions_by_socket_[state.socket] = kNone;
    registry_.CloseSocket(self_, state.socket, /*placed=*/true);
  }
  LetGoOfNode(state);
  self_.ForgetConnection();
  state = Session{};
  free_sessions_.push_back(session.handle());
}

// A session keeps its Node thread while that lives, so that its streams are one thread's.
bool ReactorStreams::FindNode(Session& session) {
  if (Lives(session)) {
    return registry_.FindWorker(session.node)->takes_requests.load(std::memory_order_acquire);
  }
  const bool home = home_ != nullptr && home_->takes_requests.load(std::memory_order_acquire);
  Worker* node = home ? home_ : registry_.PickRequestTaker();
  if (node == nullptr) return false;
  session.node = node->id;
  session.node_incarnation = node->incarnation();
  node->load.fetch_add(1, std::memory_order_relaxed);
  session.client_told = false;
  return true;
}

void ReactorStreams::LetGoOfNode(Session& session) {
  if (Lives(session)) {
    registry_.FindWorker(session.node)->load.fetch_sub(1, std::memory_order_relaxed);
  }
  session.node = kNone;
}

bool ReactorStreams::AnswerStatically(H2Stream& stream, std::string_view fields) {
  const StaticAnswer* answer =
      static_answers_.Find(FindField(fields, ":method"), FindField(fields, ":path"));
  if (answer == nullptr) return false;
  H2Session& session = stream.session;
  const bool whole = !answer->body;
  dated_fields_ = answer->fields;
  if (!answer->dated) AppendField(&dated_fields_, "date", date_.Now());
  if (!session.Respond(stream, dated_fields_, whole)) return false;
  if (!whole) {
    (void)session.Write(stream, {answer->body, 0, answer->body->size()}, WriteTag::kShared);
    (void)session.End(stream);
  }
  session.Discard(stream);
  self_.counters.Add(Counter::kStaticAnswers);
  return true;
}

void ReactorStreams::OnRequest(H2Stream& stream, std::string_view fields, bool ended) {
  if (AnswerStatically(stream, fields)) return;
  const uint32_t handle = stream.session.handle();
  Session& session = sessions_[handle];
  if (session.socket == kNone || !FindNode(session)) {
    return Refuse(stream);
  }
  const RequestId id = OpenRequest(self_, session.socket);
  if (requests_.size() <= id.slot) requests_.resize(id.slot + 1);
  ReactorRequest& request = requests_[id.slot];
  request.stream = &stream;
  request.id = id;
  request.session = handle;
  request.node = session.node;
  request.node_incarnation = session.node_incarnation;
  stream.handle = id.slot;
  if (TellOfRequest(session, request, fields, ended)) return;
  request.untold = true;
  Refuse(stream);
}

// The peer may try again, elsewhere or later (RFC 9113, section 8.7).
void ReactorStreams::Refuse(H2Stream& stream) {
  self_.counters.Add(Counter::kRequestsRefused);
  stream.session.Reset(stream, ng::kRefusedStream);
}

// False when the Node thread has too much waiting already.
bool ReactorStreams::TellOfRequest(Session& session, const ReactorRequest& request,
                                   std::string_view fields, bool ended) {
  ClientIdentity client;
  if (!session.client_told) {
    client = session.session->Client();
    session.client_flags = !client.asked                ? 0
                           : client.certificate.empty() ? kRequestUncertified
                                                        : kRequestCertified;
  }
  const std::span<const uint8_t> certificate(client.certificate);
  const RequestHeader header{(ended ? kRequestEnded : 0) | session.client_flags,
                             static_cast<uint32_t>(certificate.size())};
  const uint32_t words[3] = {session.socket, session.socket_generation, client.verdict};
  const size_t words_size = certificate.empty() ? 2 * sizeof *words : sizeof words;
  const size_t size = sizeof header + words_size + certificate.size() + fields.size();
  uint8_t* out = outboxes_.AppendTo(session.node, request.id.Pack(), MessageOp::kRequest,
                                    static_cast<uint32_t>(size), /*control=*/false);
  if (out == nullptr) return false;
  const auto put = [&out](const void* bytes, size_t count) {
    std::memcpy(out, bytes, count);
    out += count;
  };
  put(&header, sizeof header);
  put(words, words_size);
  if (!certificate.empty()) put(certificate.data(), certificate.size());
  put(fields.data(), fields.size());
  outboxes_.Appended(session.node);
  if (!session.client_told) session.session->CountClient(header.b);
  session.client_told = true;
  return true;
}

void ReactorStreams::OnBody(H2Stream& stream, std::span<const uint8_t> bytes) {
  const auto size = static_cast<uint32_t>(bytes.size());
  if (stream.handle == kNone || !IsAnswered(requests_[stream.handle])) {
    return stream.session.Consume(stream, size);
  }
  ReactorRequest& request = requests_[stream.handle];
  if (request.uid.value != 0) {
    // A peer that only sends does not keep one from ending.
    StreamLine* line = LineOf(request);
    if (line != nullptr && !line->owner_closes()) line->Touch(MonotonicMs());
  }
  Tell(request, MessageOp::kRequestBody, 0, 0,
       {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

void ReactorStreams::OnTrailers(H2Stream&, std::string_view fields) { trailers_ = fields; }

void ReactorStreams::OnRequestEnd(H2Stream& stream) {
  if (stream.handle != kNone) {
    Tell(requests_[stream.handle], MessageOp::kRequestBodyEnd, 0, 0, trailers_);
  }
  trailers_.clear();
}

void ReactorStreams::OnTaken(H2Stream& stream, WriteTag tag, uint32_t bytes) {
  if (tag == WriteTag::kPlain || stream.handle == kNone) return;
  ReactorRequest& request = requests_[stream.handle];
  if (tag == WriteTag::kReported) {
    AddReported(request, bytes);
  } else {
    OnBudgetTaken(stream, request, bytes);
  }
}

void ReactorStreams::OnBudgetTaken(H2Stream& stream, ReactorRequest& request, uint32_t bytes) {
  // A stream that was reset, or whose answer has no body, gives back what it had without having
  // sent it.
  if (request.awaited != nullptr && !stream.reset && !stream.bodiless) {
    AwaitedWrites& awaited = *request.awaited;
    awaited.taken += bytes;
    while (!awaited.tickets.empty() && awaited.tickets.front().first <= awaited.taken) {
      Settle(registry_, awaited.tickets.front().second, Outcome::kTaken);
      awaited.tickets.pop_front();
    }
  }
  StreamLine* line = LineOf(request);
  if (line == nullptr) return;
  if (KeepsQueue(line->policy()) && self_.held_back.Taken(request.uid, bytes)) pump_wanted_ = true;
  // A reader that takes something is not stuck, however long its stream takes to end.
  if (!stream.reset && line->owner_closes()) line->Touch(MonotonicMs());
  if (GiveBack(registry_, &self_, *line, request.uid, bytes).gap) AskForMark(request);
  TellIfDrained(request, *line);
}

void ReactorStreams::TellIfDrained(ReactorRequest& request, StreamLine& line) {
  if (!request.slow || self_.held_back.Holds(request.uid)) return;
  if (line.queued_bytes() <= self_.options[Option::kSendBudgetBytes] / 4) {
    SetSlow(request, line, false);
  }
}

void ReactorStreams::OnClosed(H2Stream& stream, StreamEnd end, uint32_t code) {
  if (stream.handle == kNone) return;
  ReactorRequest& request = requests_[stream.handle];
  const bool complete = stream.sent_end && end != StreamEnd::kPeerReset && code == ng::kNoError;
  const CloseReason reason = request.closing ? request.reason : ReasonOf(end, code);
  (void)CloseRequest(registry_, self_, stream.handle, reason);
  if (request.awaited != nullptr) {
    for (const auto& [position, ticket] : request.awaited->tickets) {
      Settle(registry_, ticket, Outcome::kGone);
    }
  }
  const std::string_view text = request.text == nullptr ? std::string_view() : *request.text;
  Tell(request, MessageOp::kRequestClosed,
       (complete ? 1u : 0u) | static_cast<uint32_t>(reason) << 1, code, text);
  request = ReactorRequest{};
}

}  // namespace holdfast
