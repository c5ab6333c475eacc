#include "core/held_back.h"

#include <algorithm>
#include <cstring>
#include <iterator>
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
  if (!queue.idle() || queue.batch == batch_ || !HasRoom(queue, bytes)) return false;
  queue.in_carrier += bytes;
  queue.mark = Mark::kAbsent;
  return true;
}

bool HeldBack::PassOrHold(const MessageHeader& message) {
  const std::span<const uint8_t> bytes = WrittenBytes(message);
  const auto size = static_cast<uint32_t>(bytes.size());
  if (Pass(message.uid, size)) return true;
  const auto copy = [&](uint8_t* out) { std::memcpy(out, bytes.data(), size); };
  Hold(message.uid, PayloadRef::Make(size, copy), 1, KeyOf(message),
       WithHeader::Of(message).ticket);
  return false;
}

void HeldBack::PassAhead(StreamUid uid, uint64_t bytes) {
  Queue& queue = queues_[uid.value];
  queue.in_carrier += bytes;
  queue.mark = queue.mark == Mark::kAsked ? Mark::kLast : Mark::kAbsent;
}

void HeldBack::MarkReady(StreamUid uid, Queue& queue) {
  if (queue.paused) return;  // Resume leads here again
  if (!std::exchange(queue.ready, true)) ready_.push_back(uid);
}

void HeldBack::Hold(StreamUid uid, PayloadRef payload, uint32_t messages, std::string_view key,
                    Ticket ticket) {
  Queue& queue = queues_[uid.value];
  StreamLine* line = worker_.cache.Find(uid);
  CHECK(line != nullptr);
  const size_t before = queue.entries.size();
  const bool latest = line->policy() == SlowPolicy::kLatest;
  if (latest) {
    const auto same = queue.by_key.find(std::string(key));
    if (same != queue.by_key.end()) Drop(uid, queue, same->second);
  }
  const uint64_t size = payload->size();
  const uint64_t budget = StreamBudget(registry_, worker_, 0);
  while (!queue.entries.empty() &&
         (queue.held + queue.in_carrier + size > budget || queue.overhead > budget)) {
    Drop(uid, queue, queue.entries.begin());
    (queue.entries.empty() ? queue.gap_behind : queue.entries.front().gap) = true;
  }
  const bool gap = std::exchange(queue.gap_behind, false);
  std::unique_ptr<const Extras> extras;
  if (latest || ticket != 0) extras = std::make_unique<Extras>(Extras{std::string(key), ticket});
  queue.entries.push_back({std::move(payload), std::move(extras), messages, gap});
  queue.held += size;
  queue.overhead += queue.entries.back().overhead();
  if (latest) queue.by_key[std::string(key)] = std::prev(queue.entries.end());
  if (HasRoom(queue, size)) MarkReady(uid, queue);

  const bool dropped = queue.entries.size() <= before;
  const uint64_t half = worker_.options[Option::kSendBudgetBytes] / 2;
  const bool much = queue.held + queue.in_carrier > half || queue.overhead > half;
  if ((dropped || much) && !line->slow()) {
    line->SetSlow(true);
    turned_slow_.push_back(uid);
  }
}

void HeldBack::Drop(StreamUid uid, Queue& queue, Entries::iterator entry) {
  StreamLine& line = *worker_.cache.Find(uid);
  worker_.counters.Add(Counter::kMessagesDropped, entry->messages);
  worker_.counters.Add(OverBudgetBy(line.policy()), entry->messages);
  (void)GiveBack(registry_, &worker_, line, uid, entry->payload->size());
  Settle(registry_, entry->ticket(), Outcome::kDropped);
  // What is missing before it is still missing there.
  if (entry->gap) {
    const auto next = std::next(entry);
    (next == queue.entries.end() ? queue.gap_behind : next->gap) = true;
  }
  Remove(queue, entry);
}

void HeldBack::Remove(Queue& queue, Entries::iterator entry) {
  queue.held -= entry->payload->size();
  queue.overhead -= entry->overhead();
  if (entry->extras != nullptr) {
    const auto found = queue.by_key.find(entry->extras->key);
    if (found != queue.by_key.end() && found->second == entry) queue.by_key.erase(found);
  }
  queue.entries.erase(entry);
}

void HeldBack::MarkGap(StreamUid uid) {
  Queue& queue = queues_[uid.value];
  queue.gap_behind = true;
  MarkReady(uid, queue);
}

bool HeldBack::Resume(StreamUid uid) {
  Queue* queue = QueueOf(uid);
  if (queue == nullptr) return false;
  queue->paused = false;
  MarkReady(uid, *queue);
  return true;
}

bool HeldBack::EndBehind(StreamUid uid) {
  Queue* queue = QueueOf(uid);
  if (queue == nullptr || (queue->idle() && queue->batch != batch_)) return false;
  queue->ends = true;
  MarkReady(uid, *queue);
  return true;
}

bool HeldBack::Taken(StreamUid uid, uint64_t bytes) {
  const auto found = queues_.find(uid.value);
  if (found == queues_.end()) return false;
  Queue& queue = found->second;
  CHECK(queue.in_carrier >= bytes);
  queue.in_carrier -= bytes;
  if (queue.idle()) {
    if (queue.in_carrier == 0 && queue.batch != batch_) queues_.erase(found);
    return false;
  }
  MarkReady(uid, queue);
  return true;
}

