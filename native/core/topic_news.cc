#include "core/topic_news.h"

namespace holdfast {

void PostTopicNews(Worker& worker, uint64_t ring) {
  ChunkPtr chunk = Chunk::Make(Chunk::Footprint(0));
  (void)chunk->Append(StreamUid{ring}, MessageOp::kTopicNews, 0);
  const uint64_t charge = chunk->charged_bytes();
  (void)worker.mailbox.Reserve(charge, /*control=*/true);
  // Whoever waited there has gone if it is refused.
  if (!worker.mailbox.Post(chunk)) worker.mailbox.Unreserve(charge);
}

}  // namespace holdfast
