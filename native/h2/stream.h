// One request and its answer, as its session holds it.
//
// Threads: the session's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "h2/output.h"

namespace holdfast {

class H2Session;

// How the bytes of a write are accounted for. The session hands it back, and looks only whether
// many writes are of one payload: that is then held once, until the last of them has left.
enum class WriteTag : uint8_t { kPlain, kBudget, kReported, kShared };

// How a stream ended.
enum class StreamEnd : uint8_t {
  kFinished,   // both sides were heard out
  kPeerReset,  // the peer sent RST_STREAM
  kOurReset,   // we did, or the library did for a fault of the peer
  kSession,    // its session ended first
};

struct H2Stream {
  struct Part {
    Piece piece;
    WriteTag tag;
  };

  H2Stream(H2Session& on_session, int32_t number) : session(on_session), id(number) {}
  H2Stream(const H2Stream&) = delete;
  H2Stream& operator=(const H2Stream&) = delete;

  H2Session& session;
  const int32_t id;
  uint32_t handle = 0xFFFFFFFF;  // the application's own; the session does not look at it
  uint32_t unconsumed = 0;       // bytes of the request handed over and not acknowledged
  uint64_t queued = 0;           // bytes of the answer that wait
  // Its first `sent_parts` are sent; cut off now and then.
  std::vector<Part> parts;
  uint32_t sent_parts = 0;
  std::unique_ptr<std::string> trailers;
  H2Stream* previous = nullptr;
  H2Stream* next = nullptr;

  bool requested = false;   // its header block has been handed over
  bool peer_ended = false;  // the request is complete
  bool head = false;        // a request that is answered without a body
  bool bodiless = false;    // the answer has none
  bool responded = false;
  bool head_waits = false;  // the answer's header block has yet to leave
  bool ended = false;       // nothing more is written
  bool sent_end = false;    // END_STREAM has left
  bool deferred = false;    // the library waits to be told of bytes
  bool reset = false;       // RST_STREAM is submitted
  bool peer_reset = false;
  bool discarded = false;  // nobody wants the rest of the request
};

}  // namespace holdfast
