// Whether a stream takes a message, and what its policy makes of one that is too many.
//
// Two bounds hold for what was taken and has not reached a socket: sendBudgetBytes a stream,
// maxQueuedBytes a process. When the process comes near its bound, a stream that has little waiting
// still takes messages and one that has much does not, so that slow readers do not stop the others.
#pragma once

#include <string_view>

#include "core/registry.h"

namespace holdfast {

// How streams over their budget are broken off (RFC 9113, section 7: ENHANCE_YOUR_CALM).
inline constexpr uint32_t kSlowCode = 11;
inline constexpr std::string_view kSlowText = "slow reader";

enum class Admission {
  kTaken,       // reserved
  kFull,        // over the bounds
  kFullUntold,  // the same, and the caller is to see that the owner is told of the gap
  kDisconnect,  // the same; its policy is to be broken off, and the caller is the one to do it
  kGone,
};

// What a stream may have waiting, that much more in the process included; 0 where that would pass
// the process's bound. Threads: the worker's own.
uint64_t StreamBudget(const Registry& registry, const Worker& self, uint64_t bytes);

// Threads: any; `self` is the calling thread's worker or nullptr.
Admission Admit(Registry& registry, Worker* self, StreamLine& line, StreamUid uid, uint64_t bytes,
                StreamLine::Despite despite = StreamLine::Despite::kNothing);

// For what is taken whatever waits already.
Admission AdmitAhead(Registry& registry, Worker* self, StreamLine& line, StreamUid uid,
                     uint64_t bytes);

// Gives back what Admit took. Threads: the stream's owner.
Released GiveBack(Registry& registry, Worker* self, StreamLine& line, StreamUid uid,
                  uint64_t bytes);

// The same for a message that is refused after all. True when the caller is to see that the owner
// is told of the gap. Threads: any.
bool Withdraw(Registry& registry, Worker* self, StreamLine& line, StreamUid uid, uint64_t bytes);

}  // namespace holdfast
