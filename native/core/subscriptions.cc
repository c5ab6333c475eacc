#include "core/subscriptions.h"

namespace holdfast {

bool Subscribe(Registry& registry, Worker& worker, StreamUid uid, std::string_view topic) {
  return SubscribeSince(registry, worker, uid, topic, 0);
}

bool SubscribeSince(Registry& registry, Worker& worker, StreamUid uid, std::string_view topic,
                    uint64_t since) {
  StreamLine* line = worker.cache.Find(uid);
  CHECK(line != nullptr);
  const StreamKind kind = line->kind();
  // Counted first: from then on no publish passes the worker by.
  const TopicId id = registry.topics().Join(topic, worker.id, kind);
  if (worker.topic_members.Add(id, {uid, line->handle(), kind, line->socket(), since})) {
    line->MarkSubscribed();
    return true;
  }
  registry.topics().Leave(id, worker.id, kind);
  return false;
}

bool Unsubscribe(Registry& registry, Worker& worker, StreamUid uid, std::string_view topic) {
  const StreamLine* line = worker.cache.Find(uid);
  CHECK(line != nullptr);
  std::vector<TopicShare> shares;
  const TopicId id = registry.topics().Find(topic, &shares);
  if (id == 0 || !worker.topic_members.Remove(id, uid)) return false;
  registry.topics().Leave(id, worker.id, line->kind());
  return true;
}

void LeaveTopics(Registry& registry, Worker& worker, StreamUid uid, StreamKind kind) {
  for (const TopicId topic : worker.topic_members.RemoveAll(uid)) {
    registry.topics().Leave(topic, worker.id, kind);
  }
}

bool IsMember(Registry& registry, StreamUid uid, std::string_view topic) {
  std::vector<TopicShare> shares;
  const TopicId id = registry.topics().Find(topic, &shares);
  Worker* worker = registry.FindWorker(uid.worker_id());
  return id != 0 && worker != nullptr && worker->topic_members.Contains(id, uid);
}

std::vector<StreamUid> Subscribers(Registry& registry, std::string_view topic) {
  std::vector<TopicShare> shares;
  const TopicId id = registry.topics().Find(topic, &shares);
  std::vector<StreamUid> uids;
  for (const TopicShare& share : shares) {
    registry.FindWorker(share.worker_id)->topic_members.ForEach(id, [&](const TopicMember& member) {
      uids.push_back(member.uid);
    });
  }
  return uids;
}

std::vector<std::string> TopicsOf(Registry& registry, StreamUid uid) {
  Worker* worker = registry.FindWorker(uid.worker_id());
  if (worker == nullptr) return {};
  return registry.topics().NamesOf(worker->topic_members.TopicsOf(uid));
}

}  // namespace holdfast
