#include "core/inbox.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "base/clock.h"
#include "core/gaps.h"
#include "core/heartbeat.h"
#include "core/loss.h"

namespace holdfast {

void Inbox::Put(std::vector<ChunkPtr> chunks) {
  worker_.own_mail.Take();
  for (ChunkPtr& chunk : chunks) chunks_.push_back(std::move(chunk));
}

bool Inbox::Deliver() {
  bool open = RunAlarms(registry_, worker_, carrier_);
  Turn turn{kBytesATurn, carrier_.streams_a_turn()};
  while (open && turn.streams > 0 && HasWork(turn)) open = Step(&turn);
  // What was held back goes behind what was not.
  if (open && writes_.empty()) open = worker_.held_back.Pump(carrier_);
  open = open && carrier_.Flush();
  worker_.held_back.BatchDone();
  if (!open) Discard();
  const bool left = !writes_.empty() || !fan_out_.finished() || Next() != nullptr;
  if (!left) worker_.own_mail.taken = false;
  if (writes_.empty()) FinishConsumed();
  // Only now, when the carrier has carried it out: who finds no mail finds all counted.
  ReleaseFinished();
  const bool more_due = open && ArmAlarm();
  return left || more_due || (open && worker_.held_back.has_ready());
}

bool Inbox::ArmAlarm() {
  const uint64_t due_ms = worker_.alarms.next_due_ms();
  if (due_ms == Alarms::kNever) return false;
  const uint64_t now_ms = MonotonicMs();
  if (due_ms <= now_ms) return true;
  // One that is set for an earlier time finds nothing due, and leads here again. As does one that
  // came too soon by our coarse clock; so none that is near counts as set.
  constexpr uint64_t kGrainMs = 16;
  if (alarm_ms_ > now_ms + kGrainMs && alarm_ms_ <= due_ms) return false;
  alarm_ms_ = due_ms;
  worker_.mailbox.WakeIn(due_ms - now_ms);
  return false;
}

bool Inbox::HasWork(const Turn& turn) {
  return !writes_.empty() || !fan_out_.finished() || (turn.bytes > 0 && Next() != nullptr);
}

const MessageHeader* Inbox::Next() {
  while (!chunks_.empty()) {
    if (const MessageHeader* message = chunks_.front()->At(offset_)) return message;
    consumed_.push_back(std::move(chunks_.front()));
    chunks_.pop_front();
    offset_ = 0;
  }
  return nullptr;
}

void Inbox::Advance(uint32_t end, Turn* turn) {
  turn->bytes -= std::min<uint64_t>(turn->bytes, end - offset_);
  offset_ = end;
}

bool Inbox::Step(Turn* turn) {
  if (!fan_out_.finished()) return fan_out_.Step(&turn->streams);
  const MessageHeader* message = turn->bytes > 0 ? Next() : nullptr;
  if (message != nullptr && writes_.Takes(*message)) {
    Advance(Chunk::Next(offset_, *message), turn);
    if (!writes_.Add(*message)) Lose(registry_, &worker_, *message);
    return true;
  }
  // All else is behind what came before it.
  if (!writes_.empty()) {
    const bool open = writes_.Write(&turn->streams);
    if (!writes_.empty()) return open;
    FinishConsumed();
    // What is held back would else wait until no mail is left.
    if (worker_.held_back.has_ready()) turn->streams = 0;
    return open;
  }
  if (message->op == MessageOp::kPublish) {
    Advance(fan_out_.Begin(*chunks_.front(), offset_), turn);
    return true;
  }
  Advance(Chunk::Next(offset_, *message), turn);
  turn->streams--;
  return message->op == MessageOp::kWriteWith ? WriteAwaited(*message) : Control(*message);
}

void Inbox::Discard() {
  writes_.Abandon();
  fan_out_.Abandon();
  while (const MessageHeader* message = Next()) {
    Lose(registry_, &worker_, *message);
    offset_ = Chunk::Next(offset_, *message);
  }
  FinishConsumed();
  ReleaseFinished();
}

void Inbox::FinishConsumed() {
  std::move(consumed_.begin(), consumed_.end(), std::back_inserter(finished_));
  consumed_.clear();
}

void Inbox::ReleaseFinished() {
  for (const ChunkPtr& chunk : finished_) worker_.mailbox.Unreserve(chunk->charged_bytes());
  finished_.clear();
}

// A write by itself, as somebody waits for it.
bool Inbox::WriteAwaited(const MessageHeader& message) {
  const StreamLine* target = worker_.cache.Find(message.uid);
  if (target != nullptr && KeepsQueue(target->policy()) && !worker_.held_back.PassOrHold(message)) {
    return true;
  }
  const std::span<const uint8_t> bytes = WrittenBytes(message);
  const auto size = static_cast<uint32_t>(bytes.size());
  const bool open = target == nullptr || carrier_.Prepare(size, 1);
  // Looked up again: preparing may have run user code.
  StreamLine* line = open ? worker_.cache.Find(message.uid) : nullptr;
  if (line == nullptr) {
    Lose(registry_, &worker_, message);
    return open;
  }
  line->Touch(MonotonicMs());
  uint8_t* out = carrier_.WriteAwaited(line->handle(), size, WithHeader::Of(message).ticket);
  if (size > 0) std::memcpy(out, bytes.data(), size);
  return true;
}

bool Inbox::Control(const MessageHeader& message) {
  if (message.op == MessageOp::kGap) return TellGap(message.uid);
  if (!carrier_.Prepare(message.size, 1)) return false;
  if (message.op == MessageOp::kSettled) {
    Outcome outcome;
    std::memcpy(&outcome, message.bytes(), sizeof outcome);
    carrier_.Settled(message.uid.value, outcome);
  } else if (message.op == MessageOp::kTopicNews) {
    carrier_.TopicNews(message.uid.value);
  } else if (message.op == MessageOp::kWorkerExit) {
    uint64_t streams;
    std::memcpy(&streams, message.bytes(), sizeof streams);
    carrier_.WorkerExited(static_cast<uint32_t>(message.uid.value), streams);
  } else if (message.op >= MessageOp::kRequestHead) {
    carrier_.OnRequestMail(message);
  } else if (const StreamLine* line = worker_.cache.Find(message.uid); line != nullptr) {
    uint32_t words[2];
    std::memcpy(words, message.bytes(), sizeof words);
    const auto* text = reinterpret_cast<const char*>(message.bytes() + sizeof words);
    carrier_.Close(line->handle(), words[0], static_cast<CloseReason>(words[1]),
                   {text, message.size - sizeof words});
  }
  return true;
}

// The sender has noted the refusal.
bool Inbox::TellGap(StreamUid uid) {
  // First, as it may run user code, and nothing may come between the taking and the telling.
  if (!carrier_.Prepare(0, 1)) return false;
  if (TakeGap(worker_, uid)) carrier_.Gap(worker_.cache.Find(uid)->handle());
  return true;
}

}  // namespace holdfast
