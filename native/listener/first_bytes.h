// What a connection's first bytes tell of it: whether the peer speaks HTTP/2.
//
// Pure functions over what has come so far. Once they have told, further bytes do not change it.
//
// Threads: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace holdfast {

enum class FirstBytes : uint8_t {
  kNeedMore,
  kHttp2,
  kOther,
};

// HTTP/2 with prior knowledge begins with its preface (RFC 9113, 3.4). Never needs more than these.
inline constexpr size_t kMostClearText = 24;
FirstBytes ReadClearText(std::span<const uint8_t> bytes);

// TLS: HTTP/2 if the ClientHello offers h2 (RFC 7301). One that is spread over several records, as
// well as anything malformed, is kOther: a whole TLS stack is right for it.
//
// Never needs more than a record's header and the most that a record may hold (RFC 8446, 5.1).
inline constexpr size_t kMostClientHello = 5 + (1 << 14);
FirstBytes ReadClientHello(std::span<const uint8_t> bytes);

}  // namespace holdfast
