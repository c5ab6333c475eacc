// What a fallible call of the core answers. src/errors.ts holds the same list; a test compares
// them.
#pragma once

#include <cstdint>

namespace holdfast {

enum class Status : int32_t {
  kOk = 0,
  kGone = -1,             // the stream is closed, or never was
  kFull = -2,             // over the stream's send budget, or over the mailbox's bound
  kWorkerLimit = -3,      // maxStreamsPerWorker
  kTotalLimit = -4,       // maxTotalStreams
  kExhausted = -5,        // no uid, worker number or memory page is left to give
  kOptionsMismatch = -6,  // the process is open with other options
  kClosed = -7,           // this thread is no worker (any more)
  kSystem = -8,           // an operating-system call failed; errno tells
  kInvalid = -9,          // an argument that the typed layer should have refused
};

[[nodiscard]] constexpr bool IsOk(Status status) { return status == Status::kOk; }

}  // namespace holdfast
