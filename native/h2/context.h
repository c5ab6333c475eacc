// What all sessions of one thread share.
//
// Threads: the thread's own.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "h2/frame_buffers.h"
#include "h2/limits.h"
#include "h2/nghttp2_api.h"
#include "h2/output.h"
#include "h2/stream.h"
#include "h2/tls_connection.h"

namespace holdfast {

// What a session tells. Called from inside the library: an answer may be given at once, but no
// session may be destroyed and none flushed.
class H2Events {
 public:
  // A connection was taken, before anything else of it; and it is gone, behind all of its streams.
  virtual void OnSessionOpened(H2Session& session) = 0;
  virtual void OnSessionClosed(H2Session& session) = 0;
  // `fields` as in h2/fields.h. `ended`: there is no body.
  virtual void OnRequest(H2Stream& stream, std::string_view fields, bool ended) = 0;
  // To be acknowledged by H2Session::Consume, or the peer's window stays shut.
  virtual void OnBody(H2Stream& stream, std::span<const uint8_t> bytes) = 0;
  virtual void OnTrailers(H2Stream& stream, std::string_view fields) = 0;
  // The request's end, behind body and trailers. Not told again when OnRequest had it.
  virtual void OnRequestEnd(H2Stream& stream) = 0;
  // The answer's bytes have left, or never will.
  virtual void OnTaken(H2Stream& stream, WriteTag tag, uint32_t bytes) = 0;
  // Once for each stream that OnRequest was called for; it is freed when this returns.
  virtual void OnClosed(H2Stream& stream, StreamEnd end, uint32_t code) = 0;

 protected:
  ~H2Events() = default;
};

class H2Context {
 public:
  H2Context(const Nghttp2Api& functions, const H2Limits& bounds, H2Events& listener);
  ~H2Context();
  H2Context(const H2Context&) = delete;
  H2Context& operator=(const H2Context&) = delete;

  const Nghttp2Api& api;
  const H2Limits limits;
  H2Events& events;
  const ng::Callbacks* callbacks() const { return callbacks_; }
  const ng::Option* option() const { return option_; }

  FrameBuffers frame_buffers;
  // Of the turn of the loop.
  uint64_t now_ms = 0;
  Output output;
  std::vector<uint8_t> input;
  TlsWire wire;
  std::vector<ng::NameValue> fields;
  // What all sessions hold for their peers and of them: to be sent, to be taken, to be consumed.
  uint64_t held_bytes = 0;
  // Sessions that have something to write since the last turn, and those that are being written.
  std::vector<H2Session*> dirty;
  std::vector<H2Session*> flushing;

 private:
  ng::Callbacks* callbacks_ = nullptr;
  ng::Option* option_ = nullptr;
};

}  // namespace holdfast
