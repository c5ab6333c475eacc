// Which topics a worker's streams are members of: topic → streams, and stream → topics, so that a
// stream leaves all of them on whatever way out it takes.
//
// Threads: Add, Remove and RemoveAll: the owner; everything else: any. mu_ is a leaf.
#pragma once

#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "core/stream_facts.h"

namespace holdfast {

using TopicId = uint64_t;  // never given twice

struct TopicMember {
  StreamUid uid;
  uint32_t handle;
  StreamKind kind;
  uint64_t since = 0;  // it has had the topic's messages up to this number another way
};

class TopicMembers {
 public:
  // False if it is one already.
  bool Add(TopicId topic, const TopicMember& member) EXCLUDES(mu_);
  // False if it was none.
  bool Remove(TopicId topic, StreamUid uid) EXCLUDES(mu_);
  // The topics it was a member of.
  std::vector<TopicId> RemoveAll(StreamUid uid) EXCLUDES(mu_);
  std::vector<TopicId> TopicsOf(StreamUid uid) EXCLUDES(mu_);
  bool Contains(TopicId topic, StreamUid uid) EXCLUDES(mu_);

  // A message to all members but one was refused. True when none was since TakeGap: the caller
  // sees to it that the owner does that.
  bool MarkGap(TopicId topic, StreamUid except) EXCLUDES(mu_);
  // The owner: the one that missed nothing of all that were refused; 0: nobody.
  StreamUid TakeGap(TopicId topic) EXCLUDES(mu_);
  // Another thread's were marked under this worker's number.
  void ForgetGaps() EXCLUDES(mu_);

  // Calls visit(member) for each, under the lock: it must take no other one.
  template <typename Visit>
  void ForEach(TopicId topic, Visit visit) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    const auto found = topics_.find(topic);
    if (found == topics_.end()) return;
    for (const Entry& entry : found->second) visit(entry.member);
  }

 private:
  struct Entry {
    TopicMember member;
    uint32_t place;  // of the topic in the stream's list
  };
  struct Membership {
    TopicId topic;
    uint32_t place;  // of the stream in the topic's list
  };

  void Erase(const Membership& membership) REQUIRES(mu_);

  Mutex mu_;
  std::unordered_map<TopicId, std::vector<Entry>> topics_ GUARDED_BY(mu_);
  std::unordered_map<uint64_t, std::vector<Membership>> streams_ GUARDED_BY(mu_);
  std::unordered_map<TopicId, StreamUid> gaps_ GUARDED_BY(mu_);
};

}  // namespace holdfast
