#include "core/topic_members.h"

namespace holdfast {

bool TopicMembers::Add(TopicId topic, const TopicMember& member) {
  MutexLock lock(mu_);
  std::vector<Membership>& memberships = streams_[member.uid.value];
  for (const Membership& membership : memberships) {
    if (membership.topic == topic) return false;
  }
  std::vector<Entry>& entries = topics_[topic];
  entries.push_back({member, static_cast<uint32_t>(memberships.size())});
  memberships.push_back({topic, static_cast<uint32_t>(entries.size() - 1)});
  // A gap that is on its way passes it by, and so tells it of nothing that is refused later.
  if (member.since != 0) EndGapLocked(topic);
  return true;
}

bool TopicMembers::Remove(TopicId topic, StreamUid uid) {
  MutexLock lock(mu_);
  const auto stream = streams_.find(uid.value);
  if (stream == streams_.end()) return false;
  std::vector<Membership>& memberships = stream->second;
  for (uint32_t i = 0; i < memberships.size(); i++) {
    if (memberships[i].topic != topic) continue;
    Erase(memberships[i]);
    // The last one takes its place.
    memberships[i] = memberships.back();
    memberships.pop_back();
    if (i < memberships.size()) topics_[memberships[i].topic][memberships[i].place].place = i;
    if (memberships.empty()) streams_.erase(stream);
    removals_.fetch_add(1, std::memory_order_release);
    return true;
  }
  return false;
}

std::vector<TopicId> TopicMembers::RemoveAll(StreamUid uid) {
  MutexLock lock(mu_);
  std::vector<TopicId> topics;
  const auto stream = streams_.find(uid.value);
  if (stream == streams_.end()) return topics;
  for (const Membership& membership : stream->second) {
    topics.push_back(membership.topic);
    Erase(membership);
  }
  streams_.erase(stream);
  return topics;
}

std::vector<TopicId> TopicMembers::TopicsOf(StreamUid uid) {
  MutexLock lock(mu_);
  std::vector<TopicId> topics;
  const auto stream = streams_.find(uid.value);
  if (stream == streams_.end()) return topics;
  for (const Membership& membership : stream->second) topics.push_back(membership.topic);
  return topics;
}

const TopicMembers::Entry* TopicMembers::FindLocked(TopicId topic, StreamUid uid) {
  const auto stream = streams_.find(uid.value);
  if (stream == streams_.end()) return nullptr;
  for (const Membership& membership : stream->second) {
    if (membership.topic == topic) return &topics_[topic][membership.place];
  }
  return nullptr;
}

bool TopicMembers::Contains(TopicId topic, StreamUid uid) {
  MutexLock lock(mu_);
  return FindLocked(topic, uid) != nullptr;
}

bool TopicMembers::Owes(TopicId topic, StreamUid uid, uint64_t sequence) {
  MutexLock lock(mu_);
  const Entry* entry = FindLocked(topic, uid);
  return entry != nullptr && (sequence == 0 || entry->member.since < sequence);
}

// From the topic's list; the last entry takes the place of the one that goes.
void TopicMembers::Erase(const Membership& membership) {
  std::vector<Entry>& entries = topics_[membership.topic];
  const Entry moved = entries.back();
  entries.pop_back();
  if (membership.place < entries.size()) {
    entries[membership.place] = moved;
    streams_[moved.member.uid.value][moved.place].place = membership.place;
  }
  if (entries.empty()) topics_.erase(membership.topic);
}

uint64_t TopicMembers::MarkGap(TopicId topic, StreamUid except) {
  MutexLock lock(mu_);
  LastGap& last = open_gaps_[topic];
  if (last.posted) {
    const auto found = gaps_.find(last.number);
    CHECK(found != gaps_.end());
    if (found->second.spared != except) found->second.spared = {};
    return 0;
  }
  last = {next_gap_, false};
  has_open_gaps_.store(true, std::memory_order_release);
  gaps_.emplace(next_gap_, Gap{topic, except});
  return next_gap_++;
}

void TopicMembers::GapPosted(TopicId topic, uint64_t number) {
  MutexLock lock(mu_);
  const auto open = open_gaps_.find(topic);
  if (open != open_gaps_.end() && open->second.number == number) open->second.posted = true;
}

void TopicMembers::EndGap(TopicId topic) {
  if (!has_open_gaps_.load(std::memory_order_acquire)) return;
  MutexLock lock(mu_);
  EndGapLocked(topic);
}

void TopicMembers::EndGapLocked(TopicId topic) {
  open_gaps_.erase(topic);
  has_open_gaps_.store(!open_gaps_.empty(), std::memory_order_release);
}

std::optional<StreamUid> TopicMembers::TakeGap(uint64_t number) {
  MutexLock lock(mu_);
  const auto found = gaps_.find(number);
  if (found == gaps_.end()) return std::nullopt;
  const Gap gap = found->second;
  gaps_.erase(found);
  const auto open = open_gaps_.find(gap.topic);
  if (open != open_gaps_.end() && open->second.number == number) EndGapLocked(gap.topic);
  return gap.spared;
}

void TopicMembers::ForgetGaps() {
  MutexLock lock(mu_);
  gaps_.clear();
  open_gaps_.clear();
  has_open_gaps_.store(false, std::memory_order_release);
}

}  // namespace holdfast
