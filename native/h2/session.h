// One HTTP/2 connection, server side, on a non-blocking socket, with TLS or without.
//
// The library keeps the protocol; what it does not keep is kept here: how much a peer may make us
// hold, how long it may take, and how many idle frames it may send. A session never writes by
// itself: what has something to say is listed as dirty, and its thread flushes it when it has read
// it, and once a turn what else there is, all frames of a flush in one write.
//
// Threads: one. Owned by the thread's table; destroyed there, never from inside an event.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "h2/context.h"
#include "h2/flood_meter.h"

namespace holdfast {

class H2Session {
 public:
  // Takes the descriptor; `tls` nullptr: none. nullptr if a library refuses for want of memory; it
  // is closed then.
  static std::unique_ptr<H2Session> Open(H2Context& context, int fd,
                                         std::shared_ptr<const TlsContext> tls = nullptr);
  // Tells the end of every stream that is left.
  ~H2Session();
  H2Session(const H2Session&) = delete;
  H2Session& operator=(const H2Session&) = delete;

  int fd() const { return fd_; }
  // Where its thread's table holds it.
  uint32_t place() const { return place_; }
  void set_place(uint32_t place) { place_ = place; }
  // The application's own; the session does not look at it.
  uint32_t handle() const { return handle_; }
  void set_handle(uint32_t handle) { handle_ = handle; }
  uint32_t streams() const { return stream_count_; }
  uint64_t queued_bytes() const { return queued_bytes_; }
  // These, what the socket has not taken, what was read of requests and is not consumed, and what
  // is kept of its client.
  uint64_t held_bytes() const {
    return queued_bytes_ + unsent_bytes_ + unread_bytes_ + client_bytes_;
  }

  // Who the client is, as far as TLS knows; to be asked for from inside OnRequest.
  ClientIdentity Client() const { return tls_ == nullptr ? ClientIdentity{} : tls_->Client(); }
  // So many bytes of that are kept for as long as the session lives, by whomever.
  void CountClient(uint32_t bytes);

  // Reads what is there, up to a bound. True if there may be more. Without `to_end` nothing but
  // more input can lie behind what is there, of which the poller will tell.
  bool Read(bool to_end = true);
  // Writes what there is to write, until the socket takes no more.
  void Flush();
  // The same for what was just read, if that brought anything about: its peer goes on with the
  // answers while others are read.
  void FlushRead();
  // Those of a thread that have something to write, each once; they are not listed any more. Valid
  // until the next call.
  static std::span<H2Session* const> TakeDirty(H2Context& context);
  // Whether nothing more will come of it, so that it may be destroyed.
  bool finished() const { return finished_; }
  // Whether the socket took less than there was.
  bool blocked() const { return !unsent_.empty(); }

  // Looks at its time-outs; when to look again.
  uint64_t CheckTime();

  // The operations on a stream. Fields as in h2/fields.h, checked; false and nothing done if they
  // may not be sent, or if the stream is past it.
  bool Inform(H2Stream& stream, std::string_view fields);
  bool Respond(H2Stream& stream, std::string_view fields, bool end);
  bool Write(H2Stream& stream, Piece piece, WriteTag tag);
  bool End(H2Stream& stream, std::string_view trailers = {});
  void Reset(H2Stream& stream, uint32_t code);
  // Acknowledges bytes of the request: the peer may send that many more.
  void Consume(H2Stream& stream, uint32_t bytes);
  // Nobody wants the rest of the request: it is dropped, and when the answer is complete the peer
  // is told to stop (RFC 9113, section 8.1).
  void Discard(H2Stream& stream);

  // Lets what is under way end, takes nothing new: GOAWAY in two steps (RFC 9113, section 6.8).
  void Shutdown();
  // Ends it at once, as it holds too much: its peer is told if it reads.
  void Shed();
  // GOAWAY with the code, and the end.
  void Terminate(uint32_t code);

 private:
  friend class H2Callbacks;
  // What one turn writes of one session before the others have theirs.
  static constexpr size_t kWriteATurn = 1 << 20;

  H2Session(H2Context& context, int fd);

