#include "core/sender.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <utility>

#include "base/clock.h"
#include "core/admission.h"
#include "core/gaps.h"
#include "core/topic_news.h"

namespace holdfast {
namespace {

PayloadRef MakeForm(StreamKind kind, const OutgoingMessage& message) {
  const uint32_t size = static_cast<uint32_t>(EncodedSize(kind, message));
  return PayloadRef::Make(size, [&](uint8_t* out) { Encode(kind, message, out); });
}

// How many members of the topic the worker has now.
uint32_t MembersNow(Registry& registry, std::string_view topic, uint32_t worker_id) {
  std::vector<TopicShare> shares;
  (void)registry.topics().Find(topic, &shares);
  for (const TopicShare& share : shares) {
    if (share.worker_id == worker_id) return share.total();
  }
  return 0;
}

// Calls visit(worker number, Publication) for each worker that has members beside `except`.
template <typename Visit>
void ForEachShare(Registry& registry, std::string_view topic, const OutgoingMessage& message,
                  StreamUid except, Visit visit) {
  std::vector<TopicShare> shares;
  const TopicId id = registry.topics().Find(topic, &shares);
  std::array<PayloadRef, kStreamKinds> forms;
  for (const TopicShare& share : shares) {
    Publication publication;
    publication.topic = id;
    publication.except = except;
    publication.key = message.key;
    publication.receivers = share.total();
    for (uint32_t kind = 0; kind < kStreamKinds; kind++) {
      if (share.members[kind] == 0) continue;
      if (!forms[kind]) forms[kind] = MakeForm(static_cast<StreamKind>(kind), message);
      publication.forms[kind] = forms[kind];
    }
    if (except.worker_id() == share.worker_id &&
        registry.FindWorker(share.worker_id)->topic_members.Contains(id, except)) {
      publication.receivers--;
      // It may have joined since the look, and not be the one that was counted.
      if (publication.receivers == 0) {
        publication.receivers = std::max(MembersNow(registry, topic, share.worker_id), 1u) - 1;
      }
    }
    if (publication.receivers > 0) visit(share.worker_id, std::move(publication));
  }
}

}  // namespace

// Notes that it does, if so.
bool Sender::OwnGoesByMail() {
  if (!self_->own_mail.waits()) return false;
  self_->own_mail.posted = true;
  return true;
}

Sender::Result Sender::Send(StreamUid uid, const OutgoingMessage& message, LocalBuffer& local) {
  StreamLine* line = registry_.FindLine(uid);
  if (line == nullptr) {
    registry_.Count(self_, Counter::kMessagesGone);
    return Result::kGone;
  }
  const StreamKind kind = line->kind();
  const size_t size = EncodedSize(kind, message);
  const Admission admission = Admit(registry_, self_, *line, uid, size);
  if (admission != Admission::kTaken) {
    const bool gone = admission == Admission::kGone;
    registry_.Count(self_, gone ? Counter::kMessagesGone : Counter::kMessagesFull);
    if (!gone) registry_.Count(self_, OverBudgetBy(line->policy()));
    if (admission == Admission::kDisconnect) Disconnect(uid);
    if (admission == Admission::kFullUntold) TellGap(uid);
    return gone ? Result::kGone : Result::kFull;
  }
  const SlowPolicy policy = line->policy();
  const uint32_t bytes = static_cast<uint32_t>(size);
  if (IsOwn(uid.worker_id()) && !OwnGoesByMail()) {
    line->Touch(MonotonicMs());
    if (KeepsQueue(policy) && !self_->held_back.Pass(uid, bytes)) {
      self_->held_back.Hold(uid, MakeForm(kind, message), 1, message.key, message.ticket);
      if (self_->held_back.has_ready()) self_->mailbox.Nudge();
      registry_.Count(self_, Counter::kMessagesQueued);
      return Result::kQueued;
    }
    Encode(kind, message, local.Allocate(bytes));
    registry_.Count(self_, Counter::kMessagesSent);
    return Result::kSent;
  }
  const bool keyed = policy == SlowPolicy::kLatest && !message.key.empty();
  const uint32_t key_size = keyed ? static_cast<uint32_t>(message.key.size()) : 0;
  const bool with = keyed || message.ticket != 0;
  const uint32_t before = with ? WithHeader::kBytes + key_size : 0;
  uint8_t* out =
      outboxes_.Append(uid, with ? MessageOp::kWriteWith : MessageOp::kWrite, before + bytes);
  if (out == nullptr) {
    if (Withdraw(registry_, self_, *line, uid, bytes)) TellGap(uid);
    registry_.Count(self_, Counter::kMessagesFull);
    return Result::kFull;
  }
  if (with) WithHeader{message.ticket, key_size}.Write(out);
  if (keyed) std::memcpy(out + WithHeader::kBytes, message.key.data(), key_size);
  Encode(kind, message, out + before);
  outboxes_.Appended(uid.worker_id());
  registry_.Count(self_, Counter::kMessagesQueued);
  return Result::kQueued;
}

bool Sender::SendAhead(StreamUid uid, const OutgoingMessage& message, LocalBuffer& local) {
  CHECK(self_ != nullptr && uid.worker_id() == self_->id);
  StreamLine* line = self_->cache.Find(uid);
  if (line == nullptr) return false;
  const size_t size = EncodedSize(line->kind(), message);
  if (AdmitAhead(registry_, self_, *line, uid, size) != Admission::kTaken) return false;
  if (KeepsQueue(line->policy())) self_->held_back.PassAhead(uid, size);
  Encode(line->kind(), message, local.Allocate(static_cast<uint32_t>(size)));
  registry_.Count(self_, Counter::kMessagesSent);
  return true;
}

void Sender::Command(uint32_t reactor, StreamUid id, MessageOp op, RequestHeader header,
                     std::string_view bytes) {
  if (registry_.FindWorker(reactor) == nullptr) return;
  const auto size = static_cast<uint32_t>(sizeof header + bytes.size());
  uint8_t* out = outboxes_.AppendTo(reactor, id, op, size, /*control=*/true);
  std::memcpy(out, &header, sizeof header);
  if (!bytes.empty()) std::memcpy(out + sizeof header, bytes.data(), bytes.size());
  outboxes_.Appended(reactor);
}

bool Sender::CommandAhead(StreamUid uid, const OutgoingMessage& message, bool ends_gap) {
  StreamLine* line = registry_.FindLine(uid);
  if (line == nullptr) return false;
  const StreamKind kind = line->kind();
  std::string bytes(EncodedSize(kind, message), '\0');
  if (AdmitAhead(registry_, self_, *line, uid, bytes.size()) != Admission::kTaken) return false;
  Encode(kind, message, reinterpret_cast<uint8_t*>(bytes.data()));
  Command(uid.worker_id(), uid, MessageOp::kRequestAhead, {ends_gap ? 1u : 0, 0}, bytes);
  registry_.Count(self_, Counter::kMessagesQueued);
  return true;
}

// By mail also for a stream of the own thread: this may be the middle of anything.
void Sender::Disconnect(StreamUid uid) { PostClose(uid, kSlowCode, CloseReason::kSlow, kSlowText); }

// By mail for the same reason: it takes nothing before. But one that keeps a queue does, and is
// marked at once, unless what comes before the mark is still on its way.
void Sender::TellGap(StreamUid uid) {
  if (!IsOwn(uid.worker_id()) || !KeepsQueue(self_->cache.Find(uid)->policy()) || OwnGoesByMail())
    return outboxes_.PostGap(uid);
  (void)TakeGap(*self_, uid);  // told behind what its queue has
  self_->mailbox.Nudge();
}

// The worker's mailbox took no message of the topic: its members are told, where the message would
// have stood. What this thread has said to the worker was posted.
void Sender::PostGap(uint32_t worker_id, TopicId topic, StreamUid except, uint64_t sequence) {
  TopicMembers& members = registry_.FindWorker(worker_id)->topic_members;
  const uint64_t number = members.MarkGap(topic, except);
  if (number == 0) return;
  Publication missing;
  missing.topic = topic;
  missing.sequence = sequence;
  missing.gap = number;
  CHECK(outboxes_.PublishNow(worker_id, std::move(missing)));
  members.GapPosted(topic, number);
}

// The worker's mailbox took nothing of a publication.
void Sender::TellGaps(uint32_t worker_id, const Publication& publication) {
  if (publication.topic != 0) {
    // First, as a gap that others posted before it does not tell of what is missing behind it.
    outboxes_.PostPending(worker_id);
    PostGap(worker_id, publication.topic, publication.except, 0);
  }
  for (const StreamUid uid : publication.listed) {
    StreamLine* line = registry_.FindLine(uid);
    if (line != nullptr && NoteRefusal(*line, uid)) TellGap(uid);
  }
}

uint64_t Sender::Publish(std::string_view topic, const OutgoingMessage& message, StreamUid except,
                         Receivers* own) {
  uint64_t addressed = 0;
  if (const ReplayRingRef ring = registry_.rings().Find(topic)) {
    // What this thread has said goes before it.
    outboxes_.Flush();
    const auto publish = [&](RingState& state) {
      addressed = PublishKept(state, ring->number(), topic, message, except);
    };
    if (ring->With(publish)) return addressed;
  }
  ForEachShare(registry_, topic, message, except, [&](uint32_t worker_id, Publication publication) {
    addressed += FanOut(worker_id, std::move(publication), own);
  });
  return addressed;
}

// Under the ring's lock.
uint64_t Sender::PublishKept(RingState& ring, uint64_t number, std::string_view topic,
                             const OutgoingMessage& message, StreamUid except) {
  const uint64_t sequence = ring.log.Append(message);
  const RingId id = ring.log.IdOf(sequence);
  OutgoingMessage numbered = message;
  numbered.id = id.text();
  numbered.has_id = true;
  uint64_t addressed = 0;
  const auto post = [&](uint32_t worker_id, Publication publication) {
    const uint32_t receivers = publication.receivers;
    const TopicId topic_id = publication.topic;
    addressed += receivers;
    registry_.Count(self_, Counter::kMessagesPublished, receivers);
    publication.sequence = sequence;
    if (IsOwn(worker_id)) self_->own_mail.posted = true;
    if (outboxes_.PublishNow(worker_id, std::move(publication))) {
      registry_.FindWorker(worker_id)->topic_members.EndGap(topic_id);
      return;
    }
    registry_.Count(self_, Counter::kMessagesDropped, receivers);
    PostGap(worker_id, topic_id, except, sequence);
  };
  ForEachShare(registry_, topic, numbered, except, post);
  for (const uint32_t worker_id : std::exchange(ring.awaiting, {})) {
    PostTopicNews(*registry_.FindWorker(worker_id), number);
  }
  return addressed;
}

uint64_t Sender::Multicast(const std::vector<StreamUid>& uids, const OutgoingMessage& message,
                           Receivers* own) {
  std::map<uint32_t, Publication> publications;  // by worker
  std::array<PayloadRef, kStreamKinds> forms;
  for (const StreamUid uid : uids) {
    const StreamLine* line = registry_.FindLine(uid);
    if (line == nullptr) continue;
    Publication& publication = publications[uid.worker_id()];
    publication.listed.push_back(uid);
    publication.receivers++;
    const size_t kind = static_cast<size_t>(line->kind());
    if (!forms[kind]) forms[kind] = MakeForm(line->kind(), message);
    if (!publication.forms[kind]) publication.forms[kind] = forms[kind];
  }
  uint64_t addressed = 0;
  for (auto& [worker_id, publication] : publications) {
    publication.key = message.key;
    addressed += FanOut(worker_id, std::move(publication), own);
  }
  return addressed;
}

// To the streams of one worker.
uint64_t Sender::FanOut(uint32_t worker_id, Publication publication, Receivers* own) {
  const uint32_t receivers = publication.receivers;
  registry_.Count(self_, Counter::kMessagesPublished, receivers);
  if (IsOwn(worker_id) && !OwnGoesByMail()) {
    own->forms = publication.forms;
    std::vector<TopicMember> addressed;
    FindAddressed(*self_, publication, &addressed);
    const uint64_t now_ms = MonotonicMs();
    for (const TopicMember& member : addressed) {
      const size_t kind = static_cast<size_t>(member.kind);
      const PayloadRef& form = publication.forms[kind];
      const Receipt receipt = Receive(registry_, *self_, member, form, 1, publication.key, now_ms);
      if (receipt == Receipt::kWrite) own->handles[kind].push_back(member.handle);
      if (receipt == Receipt::kDisconnect) Disconnect(member.uid);
      if (receipt == Receipt::kUntold) TellGap(member.uid);
    }
    if (self_->held_back.has_ready()) self_->mailbox.Nudge();
  } else if (!outboxes_.Publish(worker_id, publication)) {
    registry_.Count(self_, Counter::kMessagesDropped, receivers);
    TellGaps(worker_id, publication);
  }
  return receivers;
}

bool Sender::ClosesByMail(StreamUid uid) {
  return IsOwn(uid.worker_id()) && !self_->cache.Find(uid)->owner_closes() && OwnGoesByMail();
}

bool Sender::Close(StreamUid uid, uint32_t code, std::string_view text) {
  StreamLine* line = registry_.FindLine(uid);
  if (line == nullptr || (IsOwn(uid.worker_id()) && !line->StopTaking(uid))) return false;
  PostClose(uid, code, CloseReason::kClose, text);
  return true;
}

void Sender::PostClose(StreamUid uid, uint32_t code, CloseReason reason, std::string_view text) {
  const uint32_t words[2] = {code, static_cast<uint32_t>(reason)};
  const uint32_t bytes = static_cast<uint32_t>(sizeof words + text.size());
  uint8_t* out = outboxes_.Append(uid, MessageOp::kClose, bytes, /*control=*/true);
  std::memcpy(out, words, sizeof words);
  if (!text.empty()) std::memcpy(out + sizeof words, text.data(), text.size());
  outboxes_.Appended(uid.worker_id());
}

}  // namespace holdfast
