// Messages that were taken and that nobody will read any more.
#pragma once

#include "core/registry.h"

namespace holdfast {

// Counts what is lost with it. `self` is the calling thread's worker, nullptr if it is none.
void Lose(Registry& registry, Worker* self, const MessageHeader& message);
void Lose(Registry& registry, Worker* self, const Chunk& chunk);

}  // namespace holdfast
