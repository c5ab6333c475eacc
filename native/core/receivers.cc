#include "core/receivers.h"

namespace holdfast {

void FindAddressed(Worker& worker, const Publication& publication, std::vector<TopicMember>* out) {
  worker.topic_members.ForEach(publication.topic, [&](const TopicMember& member) {
    // A kind that joined after the publish has no form of it, and no claim to it.
    const bool has_form{publication.forms[static_cast<size_t>(member.kind)]};
    if (has_form && member.uid != publication.except) out->push_back(member);
  });
  for (const StreamUid uid : publication.listed) {
    if (const StreamLine* line = worker.cache.Find(uid); line != nullptr) {
      out->push_back({uid, line->handle(), line->kind()});
    }
  }
}

bool Admit(Worker& worker, const TopicMember& member, const Payload& payload, uint32_t messages,
           uint64_t now_ms) {
  StreamLine* line = worker.cache.Find(member.uid);
  const uint64_t budget = worker.options[Option::kSendBudgetBytes];
  const Status status =
      line == nullptr ? Status::kGone : line->Reserve(member.uid, payload.size(), budget);
  if (status != Status::kOk) {
    const bool gone = status == Status::kGone;
    worker.counters.Add(gone ? Counter::kMessagesUndeliverable : Counter::kMessagesDropped,
                        messages);
    return false;
  }
  line->Touch(now_ms);
  return true;
}

}  // namespace holdfast
