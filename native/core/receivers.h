// Who a publication reaches on one worker: the streams it addresses, and of them those with room.
//
// Threads: the worker's own.
#pragma once

#include <array>
#include <vector>

#include "core/publication.h"
#include "core/registry.h"

namespace holdfast {

// Streams that were let in, and what they are to be written, by kind.
struct Receivers {
  std::array<std::vector<uint32_t>, kStreamKinds> handles;
  std::array<PayloadRef, kStreamKinds> forms;

  size_t count() const {
    size_t count = 0;
    for (const auto& of_kind : handles) count += of_kind.size();
    return count;
  }
};

// The streams it is for, as they are now. Appends to `out`. False if a member is left out that has
// had it another way: later ones may be for that one as well.
bool FindAddressed(Worker& worker, const Publication& publication, std::vector<TopicMember>* out);

enum class Receipt {
  kWrite,       // reserved, and to be written now
  kHeld,        // reserved, and held back until its reader has caught up
  kLost,        // counted as dropped, or as undeliverable where the stream has gone
  kUntold,      // counted as dropped, and the caller is to see that TakeGap is done
  kDisconnect,  // the same, and the caller is to break the stream off
};
// What becomes of `payload`, which stands for `messages` messages, at one member.
Receipt Receive(Registry& registry, Worker& worker, const TopicMember& member,
                const PayloadRef& payload, uint32_t messages, std::string_view key,
                uint64_t now_ms);

}  // namespace holdfast
