#include "core/loss.h"

#include "core/settle.h"

namespace holdfast {

void Lose(Registry& registry, Worker* self, const MessageHeader& message) {
  if (message.op == MessageOp::kWrite || message.op == MessageOp::kWriteWith) {
    registry.Count(self, Counter::kMessagesUndeliverable);
    if (message.op == MessageOp::kWriteWith) {
      Settle(registry, WithHeader::Of(message).ticket, Outcome::kGone);
    }
  } else if (message.op == MessageOp::kPublish) {
    registry.Count(self, Counter::kMessagesUndeliverable, message.publication().receivers);
  }
}

void Lose(Registry& registry, Worker* self, const Chunk& chunk) {
  chunk.ForEach([&](const MessageHeader& message) { Lose(registry, self, message); });
}

}  // namespace holdfast
