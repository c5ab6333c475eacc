#include "core/resume.h"

#include <cstring>

#include "core/admission.h"
#include "core/encode.h"
#include "core/request_mail.h"
#include "core/subscriptions.h"

namespace holdfast {
namespace {

using Result = Resumption::Result;

struct Plan {
  uint64_t first;  // message
  uint64_t bytes;  // of all from there, in the stream's wire form
  bool gap;
};

Plan PlanFor(const RingLog& log, std::string_view after, StreamKind kind, uint64_t room) {
  const RingLog::Place place = log.Behind(after);
  Plan plan{log.last() + 1, 0, place.gap};
  while (plan.first > place.next) {
    const uint64_t size = EncodedSize(kind, RingLog::Kept(log, plan.first - 1).message());
    if (plan.bytes + size > room) {
      plan.gap = true;
      break;
    }
    plan.bytes += size;
    plan.first--;
  }
  return plan;
}

PayloadRef EncodeFrom(const RingLog& log, const Plan& plan, StreamKind kind) {
  return PayloadRef::Make(static_cast<uint32_t>(plan.bytes), [&](uint8_t* out) {
    for (uint64_t sequence = plan.first; sequence <= log.last(); sequence++) {
      const RingLog::Kept kept(log, sequence);
      Encode(kind, kept.message(), out);
      out += EncodedSize(kind, kept.message());
    }
  });
}

uint64_t RoomOf(const Registry& registry, const Worker& self, const StreamLine& line) {
  const uint64_t budget = StreamBudget(registry, self, 0);
  const uint64_t queued = line.queued_bytes();
  return budget > queued ? budget - queued : 0;
}

// To a stream on a reactor, reserved. False if that has gone: its stream is about to.
bool Post(Worker& owner, StreamUid uid, const PayloadRef& missed) {
  const RequestHeader header;
  const std::span<const uint8_t> bytes = missed->bytes();
  const auto size = static_cast<uint32_t>(sizeof header + bytes.size());
  return owner.mailbox.PostAlone(uid, MessageOp::kRequestAhead, size, [&](uint8_t* out) {
    std::memcpy(out, &header, sizeof header);
    std::memcpy(out + sizeof header, bytes.data(), bytes.size());
  });
}

// Under the ring's lock: what is published later is posted later.
Resumption ResumeFrom(Registry& registry, Worker& self, Worker& owner, StreamLine& line,
                      StreamUid uid, const RingLog& log, std::string_view topic,
                      std::string_view after, bool gap_told) {
  const StreamKind kind = line.kind();
  const Plan plan = PlanFor(log, after, kind, RoomOf(registry, self, line));
  Resumption resumption;
  if (plan.gap && !gap_told) {
    resumption.result = Result::kGapFirst;
    resumption.gap_at = log.IdOf(plan.first - 1);
    return resumption;
  }
  if (plan.bytes > 0) {
    // Refused only if it is closing.
    const auto size = static_cast<uint32_t>(plan.bytes);
    if (AdmitAhead(registry, &self, line, uid, size) != Admission::kTaken) return resumption;
    const PayloadRef missed = EncodeFrom(log, plan, kind);
    if (&self == &owner) {
      // Ahead of what waits for its reader, as it is of the past.
      if (KeepsQueue(line.policy())) owner.held_back.PassAhead(uid, size);
      resumption.missed = missed;
    } else if (Post(owner, uid, missed)) {
      registry.Count(&self, Counter::kMessagesQueued);
    } else {
      (void)Withdraw(registry, &self, line, uid, size);  // nobody is there to be told
      return resumption;
    }
    registry.Count(&self, Counter::kMessagesReplayed, log.last() + 1 - plan.first);
  }
  CHECK(SubscribeSince(registry, owner, uid, topic, log.last()));
  resumption.result = Result::kJoined;
  return resumption;
}

}  // namespace

Resumption Resume(Registry& registry, Worker& self, Worker& owner, StreamUid uid,
                  std::string_view topic, std::string_view after, bool gap_told) {
  Resumption resumption;
  StreamLine* line = owner.cache.Find(uid);
  if (line == nullptr || IsMember(registry, uid, topic)) return resumption;
  const ReplayRingRef ring = registry.rings().Find(topic);
  const auto resume = [&](const RingState& state) {
    resumption = ResumeFrom(registry, self, owner, *line, uid, state.log, topic, after, gap_told);
  };
  if (ring == nullptr || !ring->With(resume)) {
    // Nothing is kept: nobody knows what was missed.
    if (!gap_told)
      resumption.result = Result::kGapFirst;
    else if (Subscribe(registry, owner, uid, topic))
      resumption.result = Result::kJoined;
  }
  if (resumption.result == Result::kGapFirst) registry.Count(&self, Counter::kReplayGaps);
  return resumption;
}

}  // namespace holdfast
