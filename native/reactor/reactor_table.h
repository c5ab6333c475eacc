// The reactors of the process, one a worker number, made when the number is first used and kept for
// the next thread under it: a late wake-up then finds an open descriptor, at worst somebody's who
// tolerates it, and a token of the old owner's sockets is known for old by its generation.
//
// Threads: any.
#pragma once

#include <cstdint>

#include "reactor/reactor.h"

namespace holdfast {

// nullptr when the system refuses; errno tells.
Reactor* ReactorOf(uint32_t worker_id);

}  // namespace holdfast
