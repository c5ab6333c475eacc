#include "core/settle.h"

#include <atomic>
#include <cstring>

namespace holdfast {
namespace {

constexpr uint32_t kNumberBits = 48;

}  // namespace

Ticket NewTicket(uint32_t worker_id) {
  static std::atomic<uint64_t> next{1};  // relaxed: it only has to differ
  return static_cast<uint64_t>(worker_id) << kNumberBits |
         (next.fetch_add(1, std::memory_order_relaxed) & ((uint64_t{1} << kNumberBits) - 1));
}

void Settle(Registry& registry, Ticket ticket, Outcome outcome) {
  if (ticket == 0) return;
  constexpr uint32_t kBytes = sizeof outcome;
  const StreamUid to{ticket};
  Mailbox& mailbox = registry.FindWorker(static_cast<uint32_t>(ticket >> kNumberBits))->mailbox;
  ChunkPtr chunk = Chunk::Make(Chunk::Footprint(kBytes));
  std::memcpy(chunk->Append(to, MessageOp::kSettled, kBytes), &outcome, kBytes);
  const uint64_t charge = chunk->charged_bytes();
  (void)mailbox.Reserve(charge, /*control=*/true);
  if (!mailbox.Post(chunk)) mailbox.Unreserve(charge);
}

}  // namespace holdfast