  bool Start();
  bool Feed(std::span<const uint8_t> bytes);
  void Discard(size_t bytes);
  void Gather();
  bool WriteGathered();
  void WriteOut();
  void CountUnsent();
  void MarkDirty();
  void Fail() { finished_ = true; }
  void Linger();
  void Spend(uint32_t cost);
  void CheckFlood(bool within);
  void FinishShutdown();
  void EndWriting();

  // With TLS.
  void FeedSealed(std::span<const uint8_t> bytes);
  void WriteSealed();

  // From the library.
  void OnFrameBegin(const ng::Frame& frame);
  void OnHeadersBegin(const ng::Frame& frame);
  void EndFields();
  bool OnField(const ng::Frame& frame, std::string_view name, std::string_view value);
  void OnFrame(const ng::Frame& frame);
  void OnHeaders(H2Stream& stream, bool ended);
  void OnData(int32_t id, std::span<const uint8_t> bytes);
  void OnSent(const ng::Frame& frame);
  void OnStreamClose(int32_t id, uint32_t code);
  ssize_t OnRead(H2Stream& stream, size_t most, uint32_t* flags);
  void SendData(H2Stream& stream, std::span<const uint8_t> frame_header, size_t size);

  H2Stream* Find(int32_t id);
  bool IsPast(int32_t id);
  bool Submitted(int result);
  void CountQueued(int64_t bytes);
  void HoldShared(const Payload& payload);
  void ReleaseShared(const Payload& payload);
  void CountUnread(int64_t bytes);
  bool SubmitLateResets();
  // There is something to send: the library is told, if it asked before.
  void Resume(H2Stream& stream);
  bool ResumeNext();
  void DropParts(H2Stream& stream);
  void Forget(H2Stream& stream, StreamEnd end, uint32_t code);

  H2Context& context_;
  const int fd_;
  uint32_t place_ = 0;
  uint32_t handle_ = 0xFFFFFFFF;
  ng::Session* session_ = nullptr;
  // Until nobody listens any more.
  std::unique_ptr<TlsConnection> tls_;
  H2Stream* first_ = nullptr;
  H2Stream* found_ = nullptr;  // the last that was
  int32_t newest_id_ = 0;
  uint32_t stream_count_ = 0;
  uint32_t data_bytes_ = 0;  // of the DATA frame that is being read
  uint64_t queued_bytes_ = 0;
  // Payloads that several writes share, and how many of those have yet to leave.
  std::vector<std::pair<const Payload*, uint32_t>> shared_;
  uint64_t unsent_bytes_ = 0;
  uint64_t unread_bytes_ = 0;
  uint32_t client_bytes_ = 0;
  std::vector<Piece> unsent_;
  // Streams with bytes again that the library has yet to hear of. It hears of the next when it has
  // sent the last, since its queue costs a search a frame; of all where they are to take turns.
  std::vector<int32_t> resumed_;
  uint32_t next_resumed_ = 0;
  // Streams and codes: to be reset when their header blocks have left.
  std::vector<std::pair<int32_t, uint32_t>> late_resets_;
  // The header block that is being read. One at a time: no other frame may come between.
  std::unique_ptr<std::string> fields_;
  int32_t fields_id_ = 0;  // the stream of the last
  uint32_t fields_size_ = 0;

  FloodMeter flood_;
  uint64_t opened_ms_;       // since when the peer may speak HTTP/2
  uint64_t read_ms_;         // when the peer was last heard
  uint64_t headers_ms_ = 0;  // when the open header block began; 0: none
  uint64_t blocked_ms_ = 0;  // since when the socket takes nothing; 0: it does
  uint64_t pinged_ms_ = 0;   // when the PING that is under way was sent; 0: none
  uint64_t empty_ms_;        // since when there is no stream
  uint64_t notice_ms_ = 0;   // when the first GOAWAY was sent; 0: not, or the second was, too
  uint64_t linger_until_ms_ = 0;
  uint32_t lingered_bytes_ = 0;
  bool told_ = false;  // the application knows of it
  bool heard_settings_ = false;
  bool dirty_ = false;  // listed in the context
  bool takes_turns_ = false;
  bool shutting_ = false;
  bool terminating_ = false;
  bool finished_ = false;
};

}  // namespace holdfast
