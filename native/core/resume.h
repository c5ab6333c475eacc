// A stream becomes a member of a topic behind a message that its client has had: what the topic's
// ring keeps of the rest comes first, then what is published, without a hole and nothing twice.
#pragma once

#include <string_view>

#include "core/registry.h"

namespace holdfast {

struct Resumption {
  enum class Result {
    kNotJoined,  // it is a member already, or gone
    kGapFirst,   // messages are missing, and that is to be told first; nothing has changed
    kJoined,
  };
  Result result = Result::kNotJoined;
  // kGapFirst: where the rest begins, as an id of the topic; empty if nothing is kept of it.
  RingId gap_at;
  // kJoined: what was missed, reserved, if the stream is the calling thread's own. To others it was
  // posted.
  PayloadRef missed;
};

// `after`: the id its client has seen last, any text. What is brought is bounded by what the stream
// may have waiting; where that is less than what is kept, the oldest count as missing. The second
// call, when the gap was told, joins whatever is missing by then.
//
// Threads: as Subscribe; `self` is the calling thread's worker, `owner` the stream's.
Resumption Resume(Registry& registry, Worker& self, Worker& owner, StreamUid uid,
                  std::string_view topic, std::string_view after, bool gap_told);

}  // namespace holdfast
