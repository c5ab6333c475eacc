// What one peer may ask of the process.
#pragma once

#include <cstdint>

namespace holdfast {

struct H2Limits {
  uint32_t max_streams = 1000;           // at once on one connection
  uint32_t max_header_bytes = 64 << 10;  // of a request, counted as in RFC 9113, section 6.5.2
  uint32_t stream_window = 256 << 10;    // request bytes a stream may send unacknowledged
  uint32_t connection_window = 1 << 20;  // and all streams of the connection together
  uint64_t max_queued_bytes = 64 << 20;  // answers of one connection that its socket has not taken
  uint32_t max_queued_frames = 4000;     // and frames besides, of streams that are gone as well
  uint32_t read_a_turn = 256 << 10;      // bytes of one connection, before the others have theirs
  // Answers, frames besides, and requests' bytes that nobody has consumed, of all connections of a
  // reactor: over it, the connection that holds most is ended.
  uint64_t max_held_bytes = 256 << 20;
  uint64_t handshake_ms = 10'000;      // of TLS
  uint64_t preface_ms = 10'000;        // from then, or the connection, to the first SETTINGS
  uint64_t headers_ms = 10'000;        // from a header block's begin to its end
  uint64_t idle_ms = 120'000;          // without any stream
  uint64_t stall_ms = 30'000;          // without the socket taking a byte of what waits
  uint64_t linger_ms = 1'000;          // for the peer to read our last words
  uint64_t drain_notice_ms = 1'000;    // between the two GOAWAYs, unless a PING comes back first
  uint64_t ping_interval_ms = 30'000;  // of silence; 0: never
  uint64_t ping_timeout_ms = 10'000;
};

}  // namespace holdfast
