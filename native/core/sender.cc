#include "core/sender.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "base/clock.h"

namespace holdfast {
namespace {

PayloadRef MakeForm(StreamKind kind, const OutgoingMessage& message) {
  const uint32_t size = static_cast<uint32_t>(EncodedSize(kind, message));
  return PayloadRef::Make(size, [&](uint8_t* out) { Encode(kind, message, out); });
}

}  // namespace

Sender::Result Sender::Send(StreamUid uid, const OutgoingMessage& message, LocalBuffer& local) {
  StreamLine* line = registry_.FindLine(uid);
  if (line == nullptr) {
    registry_.Count(self_, Counter::kMessagesGone);
    return Result::kGone;
  }
  const uint64_t budget =
      self_ != nullptr ? self_->options[Option::kSendBudgetBytes] : StreamLine::kQueuedMask;
  const StreamKind kind = line->kind();
  const size_t size = EncodedSize(kind, message);
  const Status status = size > budget ? Status::kFull : line->Reserve(uid, size, budget);
  if (status != Status::kOk) {
    const bool gone = status == Status::kGone;
    registry_.Count(self_, gone ? Counter::kMessagesGone : Counter::kMessagesFull);
    return gone ? Result::kGone : Result::kFull;
  }
  const uint32_t bytes = static_cast<uint32_t>(size);
  if (self_ != nullptr && uid.worker_id() == self_->id) {
    Encode(kind, message, local.Allocate(bytes));
    line->Touch(MonotonicMs());
    registry_.Count(self_, Counter::kMessagesSent);
    return Result::kSent;
  }
  uint8_t* out = outboxes_.Append(uid, MessageOp::kWrite, bytes);
  if (out == nullptr) {
    line->Release(uid, bytes);
    registry_.Count(self_, Counter::kMessagesFull);
    return Result::kFull;
  }
  Encode(kind, message, out);
  outboxes_.Appended(uid.worker_id());
  registry_.Count(self_, Counter::kMessagesQueued);
  return Result::kQueued;
}

uint64_t Sender::Publish(std::string_view topic, const OutgoingMessage& message, StreamUid except,
                         Receivers* own) {
  std::vector<TopicShare> shares;
  const TopicId id = registry_.topics().Find(topic, &shares);
  std::array<PayloadRef, kStreamKinds> forms;
  uint64_t addressed = 0;
  for (const TopicShare& share : shares) {
    Publication publication;
    publication.topic = id;
    publication.except = except;
    publication.receivers = share.total();
    for (uint32_t kind = 0; kind < kStreamKinds; kind++) {
      if (share.members[kind] == 0) continue;
      if (!forms[kind]) forms[kind] = MakeForm(static_cast<StreamKind>(kind), message);
      publication.forms[kind] = forms[kind];
    }
    if (except.worker_id() == share.worker_id &&
        registry_.FindWorker(share.worker_id)->topic_members.Contains(id, except)) {
      publication.receivers--;
    }
    if (publication.receivers == 0) continue;
    addressed += FanOut(share.worker_id, std::move(publication), own);
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
    addressed += FanOut(worker_id, std::move(publication), own);
  }
  return addressed;
}

// To the streams of one worker.
uint64_t Sender::FanOut(uint32_t worker_id, Publication publication, Receivers* own) {
  const uint32_t receivers = publication.receivers;
  registry_.Count(self_, Counter::kMessagesPublished, receivers);
  if (self_ != nullptr && worker_id == self_->id) {
    own->forms = publication.forms;
    std::vector<TopicMember> addressed;
    FindAddressed(*self_, publication, &addressed);
    const uint64_t now_ms = MonotonicMs();
    for (const TopicMember& member : addressed) {
      const size_t kind = static_cast<size_t>(member.kind);
      const PayloadRef& form = publication.forms[kind];
      if (Admit(*self_, member, *form, 1, now_ms)) own->handles[kind].push_back(member.handle);
    }
  } else if (!outboxes_.Publish(worker_id, std::move(publication))) {
    registry_.Count(self_, Counter::kMessagesDropped, receivers);
  }
  return receivers;
}

bool Sender::Close(StreamUid uid, uint32_t code, std::string_view reason) {
  if (registry_.FindLine(uid) == nullptr) return false;
  const uint32_t bytes = static_cast<uint32_t>(sizeof code + reason.size());
  uint8_t* out = outboxes_.Append(uid, MessageOp::kClose, bytes, /*control=*/true);
  std::memcpy(out, &code, sizeof code);
  if (!reason.empty()) std::memcpy(out + sizeof code, reason.data(), reason.size());
  outboxes_.Appended(uid.worker_id());
  return true;
}

}  // namespace holdfast
