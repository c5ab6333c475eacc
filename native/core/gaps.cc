#include "core/gaps.h"

namespace holdfast {

bool TakeGap(Worker& worker, StreamUid uid) {
  StreamLine* line = worker.cache.Find(uid);
  if (line == nullptr || !line->TakeGap(uid, AsksForMarks(worker, *line))) return false;
  if (!KeepsQueue(line->policy())) return true;
  worker.held_back.MarkGap(uid);
  return false;
}

std::vector<StreamUid> TakeTopicGap(Worker& worker, TopicId topic) {
  const StreamUid except = worker.topic_members.TakeGap(topic);
  std::vector<StreamUid> members;
  worker.topic_members.ForEach(topic, [&](const TopicMember& member) {
    if (member.uid != except) members.push_back(member.uid);
  });
  return members;
}

}  // namespace holdfast
