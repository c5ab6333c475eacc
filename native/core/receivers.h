// Who a publication reaches on one worker: the streams it addresses, and of them those with room.
//
// Threads: the worker's own.
#pragma once

#include <array>
#include <vector>

#include "core/publication.h"
#include "core/worker.h"

namespace holdfast {

// Streams that were let in, and what they are to be written, by kind.
struct Receivers {
  std::array<std::vector<uint32_t>, kStreamKinds> handles;
  std::array<PayloadRef, kStreamKinds> forms;
};

// The streams it is for, as they are now. Appends to `out`.
void FindAddressed(Worker& worker, const Publication& publication, std::vector<TopicMember>* out);

// Reserves room for `payload`, which stands for `messages` messages. Where it answers false, they
// are counted: as dropped if the stream is over its budget, as undeliverable if it has gone.
bool Admit(Worker& worker, const TopicMember& member, const Payload& payload, uint32_t messages,
           uint64_t now_ms);

}  // namespace holdfast
