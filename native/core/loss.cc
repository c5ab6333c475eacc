#include "core/loss.h"

#include "core/settle.h"

namespace holdfast {

void Lose(Registry& registry, Worker* self, const MessageHeader& message) {
  switch (message.op) {
    case MessageOp::kWriteWith:
      Settle(registry, WithHeader::Of(message).ticket, Outcome::kGone);
      [[fallthrough]];
    case MessageOp::kWrite:
    case MessageOp::kRequestAhead:
      return registry.Count(self, Counter::kMessagesUndeliverable);
    case MessageOp::kPublish:
      return registry.Count(self, Counter::kMessagesUndeliverable, message.publication().receivers);
    default:
      return;  // no message of anybody's
  }
}

void Lose(Registry& registry, Worker* self, const Chunk& chunk) {
  chunk.ForEach([&](const MessageHeader& message) { Lose(registry, self, message); });
}

}  // namespace holdfast
