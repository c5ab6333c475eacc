#include "core/held_back.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/clock.h"
#include "core/admission.h"

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

void HeldBack::Hold(StreamUid uid, PayloadRef payload, uint32_t messages, std::string_view key) {
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
  queue.entries.push_back({std::move(payload), messages, std::string(key)});
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

bool HeldBack::PumpOne(StreamUid uid, Carrier& carrier) {
  const auto found = queues_.find(uid.value);
  if (found == queues_.end()) return true;
  // As many as there is room for become one write.
  size_t count = 0;
  uint64_t bytes = 0;
  for (const Entry& entry : found->second.entries) {
    const uint64_t size = entry.payload ? entry.payload->size() : 0;
    if (!HasRoom(found->second, bytes + size) || (bytes > 0 && bytes + size > kInCarrier)) break;
    bytes += size;
    count++;
  }
  if (count == 0) return true;
  if (!carrier.Prepare(bytes, 2)) return false;
  // Looked up again: preparing may have run user code.
  const auto again = queues_.find(uid.value);
  StreamLine* line = worker_.cache.Find(uid);
  if (again == queues_.end() || line == nullptr) return true;
  Queue& queue = again->second;
  count = std::min(count, queue.entries.size());
  if (std::exchange(queue.gap, false) && line->marks_gaps()) carrier.Gap(line->handle());
  std::vector<PayloadRef> taken;
  uint64_t size = 0;
  uint32_t messages = 0;
  for (;
       count > 0 &&
       size + (queue.entries.front().payload ? queue.entries.front().payload->size() : 0) <= bytes;
       count--) {
    Entry& front = queue.entries.front();
    if (front.payload) {
      size += front.payload->size();
      messages += front.messages;
      taken.push_back(std::move(front.payload));
    }
    PopFront(queue);
  }
  queue.held -= size;
  queue.in_carrier += size;
  if (messages == 0) return true;
  line->Touch(MonotonicMs());
  uint8_t* out = carrier.Write(line->handle(), static_cast<uint32_t>(size), messages);
  for (const PayloadRef& payload : taken) {
    const auto source = payload->bytes();
    if (!source.empty()) std::memcpy(out, source.data(), source.size());
    out += source.size();
  }
  return true;
}

void HeldBack::Forget(StreamUid uid) {
  const auto found = queues_.find(uid.value);
  if (found == queues_.end()) return;
  for (const Entry& entry : found->second.entries) {
    if (entry.payload) worker_.counters.Add(Counter::kMessagesUndeliverable, entry.messages);
  }
  queues_.erase(found);
}

}  // namespace holdfast
