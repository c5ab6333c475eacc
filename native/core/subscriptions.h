// Streams as members of topics: what the process knows of a topic (core/topics.h) and what the
// stream's worker knows of it (core/topic_members.h), kept together.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/registry.h"

namespace holdfast {

// Threads: the owner of the stream, which must be live. False if it is a member already, or none.
bool Subscribe(Registry& registry, Worker& worker, StreamUid uid, std::string_view topic);
// The same for one that has had the topic's messages up to number `since` another way.
bool SubscribeSince(Registry& registry, Worker& worker, StreamUid uid, std::string_view topic,
                    uint64_t since);
bool Unsubscribe(Registry& registry, Worker& worker, StreamUid uid, std::string_view topic);
// The end of all its memberships.
void LeaveTopics(Registry& registry, Worker& worker, StreamUid uid, StreamKind kind);

// Threads: any.
bool IsMember(Registry& registry, StreamUid uid, std::string_view topic);
std::vector<StreamUid> Subscribers(Registry& registry, std::string_view topic);
std::vector<std::string> TopicsOf(Registry& registry, StreamUid uid);

}  // namespace holdfast
