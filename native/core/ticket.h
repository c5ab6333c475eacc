// The wait for one message to be taken by its stream's socket.
#pragma once

#include <cstdint>

namespace holdfast {

// Which wait: the number of the worker that waits in the uppermost 16 bits, as in a uid; 0: nobody
// waits. Never given twice.
using Ticket = uint64_t;

// src/waiting.ts holds the same list.
enum class Outcome : uint32_t {
  kTaken = 0,    // the socket took it
  kGone = 1,     // the stream or its worker went before
  kDropped = 2,  // its reader was slow, and it had to go
};

}  // namespace holdfast
