#include "core/topics.h"

#include <algorithm>
#include <numeric>

namespace holdfast {

TopicId Topics::Join(std::string_view name, uint32_t worker_id, StreamKind kind) {
  WriteLock lock(mu_);
  Topic* topic;
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    topic = found->second;
  } else {
    auto made = std::make_unique<Topic>(Topic{next_id_++, std::string(name), {}});
    topic = made.get();
    by_name_.emplace(topic->name, topic);
    by_id_.emplace(topic->id, std::move(made));
  }
  const auto share =
      std::find_if(topic->shares.begin(), topic->shares.end(),
                   [&](const TopicShare& one) { return one.worker_id == worker_id; });
  TopicShare& own =
      share != topic->shares.end() ? *share : topic->shares.emplace_back(TopicShare{worker_id});
  own.members[static_cast<size_t>(kind)]++;
  return topic->id;
}

void Topics::Leave(TopicId id, uint32_t worker_id, StreamKind kind) {
  WriteLock lock(mu_);
  const auto found = by_id_.find(id);
  CHECK(found != by_id_.end());
  Topic& topic = *found->second;
  const auto share =
      std::find_if(topic.shares.begin(), topic.shares.end(),
                   [&](const TopicShare& one) { return one.worker_id == worker_id; });
  CHECK(share != topic.shares.end() && share->members[static_cast<size_t>(kind)] > 0);
  share->members[static_cast<size_t>(kind)]--;
  if (share->total() == 0) topic.shares.erase(share);
  if (!topic.shares.empty()) return;
  by_name_.erase(topic.name);
  by_id_.erase(found);
}

TopicId Topics::Find(std::string_view name, std::vector<TopicShare>* shares) {
  ReadLock lock(mu_);
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return 0;
  *shares = found->second->shares;
  return found->second->id;
}

std::vector<TopicCount> Topics::List() {
  ReadLock lock(mu_);
  std::vector<TopicCount> list;
  list.reserve(by_id_.size());
  for (const auto& [id, topic] : by_id_) {
    const uint64_t members =
        std::accumulate(topic->shares.begin(), topic->shares.end(), uint64_t{0},
                        [](uint64_t sum, const TopicShare& share) { return sum + share.total(); });
    list.push_back({topic->name, members});
  }
  return list;
}

std::vector<std::string> Topics::NamesOf(const std::vector<TopicId>& ids) {
  ReadLock lock(mu_);
  std::vector<std::string> names;
  for (const TopicId id : ids) {
    if (const auto found = by_id_.find(id); found != by_id_.end()) {
      names.push_back(found->second->name);
    }
  }
  return names;
}

}  // namespace holdfast