bool HeldBack::Holds(StreamUid uid) const {
  const auto found = queues_.find(uid.value);
  return found != queues_.end() && !found->second.entries.empty();
}

// Before what waits is written: when that is taken, the carrier looks whether the stream is slow no
// more.
bool HeldBack::TellSlow(Carrier& carrier) {
  while (!turned_slow_.empty()) {
    const StreamUid uid = turned_slow_.back();
    turned_slow_.pop_back();
    if (!carrier.Prepare(0, 1)) return false;
    StreamLine* line = worker_.cache.Find(uid);
    if (line == nullptr) continue;
    if (Holds(uid)) {
      carrier.Slow(line->handle());
    } else if (!worker_.slow_streams.Has(uid)) {
      line->SetSlow(false);  // it was written meanwhile, and was not much in the carrier's hands
    }
  }
  return true;
}

bool HeldBack::Pump(Carrier& carrier) {
  bool open = TellSlow(carrier);
  for (uint32_t left = carrier.streams_a_turn(); open && left > 0 && !ready_.empty(); left--) {
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
    const uint64_t size = entry.payload->size();
    const bool alone = entry.ticket() != 0;
    if (!HasRoom(queue, portion.bytes + size)) break;
    if (portion.entries > 0 && (alone || entry.gap || portion.bytes + size > kInCarrier)) break;
    portion.entries++;
    portion.bytes += size;
    portion.messages += entry.messages;
    portion.ticket = entry.ticket();
    if (alone) break;
  }
  return portion;
}

// Whatever is prepared may run user code, so each operation is prepared for by itself, as a large
// one must be, and the queue is looked up again behind it.
bool HeldBack::PumpOne(StreamUid uid, Carrier& carrier) {
  for (;;) {
    Queue* queue = QueueOf(uid);
    if (queue == nullptr) return true;
    queue->ready = false;
    if (queue->paused) return true;
    const Portion expected = NextPortion(*queue);
    if (expected.entries == 0 && !(queue->entries.empty() && HasRoom(*queue, 1))) return true;
    if (queue->tells_gap()) {
      if (!TellGap(uid, carrier)) return false;
      continue;
    }
    if (expected.entries == 0 && !queue->ends) return true;
    if (!carrier.Prepare(expected.bytes, 1)) return false;
    queue = QueueOf(uid);
    if (queue == nullptr || queue->paused) return true;
    const Portion portion = NextPortion(*queue);
    if (queue->tells_gap() || portion.bytes != expected.bytes) continue;
    if (portion.entries > 0) {
      WritePortion(uid, *queue, portion, carrier);
    } else if (queue->entries.empty() && std::exchange(queue->ends, false)) {
      carrier.End(worker_.cache.Find(uid)->handle());
    }
  }
}

// What the application says to it goes where it stands: it is asked at once, so that nothing it
// sends now can come before what was already handed over, or behind what is handed over next. A
// mark that still waits there, with no message behind it, tells of what is missing since as well.
bool HeldBack::TellGap(StreamUid uid, Carrier& carrier) {
  if (!carrier.Prepare(0, 1)) return false;
  Queue* queue = QueueOf(uid);
  if (queue == nullptr || !queue->tells_gap()) return true;
  (queue->entries.empty() ? queue->gap_behind : queue->entries.front().gap) = false;
  if (queue->mark != Mark::kAbsent && (queue->in_carrier > 0 || queue->batch == batch_))
    return true;
  const StreamLine* line = worker_.cache.Find(uid);
  if (!line->marks_gaps()) return true;
  queue->mark = Mark::kAsked;
  queue->batch = batch_;
  carrier.Gap(line->handle());
  return true;
}

void HeldBack::WritePortion(StreamUid uid, Queue& queue, const Portion& portion, Carrier& carrier) {
  StreamLine* line = worker_.cache.Find(uid);
  line->Touch(MonotonicMs());
  queue.in_carrier += portion.bytes;
  queue.batch = batch_;
  queue.mark = Mark::kAbsent;
  const uint32_t size = static_cast<uint32_t>(portion.bytes);
  uint8_t* out = portion.ticket != 0 ? carrier.WriteAwaited(line->handle(), size, portion.ticket)
                                     : carrier.Write(line->handle(), size, portion.messages);
  for (size_t i = 0; i < portion.entries; i++) {
    const auto source = queue.entries.front().payload->bytes();
    if (!source.empty()) std::memcpy(out, source.data(), source.size());
    out += source.size();
    Remove(queue, queue.entries.begin());
  }
}

// Nobody's once the stream has gone: Forget goes before it.
HeldBack::Queue* HeldBack::QueueOf(StreamUid uid) {
  const auto found = queues_.find(uid.value);
  return found == queues_.end() ? nullptr : &found->second;
}

void HeldBack::Forget(StreamUid uid) {
  const auto found = queues_.find(uid.value);
  if (found == queues_.end()) return;
  for (const Entry& entry : found->second.entries) {
    worker_.counters.Add(Counter::kMessagesUndeliverable, entry.messages);
    Settle(registry_, entry.ticket(), Outcome::kGone);
  }
  queues_.erase(found);
}

}  // namespace holdfast
