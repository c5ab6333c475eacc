#include "core/held_back.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/clock.h"
#include "core/admission.h"
#include "core/settle.h"

namespace holdfast {

bool HeldBack::HasRoom(const Queue& queue, uint64_t bytes) const {
  const uint64_t budget = worker_.options[Option::kSendBudgetBytes];
  return queue.in_carrier == 0 || queue.in_carrier + bytes <= std::min(kInCarrier, budget / 2);
}

bool HeldBack::Pass(StreamUid uid, uint64_t bytes) {
  Queue& queue = queues_[uid.value];
  if (!queue.entries.empty() || !HasRoom(queue, bytes)) return false;
  queue.in_carrier += bytes;
  return true;
}

void HeldBack::Hold(StreamUid uid, PayloadRef payload, uint32_t messages, std::string_view key,
                    Ticket ticket) {
  Queue& queue = queues_[uid.value];
  const StreamLine* line = worker_.cache.Find(uid);
  CHECK(line != nullptr);
  if (line->policy() == SlowPolicy::kLatest) {
    const auto [same, fresh] =
        queue.by_key.try_emplace(std::string(key), queue.first + queue.entries.size());
    if (!fresh) {
      Drop(uid, queue, queue.entries[same->second - queue.first]);
      same->second = queue.first + queue.entries.size();
    }
  }
  const uint64_t size = payload->size();
  const uint64_t budget = worker_.options[Option::kSendBudgetBytes];
  while (!queue.entries.empty() && queue.held + queue.in_carrier + size > budget) {
    DropFront(uid, queue);
  }
  queue.held += size;
  queue.entries.push_back({std::move(payload), messages, std::string(key), ticket});
  if (HasRoom(queue, size)) ready_.push_back(uid);
}

void HeldBack::DropFront(StreamUid uid, Queue& queue) {
  Entry& front = queue.entries.front();
  if (front.payload) {
    Drop(uid, queue, front);
    queue.gap = true;
  }
  PopFront(queue);
}

void HeldBack::Drop(StreamUid uid, Queue& queue, Entry& entry) {
  const uint64_t size = entry.payload->size();
  queue.held -= size;
  worker_.counters.Add(Counter::kMessagesDropped, entry.messages);
  (void)GiveBack(registry_, &worker_, *worker_.cache.Find(uid), uid, size);
  entry.payload = PayloadRef();
  Settle(registry_, entry.ticket, Outcome::kDropped);
}

void HeldBack::PopFront(Queue& queue) {
  const auto found = queue.by_key.find(queue.entries.front().key);
  if (found != queue.by_key.end() && found->second == queue.first) queue.by_key.erase(found);
  queue.entries.pop_front();
  queue.first++;
}

bool HeldBack::Taken(StreamUid uid, uint64_t bytes) {
  const auto found = queues_.find(uid.value);
  if (found == queues_.end()) return false;
  Queue& queue = found->second;
  CHECK(queue.in_carrier >= bytes);
  queue.in_carrier -= bytes;
  if (queue.entries.empty()) {
    if (queue.in_carrier == 0) queues_.erase(found);
    return false;
  }
  ready_.push_back(uid);
  return true;
}

bool HeldBack::Pump(Carrier& carrier) {
  bool open = true;
  while (open && !ready_.empty()) {
    const StreamUid uid = ready_.back();
    ready_.pop_back();
    open = PumpOne(uid, carrier);
  }
  return open;
}

// The entries at the front that become one write: as many as there is room for. One that somebody
// waits for is a write by itself.
HeldBack::Portion HeldBack::NextPortion(const Queue& queue) const {
  Portion portion;
  for (const Entry& entry : queue.entries) {
    const uint64_t size = entry.payload ? entry.payload->size() : 0;
    const bool alone = entry.payload && entry.ticket != 0;
    if (!HasRoom(queue, portion.bytes + size)) break;
    if (portion.messages > 0 && (alone || portion.bytes + size > kInCarrier)) break;
    portion.entries++;
    portion.bytes += size;
    portion.messages += entry.payload ? entry.messages : 0;
    if (alone) {
      portion.ticket = entry.ticket;
      break;
    }
  }
  return portion;
}

bool HeldBack::PumpOne(StreamUid uid, Carrier& carrier) {
  for (;;) {
    auto found = queues_.find(uid.value);
    if (found == queues_.end()) return true;
    const uint64_t most = NextPortion(found->second).bytes;
    if (NextPortion(found->second).entries == 0) return true;
    if (!carrier.Prepare(most, 2)) return false;
    // Looked up again: preparing may have run user code.
    found = queues_.find(uid.value);
    StreamLine* line = worker_.cache.Find(uid);
    if (found == queues_.end() || line == nullptr) return true;
    Queue& queue = found->second;
    const Portion portion = NextPortion(queue);
    if (portion.bytes > most) continue;
    if (std::exchange(queue.gap, false) && line->marks_gaps()) carrier.Gap(line->handle());
    queue.held -= portion.bytes;
    queue.in_carrier += portion.bytes;
    if (portion.messages > 0) {
      line->Touch(MonotonicMs());
      const uint32_t size = static_cast<uint32_t>(portion.bytes);
      uint8_t* out = portion.ticket != 0
                         ? carrier.WriteAwaited(line->handle(), size, portion.ticket)
                         : carrier.Write(line->handle(), size, portion.messages);
      for (size_t i = 0; i < portion.entries; i++) {
        const PayloadRef& payload = queue.entries[i].payload;
        if (!payload || payload->size() == 0) continue;
        std::memcpy(out, payload->bytes().data(), payload->size());
        out += payload->size();
      }
    }
    for (size_t i = 0; i < portion.entries; i++) PopFront(queue);
  }
}

void HeldBack::Forget(StreamUid uid) {
  const auto found = queues_.find(uid.value);
  if (found == queues_.end()) return;
  for (const Entry& entry : found->second.entries) {
    if (!entry.payload) continue;
    worker_.counters.Add(Counter::kMessagesUndeliverable, entry.messages);
    Settle(registry_, entry.ticket, Outcome::kGone);
  }
  queues_.erase(found);
}

}  // namespace holdfast
