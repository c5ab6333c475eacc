// A topic that is kept, as somebody reads it who is no member: what is there behind an id, and word
// of the next message, or that there is none, for a thread that waits for one.
//
// Threads: any.
#pragma once

#include <string_view>

#include "core/registry.h"

namespace holdfast {

struct TopicNews {
  uint64_t ring = 0;  // its number; 0: nothing is kept of that topic
  bool gap = false;   // messages behind the id are missing
  RingId cursor;      // of the last message that was read, or where reading begins
};

// Calls visit(const OutgoingMessage&) under the ring's lock for each message behind `after`, the
// oldest first, up to `max_bytes` of text but for one at least. Behind an empty `after` there is
// none yet. If there is nothing to read, the worker will get one kTopicNews with the next message.
template <typename Visit>
TopicNews ReadTopic(Registry& registry, const Worker& self, std::string_view topic,
                    std::string_view after, uint64_t max_bytes, Visit visit);

// Nothing is kept of it any more, of which those are told who wait for a message. False if nothing
// was.
bool GiveUpTopic(Registry& registry, std::string_view topic);

// Threads: any; under the ring's lock or not.
void PostTopicNews(Worker& worker, uint64_t ring);

template <typename Visit>
TopicNews ReadTopic(Registry& registry, const Worker& self, std::string_view topic,
                    std::string_view after, uint64_t max_bytes, Visit visit) {
  TopicNews news;
  const ReplayRingRef ring = registry.rings().Find(topic);
  if (ring == nullptr) return news;
  const auto read = [&](RingState& state) {
    const RingLog& log = state.log;
    news.ring = ring->number();
    const RingLog::Place place =
        after.empty() ? RingLog::Place{log.last() + 1, false} : log.Behind(after);
    news.gap = place.gap;
    uint64_t bytes = 0;
    uint64_t next = place.next;
    for (; next <= log.last(); next++) {
      const RingLog::Kept kept(log, next);
      bytes += kept.message().event.size() + kept.message().data.size();
      if (bytes > max_bytes && next > place.next) break;
      visit(kept.message());
    }
    news.cursor = log.IdOf(next - 1);
    if (next > place.next || place.gap) return;
    std::erase(state.awaiting, self.id);
    state.awaiting.push_back(self.id);
  };
  (void)ring->With(read);
  return news;
}

}  // namespace holdfast
