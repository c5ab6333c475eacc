#include "core/loss.h"

namespace holdfast {

void Lose(Registry& registry, Worker* self, const MessageHeader& message) {
  if (message.op == MessageOp::kWrite || message.op == MessageOp::kWriteKeyed) {
    registry.Count(self, Counter::kMessagesUndeliverable);
  } else if (message.op == MessageOp::kPublish) {
    registry.Count(self, Counter::kMessagesUndeliverable, message.publication().receivers);
  }
}

void Lose(Registry& registry, Worker* self, const Chunk& chunk) {
  chunk.ForEach([&](const MessageHeader& message) { Lose(registry, self, message); });
}

}  // namespace holdfast
