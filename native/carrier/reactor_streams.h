// The sessions and requests of one reactor: what its sessions tell becomes mail to the Node threads
// that answer, and what was taken of an answer is given back to whoever counts it.
//
// Threads: the reactor's own.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/http_date.h"
#include "core/adoption.h"
#include "core/outboxes.h"
#include "h2/context.h"
#include "h2/session.h"

namespace holdfast {

// How long a stream waits for the mark of a gap, where its Node thread is busy with other things.
inline constexpr uint64_t kMarkWaitMs = 1000;

// Writes that somebody waits for, by how many bytes of the stream must have left.
struct AwaitedWrites {
  uint64_t written = 0;
  uint64_t taken = 0;
  std::deque<std::pair<uint64_t, Ticket>> tickets;
};

struct ReactorRequest {
  H2Stream* stream = nullptr;  // nullptr: nobody is here
  RequestId id;
  uint32_t session = kNone;
  // The Node thread that answers it, which its session's next need not be.
  uint32_t node = kNone;
  uint32_t node_incarnation = 0;
  uint32_t reported = 0;  // bytes taken that its Node thread has yet to be told of
  StreamUid uid;          // as far as this thread has had to know it
  // When its Node thread was asked for the mark of a gap that has not come; 0: it was not.
  uint64_t mark_asked_ms = 0;
  // Why it is being closed, if we do that.
  uint32_t code = 0;
  CloseReason reason = CloseReason::kEnd;
  bool closing = false;
  bool untold = false;  // no Node thread knows of it
  bool slow = false;
  std::unique_ptr<std::string> text;
  std::unique_ptr<AwaitedWrites> awaited;
};

class ReactorStreams final : public H2Events {
 public:
  // `home`: the Node thread that gets the requests while it takes any; nullptr: whoever has least.
  ReactorStreams(Registry& registry, Worker& self, Worker* home, uint64_t mark_wait_ms)
      : registry_(registry), self_(self), home_(home), mark_wait_ms_(mark_wait_ms) {}
  ReactorStreams(const ReactorStreams&) = delete;
  ReactorStreams& operator=(const ReactorStreams&) = delete;

  // nullptr when it is over.
  ReactorRequest* Find(RequestId id);
  // Of a live stream of this reactor, by the handle in its line.
  ReactorRequest& At(uint32_t slot) { return requests_[slot]; }
  // nullptr when it is no stream of the registry.
  StreamLine* LineOf(ReactorRequest& request);
  // The session that lies on that socket; nullptr if it is gone.
  H2Session* FindSession(uint32_t socket, uint32_t generation);

  // Whether the Node thread that answers it is still there.
  bool IsAnswered(const ReactorRequest& request) const;
  // A Node thread has gone: what it answered is reset, but for what was detached.
  void OnNodeExit();

  // Mail to the Node thread that answers it.
  void Tell(const ReactorRequest& request, MessageOp op, uint32_t a, uint32_t b,
            std::string_view bytes = {});
  // An empty message, of which nobody will say that it has left.
  void NoteEmpty(const ReactorRequest& request) { empty_.push_back(request.id); }
  // Bytes that are to be reported have left, or will not be written.
  void AddReported(ReactorRequest& request, uint32_t bytes);
  void SetSlow(ReactorRequest& request, StreamLine& line, bool slow);
  // Messages are missing here: its Node thread is asked what to say of it, and nothing else is
  // written until that has come.
  void AskForMark(ReactorRequest& request);
  void EndGap(ReactorRequest& request);
  // Those that their Node threads have not answered for long wait no more. Returns in how many ms
  // it is to be asked again, -1 if nobody waits.
  int EndLateGaps();
  // Sends what the turn had to tell.
  void Flush();

  void WantPump() { pump_wanted_ = true; }
  // Whether streams that hold back can go on since this was asked last.
  bool TakePumpWanted() { return std::exchange(pump_wanted_, false); }

  void OnSessionOpened(H2Session& session) override;
  void OnSessionClosed(H2Session& session) override;
  void OnRequest(H2Stream& stream, std::string_view fields, bool ended) override;
  void OnBody(H2Stream& stream, std::span<const uint8_t> bytes) override;
  void OnTrailers(H2Stream& stream, std::string_view fields) override;
  void OnRequestEnd(H2Stream& stream) override;
  void OnTaken(H2Stream& stream, WriteTag tag, uint32_t bytes) override;
  void OnClosed(H2Stream& stream, StreamEnd end, uint32_t code) override;

 private:
  struct Session {
    H2Session* session = nullptr;  // nullptr: nobody is here
    uint32_t socket = kNone;
    uint32_t socket_generation = 0;
    // The Node thread that answers its requests; kNone until there is one.
    uint32_t node = kNone;
    uint32_t node_incarnation = 0;
    // What each of its requests says of the client, once that Node thread knows who it is.
    uint32_t client_flags = 0;
    bool client_told = false;
  };

  bool AnswerStatically(H2Stream& stream, std::string_view fields);
  void Refuse(H2Stream& stream);
  bool Lives(uint32_t node, uint32_t incarnation) const;
  bool Lives(const Session& session) const { return Lives(session.node, session.node_incarnation); }
  bool FindNode(Session& session);
  void LetGoOfNode(Session& session);
  bool TellOfRequest(Session& session, const ReactorRequest& request, std::string_view fields,
                     bool ended);
  void OnBudgetTaken(H2Stream& stream, ReactorRequest& request, uint32_t bytes);
  void TellIfDrained(ReactorRequest& request, StreamLine& line);

  Registry& registry_;
  Worker& self_;
  Worker* const home_;
  const uint64_t mark_wait_ms_;
  Outboxes outboxes_{registry_, &self_};
  StaticAnswers::Reader static_answers_{registry_.static_answers()};
  std::vector<ReactorRequest> requests_;  // by slot
  std::vector<Session> sessions_;         // by the session's handle
  std::vector<uint32_t> free_sessions_;
  std::vector<uint32_t> sessions_by_socket_;
  std::vector<RequestId> reporting_;  // those with bytes to report
  std::vector<RequestId> empty_;      // those whose last message may have been empty
  // Those that wait for a mark, or did, and since when; the first to be late is the first.
  std::deque<std::pair<RequestId, uint64_t>> awaiting_marks_;
  HttpDate date_;
  std::string dated_fields_;
  std::string trailers_;  // of the request whose end comes next
  bool pump_wanted_ = false;
};

}  // namespace holdfast
