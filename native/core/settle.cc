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
  Mailbox& mailbox = registry.FindWorker(static_cast<uint32_t>(ticket >> kNumberBits))->mailbox;
  // Whoever waited there has gone if it is refused.
  (void)mailbox.PostAlone(StreamUid{ticket}, MessageOp::kSettled, sizeof outcome,
                          [&](uint8_t* out) { std::memcpy(out, &outcome, sizeof outcome); });
}

}  // namespace holdfast
