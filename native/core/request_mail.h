// What a Node thread and a reactor tell each other of a request: the messages behind the operations
// from MessageOp::kRequestHead on. The header's uid is the request's id, or a session's.
//
// Threads: any; plain values.
#pragma once

#include <cstdint>
#include <cstring>

#include "core/message.h"

namespace holdfast {

// A place in the table of a reactor's requests, and which tenant of it.
struct RequestId {
  static constexpr uint32_t kSlotBits = 24;
  static constexpr uint32_t kGenerationBits = 24;

  uint32_t reactor = 0;
  uint32_t slot = 0;
  uint32_t generation = 0;

  StreamUid Pack() const {
    return {static_cast<uint64_t>(reactor) << (kSlotBits + kGenerationBits) |
            static_cast<uint64_t>(generation) << kSlotBits | slot};
  }
  static RequestId Unpack(StreamUid packed) {
    const uint64_t value = packed.value;
    return {static_cast<uint32_t>(value >> (kSlotBits + kGenerationBits)),
            static_cast<uint32_t>(value) & ((1u << kSlotBits) - 1),
            static_cast<uint32_t>(value >> kSlotBits) & ((1u << kGenerationBits) - 1)};
  }
};

// What stands before the bytes of such a message: two numbers, whose meaning is the operation's.
//
//   to a reactor           a                      b
//   kRequestHead           flags: 1 end, 2 interim -        fields (h2/fields.h)
//   kRequestWrite          1: to be reported      -         bytes
//   kRequestEnd            -                      -         trailers as fields
//   kRequestReset          HTTP/2 code            -
//   kRequestConsume        bytes                  -
//   kRequestDiscard        -                      -
//   kRequestAhead          1: kRequestGap's mark  -         bytes, in the stream's wire form
//                                                             (and its uid in the header)
//   kRequestGapOver        (no such mark comes)   -
//   kSessionClose          socket                 its generation
//
//   to a Node thread       a                      b
//   kRequest               flags: 1 ended,        bytes of its client's certificate
//                          2 certified, 4 not               socket, its generation, then fields
//   kRequestBody           -                      -         bytes
//   kRequestBodyEnd        -                      -         trailers as fields
//   kRequestTaken          bytes                  -
//   kRequestClosed         1: complete, + 2 × CloseReason   HTTP/2 code   the reason's text
//   kRequestCloseAsked     code                   CloseReason             the reason's text
//   kRequestSlow           1: slow, 0: no more    -
//   kRequestGap            -                      -
//   kSessionClosed         socket                 its generation
struct RequestHeader {
  uint32_t a = 0;
  uint32_t b = 0;

  static RequestHeader Of(const MessageHeader& message) {
    RequestHeader header;
    std::memcpy(&header, message.bytes(), sizeof header);
    return header;
  }
};
static_assert(sizeof(RequestHeader) == 8);

inline constexpr uint32_t kHeadEnds = 1;
inline constexpr uint32_t kHeadInterim = 2;
inline constexpr uint32_t kRequestEnded = 1;
// The client of its session has shown a certificate; or was asked for one and has shown none. The
// certificate comes with the first request that a Node thread is given of the session: between
// generation and fields there are OpenSSL's 32-bit verdict and its DER then.
inline constexpr uint32_t kRequestCertified = 2;
inline constexpr uint32_t kRequestUncertified = 4;

inline std::string_view RequestBytes(const MessageHeader& message) {
  return {reinterpret_cast<const char*>(message.bytes()) + sizeof(RequestHeader),
          message.size - sizeof(RequestHeader)};
}

}  // namespace holdfast
