// The topics of the process: which workers have members of each, and how many. What a publish needs
// to know, whatever the number of members: O(workers).
//
// Threads: Join and Leave: the owner of the stream; everything else: any.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "core/topic_members.h"

namespace holdfast {

struct TopicShare {
  uint32_t worker_id;
  std::array<uint32_t, kStreamKinds> members{};  // by kind
  uint32_t total() const { return members[0] + members[1] + members[2]; }
};

struct TopicCount {
  std::string name;
  uint64_t members;
};

class Topics {
 public:
  // Counts one more member of the worker; the topic is made if there is none.
  TopicId Join(std::string_view name, uint32_t worker_id, StreamKind kind) EXCLUDES(mu_);
  // One less. The topic goes with its last member.
  void Leave(TopicId topic, uint32_t worker_id, StreamKind kind) EXCLUDES(mu_);

  // 0: there is no such topic. Topic ids begin at 1.
  TopicId Find(std::string_view name, std::vector<TopicShare>* shares) EXCLUDES(mu_);
  std::vector<TopicCount> List() EXCLUDES(mu_);
  std::vector<std::string> NamesOf(const std::vector<TopicId>& ids) EXCLUDES(mu_);

 private:
  struct Topic {
    TopicId id;
    std::string name;
    std::vector<TopicShare> shares;
  };

  SharedMutex mu_;
  TopicId next_id_ GUARDED_BY(mu_) = 1;
  std::unordered_map<std::string_view, Topic*> by_name_ GUARDED_BY(mu_);  // the name is the topic's
  std::unordered_map<TopicId, std::unique_ptr<Topic>> by_id_ GUARDED_BY(mu_);
};

}  // namespace holdfast
