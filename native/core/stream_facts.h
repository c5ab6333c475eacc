// Plain values that describe a stream; what `find` and enumeration copy out.
#pragma once

#include <array>
#include <cstdint>

#include "base/uid.h"

namespace holdfast {

// The wire form a stream's messages take. src/stream-info.ts holds the same list.
enum class StreamKind : uint8_t { kRaw = 0, kSse = 1, kWebSocket = 2 };
inline constexpr uint32_t kStreamKinds = 3;

// What becomes of a message for a stream that is over its budget. src/slow-policy.ts holds the same
// list.
enum class SlowPolicy : uint8_t {
  kDrop = 0,        // it is refused
  kDropOldest = 1,  // those that have waited longest go
  kLatest = 2,      // of those that wait, one of each key stays; then the oldest go
  kDisconnect = 3,  // it is refused, and the stream broken off
};
inline constexpr uint32_t kSlowPolicies = 4;
// Whether messages for it wait where they can still be replaced (core/held_back.h).
constexpr bool KeepsQueue(SlowPolicy policy) {
  return policy == SlowPolicy::kDropOldest || policy == SlowPolicy::kLatest;
}

// Why a stream was un-registered. src/stream-info.ts holds the same list.
enum class CloseReason : uint8_t {
  kEnd = 0,      // both sides finished
  kReset = 1,    // the peer reset it, or it failed
  kAbort = 2,    // the peer left before the end
  kSession = 3,  // its session or socket died
  kIdle = 4,     // idleTimeoutMs
  kMaxAge = 5,   // maxAgeMs
  kClose = 6,    // closed by uid or by its handle
  kManager = 7,  // the manager of its thread was closed
  kWorker = 8,   // the thread ended
  kSlow = 9,     // over its budget, and its policy is to be broken off
};
inline constexpr uint32_t kCloseReasons = 10;

// An IPv6 address, or an IPv4 one mapped into it (RFC 4291, section 2.5.5.2). All zero: unknown.
struct PeerAddress {
  std::array<uint64_t, 2> words{};
  uint16_t port = 0;
};

inline constexpr uint32_t kNone = 0xFFFFFFFF;

struct StreamFacts {
  StreamUid uid;
  StreamKind kind = StreamKind::kRaw;
  bool detached = false;
  bool closing = false;
  SlowPolicy policy = SlowPolicy::kDrop;
  bool marks_gaps = false;      // told once when messages were refused in between
  uint32_t handle = 0;          // the owner's own index for the stream
  uint32_t socket = 0;          // the socket's primary esocket_uuid
  uint32_t tag_block = kNone;   // where its tags lie, if it has any
  uint64_t created_ms = 0;      // monotonic
  uint64_t last_active_ms = 0;  // monotonic
  uint64_t detached_ms = 0;     // monotonic; 0 while attached
  uint64_t queued_bytes = 0;    // taken by send, not yet by the socket
  PeerAddress peer;
};

}  // namespace holdfast
