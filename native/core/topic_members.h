// Which topics a worker's streams are members of: topic → streams, and stream → topics, so that a
// stream leaves all of them on whatever way out it takes.
//
// And which of them have missed messages, as the worker's mailbox had no room. Whoever was refused
// posts a gap of the topic, which always finds room, where the message would have stood. From when
// it was posted, what is refused next is told of by that one, as long as it is on its way and no
// message of the topic has come behind it.
//
// Threads: Add, Remove and RemoveAll: the owner, or who keeps the stream from ending meanwhile;
// TakeGap: the owner; everything else: any. mu_ is a leaf.
#pragma once

#include <atomic>
#include <optional>
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
  uint32_t socket;     // its primary esocket_uuid
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
  // Whether it is a member, and has not had the topic's message of that number another way; 0: the
  // message has none.
  bool Owes(TopicId topic, StreamUid uid, uint64_t sequence) EXCLUDES(mu_);
  // How often Remove has found a member. Who has left by RemoveAll has ended.
  uint64_t removals() const { return removals_.load(std::memory_order_acquire); }

  // A message to all members but `except` was refused. The number of the gap that the caller is to
  // post at once, and to say so; 0: one is on its way that tells of it.
  uint64_t MarkGap(TopicId topic, StreamUid except) EXCLUDES(mu_);
  void GapPosted(TopicId topic, uint64_t number) EXCLUDES(mu_);
  // A message of the topic was posted: a gap before it tells of nothing behind it.
  void EndGap(TopicId topic) EXCLUDES(mu_);
  // The gap has come. The one that missed nothing of what it tells of, 0: there is none; nullopt:
  // it was for another thread under this worker's number.
  std::optional<StreamUid> TakeGap(uint64_t number) EXCLUDES(mu_);
  // Another thread has this worker's number from here on.
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

  struct Gap {
    TopicId topic;
    StreamUid spared;
  };

  struct LastGap {
    uint64_t number = 0;
    // Before that, what others post could come before it: it tells of nothing that they miss.
    bool posted = false;
  };

  const Entry* FindLocked(TopicId topic, StreamUid uid) REQUIRES(mu_);
  void Erase(const Membership& membership) REQUIRES(mu_);
  void EndGapLocked(TopicId topic) REQUIRES(mu_);

  Mutex mu_;
  std::unordered_map<TopicId, std::vector<Entry>> topics_ GUARDED_BY(mu_);
  std::unordered_map<uint64_t, std::vector<Membership>> streams_ GUARDED_BY(mu_);
  std::unordered_map<uint64_t, Gap> gaps_ GUARDED_BY(mu_);  // on their way, by number
  // Those of them that no message of their topic has come behind.
  std::unordered_map<TopicId, LastGap> open_gaps_ GUARDED_BY(mu_);
  uint64_t next_gap_ GUARDED_BY(mu_) = 1;
  // Written under mu_, release; read by any, acquire: whoever finds it unchanged looks up nobody.
  std::atomic<uint64_t> removals_{0};
  // Whether there are any, so that the usual publish takes no lock here. Written under mu_,
  // release; read by any, acquire: whoever posts behind a gap has seen it.
  std::atomic<bool> has_open_gaps_{false};
};

}  // namespace holdfast
