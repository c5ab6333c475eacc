#include "core/topic_news.h"

namespace holdfast {

void PostTopicNews(Worker& worker, uint64_t ring) {
  // Whoever waited there has gone if it is refused.
  (void)worker.mailbox.PostAlone(StreamUid{ring}, MessageOp::kTopicNews, 0, [](uint8_t*) {});
}

}  // namespace holdfast
