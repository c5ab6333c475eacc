#include "core/topic_news.h"

#include <optional>

namespace holdfast {

bool GiveUpTopic(Registry& registry, std::string_view topic) {
  const std::optional<ReplayRing::Former> former = registry.rings().Forget(topic);
  if (!former) return false;
  for (const uint32_t worker_id : former->awaiting) {
    PostTopicNews(*registry.FindWorker(worker_id), former->number);
  }
  return true;
}

void PostTopicNews(Worker& worker, uint64_t ring) {
  // Whoever waited there has gone if it is refused.
  (void)worker.mailbox.PostAlone(StreamUid{ring}, MessageOp::kTopicNews, 0, [](uint8_t*) {});
}

}  // namespace holdfast
