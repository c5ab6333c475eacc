// One message to many streams of a worker: the members of a topic, or a list.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/payload.h"
#include "core/topic_members.h"

namespace holdfast {

struct Publication {
  TopicId topic = 0;  // 0: `listed` says who
  std::vector<StreamUid> listed;
  StreamUid except;                            // 0: nobody
  std::array<PayloadRef, kStreamKinds> forms;  // by kind; empty where nobody has the kind
  std::string key;                             // for streams that keep the latest of each
  uint32_t receivers = 0;                      // the worker's, when it was published
  // Its number, where the topic's messages have some (core/replay_ring.h); 0: it has none.
  uint64_t sequence = 0;
  // Not 0: it is no message. There was no room for some, and the members of the topic miss them;
  // whom it does not concern is known by this number (core/topic_members.h).
  uint64_t gap = 0;

  // What it holds in memory for the worker's sake.
  uint64_t charged_bytes() const {
    uint64_t bytes = listed.size() * sizeof(StreamUid) + key.size();
    for (const PayloadRef& form : forms) bytes += form ? form->size() : 0;
    return bytes;
  }
};

}  // namespace holdfast
