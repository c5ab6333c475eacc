#include "core/fan_out.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/clock.h"
#include "core/admission.h"
#include "core/gaps.h"
#include "core/session_order.h"

namespace holdfast {
namespace {

bool SameReceivers(const Publication& a, const Publication& b) {
  if (a.topic == 0 || a.topic != b.topic || a.except != b.except || a.key != b.key) return false;
  // Of a topic that is kept since, one that resumed between the two has had the second.
  if ((a.sequence == 0) != (b.sequence == 0)) return false;
  for (uint32_t kind = 0; kind < kStreamKinds; kind++) {
    // One that joined between the two is owed only the second.
    if (bool{a.forms[kind]} != bool{b.forms[kind]}) return false;
  }
  return true;
}

PayloadRef Joined(const std::vector<const Publication*>& run, uint32_t kind) {
  if (run.size() == 1 || !run.front()->forms[kind]) return run.front()->forms[kind];
  uint32_t size = 0;
  for (const Publication* publication : run) size += publication->forms[kind]->size();
  return PayloadRef::Make(size, [&](uint8_t* out) {
    for (const Publication* publication : run) {
      const auto bytes = publication->forms[kind]->bytes();
      if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
      out += bytes.size();
    }
  });
}

}  // namespace

uint32_t FanOut::Begin(const Chunk& chunk, uint32_t offset) {
  CHECK(finished());
  const MessageHeader* message = chunk.At(offset);
  members_.clear();
  next_ = 0;
  topic_ = message->publication().topic;
  sequence_ = message->publication().sequence;
  removals_ = worker_.topic_members.removals();
  if (message->publication().gap != 0) {
    BeginGap(message->publication());
    return Chunk::Next(offset, *message);
  }
  const bool all = FindAddressed(worker_, message->publication(), &members_);
  std::vector<const Publication*> run;
  // A stream takes all that is joined or nothing of it, so that must be little of what it may have.
  const uint64_t most = std::min<uint64_t>(kJoinedBytes, StreamBudget(registry_, worker_, 0) / 4);
  uint64_t bytes = 0;
  uint64_t counted = 0;
  while (message != nullptr && message->op == MessageOp::kPublish) {
    const Publication& publication = message->publication();
    bytes += publication.charged_bytes();
    if (!run.empty() && (!all || bytes > most || publication.gap != 0 ||
                         !SameReceivers(*run.front(), publication))) {
      break;
    }
    run.push_back(&publication);
    counted += publication.receivers;
    offset = Chunk::Next(offset, *message);
    message = chunk.At(offset);
  }
  messages_ = static_cast<uint32_t>(run.size());
  for (uint32_t kind = 0; kind < kStreamKinds; kind++) forms_[kind] = Joined(run, kind);
  key_ = run.front()->key;
  if (members_.size() > carrier_.streams_a_turn()) OrderBySession(members_);
  SortByDigit<kStreamKinds>(members_, [](const TopicMember& m) { return size_t(m.kind); });
  // The sender counted whom it knew of; some have come or gone since.
  const uint64_t owed = members_.size() * messages_;
  if (owed > counted) worker_.counters.Add(Counter::kMessagesPublished, owed - counted);
  if (counted > owed) worker_.counters.Add(Counter::kMessagesUndeliverable, counted - owed);
  return offset;
}

void FanOut::BeginGap(const Publication& gap) {
  messages_ = 0;
  // Before the members are looked up: whoever joins later may miss what is refused later.
  const std::optional<StreamUid> spared = worker_.topic_members.TakeGap(gap.gap);
  if (!spared) return;
  (void)FindAddressed(worker_, gap, &members_);
  std::erase_if(members_, [&](const TopicMember& member) { return member.uid == *spared; });
}

// Whether it still is one, and has not resumed since: its own thread may have had it do so between
// two turns.
bool FanOut::IsOwed(const TopicMember& member) const {
  return topic_ == 0 || worker_.topic_members.removals() == removals_ ||
         worker_.topic_members.Owes(topic_, member.uid, sequence_);
}

// The end of the next piece, behind which the turn ends unless it is the last.
size_t FanOut::NextPiece(uint32_t* streams) const {
  const size_t end = EndOfPiece(members_, next_, next_ + *streams);
  if (end < members_.size()) *streams = static_cast<uint32_t>(end - next_);
  return end;
}

bool FanOut::StepGap(uint32_t* streams) {
  const size_t end = NextPiece(streams);
  for (; next_ < end; next_++, --*streams) {
    const StreamUid uid = members_[next_].uid;
    // First, as it may run user code, and nothing may come between the taking and the telling.
    if (!carrier_.Prepare(0, 1)) {
      Abandon();
      return false;
    }
    if (IsOwed(members_[next_]) && TakeMissed(worker_, uid))
      carrier_.Gap(worker_.cache.Find(uid)->handle());
  }
  return true;
}

bool FanOut::Step(uint32_t* streams) {
  if (messages_ == 0) return StepGap(streams);
  const StreamKind kind = members_[next_].kind;
  const PayloadRef& payload = forms_[static_cast<size_t>(kind)];
  const size_t end = NextPiece(streams);
  if (!carrier_.PrepareMany(payload->size(), static_cast<uint32_t>(end - next_))) {
    Abandon();
    return false;
  }
  const uint64_t now_ms = MonotonicMs();
  handles_.clear();
  for (; next_ < end && members_[next_].kind == kind; next_++, --*streams) {
    const TopicMember& member = members_[next_];
    const size_t ahead = next_ + WorkerCache::kFetchedAhead;
    if (ahead < members_.size()) worker_.cache.Fetch(members_[ahead].uid);
    if (!IsOwed(member)) {
      worker_.counters.Add(Counter::kMessagesUndeliverable, messages_);
      continue;
    }
    const Receipt receipt = Receive(registry_, worker_, member, payload, messages_, key_, now_ms);
    if (receipt == Receipt::kWrite) handles_.push_back(member.handle);
    if (receipt == Receipt::kDisconnect) slow_.push_back(member.uid);
    if (receipt == Receipt::kUntold) untold_.push_back(member.uid);
  }
  if (!handles_.empty()) carrier_.WriteMany(handles_, payload, messages_);
  BreakOff();
  TellGaps();
  return true;
}

void FanOut::BreakOff() {
  for (const StreamUid uid : slow_) {
    if (!carrier_.Prepare(kSlowText.size(), 1)) break;
    // Looked up again: preparing may have run user code.
    const StreamLine* line = worker_.cache.Find(uid);
    if (line != nullptr) carrier_.Close(line->handle(), kSlowCode, CloseReason::kSlow, kSlowText);
  }
  slow_.clear();
}

void FanOut::TellGaps() {
  for (const StreamUid uid : untold_) {
    if (!carrier_.Prepare(0, 1)) break;
    if (TakeGap(worker_, uid)) carrier_.Gap(worker_.cache.Find(uid)->handle());
  }
  untold_.clear();
}

void FanOut::Abandon() {
  const uint64_t lost = (members_.size() - next_) * messages_;
  worker_.counters.Add(Counter::kMessagesUndeliverable, lost);
  next_ = members_.size();
}

}  // namespace holdfast
