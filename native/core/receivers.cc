#include "core/receivers.h"

#include "core/admission.h"

namespace holdfast {

bool FindAddressed(Worker& worker, const Publication& publication, std::vector<TopicMember>* out) {
  bool all = true;
  worker.topic_members.ForEach(publication.topic, [&](const TopicMember& member) {
    if (publication.sequence != 0 && member.since >= publication.sequence) {
      all = false;
      return;
    }
    // A kind that joined after the publish has no form of it, and no claim to it.
    const bool has_form{publication.forms[static_cast<size_t>(member.kind)]};
    if ((has_form || publication.gap != 0) && member.uid != publication.except)
      out->push_back(member);
  });
  for (const StreamUid uid : publication.listed) {
    if (const StreamLine* line = worker.cache.Find(uid); line != nullptr) {
      out->push_back({uid, line->handle(), line->kind(), line->socket()});
    }
  }
  return all;
}

Receipt Receive(Registry& registry, Worker& worker, const TopicMember& member,
                const PayloadRef& payload, uint32_t messages, std::string_view key,
                uint64_t now_ms) {
  const StreamUid uid = member.uid;
  StreamLine* line = worker.cache.Find(uid);
  Admission admission = Admission::kGone;
  if (line != nullptr) {
    const auto despite =
        line->owner_closes() ? StreamLine::Despite::kNothing : StreamLine::Despite::kStop;
    admission = Admit(registry, &worker, *line, uid, payload->size(), despite);
  }
  switch (admission) {
    case Admission::kGone:
      worker.counters.Add(Counter::kMessagesUndeliverable, messages);
      return Receipt::kLost;
    case Admission::kFull:
    case Admission::kFullUntold:
    case Admission::kDisconnect:
      worker.counters.Add(Counter::kMessagesDropped, messages);
      worker.counters.Add(OverBudgetBy(line->policy()), messages);
      if (admission == Admission::kDisconnect) return Receipt::kDisconnect;
      return admission == Admission::kFullUntold ? Receipt::kUntold : Receipt::kLost;
    case Admission::kTaken:
      break;
  }
  line->Touch(now_ms);
  if (!KeepsQueue(line->policy()) || worker.held_back.Pass(uid, payload->size())) {
    return Receipt::kWrite;
  }
  worker.held_back.Hold(uid, payload, messages, key);
  return Receipt::kHeld;
}

}  // namespace holdfast
