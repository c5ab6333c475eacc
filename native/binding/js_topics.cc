#include <algorithm>
#include <utility>

#include "binding/enumeration_argument.h"
#include "binding/functions.h"
#include "binding/message_arguments.h"
#include "core/adoption.h"
#include "core/subscriptions.h"

namespace holdfast {
namespace {

// src/topics.ts holds the same.
constexpr size_t kMaxTopicBytes = 255;

// subscribe(uid, topicBytes), unsubscribe(uid, topicBytes): of a stream of the calling thread, or
// one on a reactor; 1 or 0, whether that changed anything, or a Status. The topic lies in the
// scratch memory.
template <bool (*kChange)(Registry&, Worker&, StreamUid, std::string_view),
          bool (*kChangeOnReactor)(Registry&, StreamUid, std::string_view)>
Napi::Value JsChangeMembership(const Napi::CallbackInfo& info) {
  const StreamUid uid = KnownUid(info, 0);
  NodeWorker& self = Self(info);
  size_t offset = 0;
  const std::string_view topic = ScratchText(self, &offset, Uint32Argument(info, 1));
  if (OwnLine(info, uid) != nullptr) {
    return Number(info, kChange(Registry::Get(), self.worker(), uid, topic) ? 1 : 0);
  }
  return Number(info, kChangeOnReactor(Registry::Get(), uid, topic) ? 1 : 0);
}

// How many streams it is for. The frame's first word tells whether any are the calling thread's
// own: those wait for takeOwn().
Napi::Value Addressed(const Napi::CallbackInfo& info, NodeWorker& self, uint64_t streams) {
  *self.frame().As<uint32_t>() = self.has_own() ? 1 : 0;
  return Number(info, static_cast<double>(streams));
}

// publish(topicBytes, except, eventBytes, idBytes, keyBytes, dataBytes, retryMs, binary, large?):
// see Addressed. The topic lies before the message's texts in the scratch memory.
Napi::Value JsPublish(const Napi::CallbackInfo& info) {
  NodeWorker& self = Self(info);
  size_t offset = 0;
  const std::string_view topic = ScratchText(self, &offset, Uint32Argument(info, 0));
  StreamUid except;
  if (!info[1].IsUndefined()) {
    const std::optional<StreamUid> uid = UidArgument(info, 1);
    if (!uid) return Code(info, Status::kInvalid);
    except = *uid;
  }
  const OutgoingMessage message = MessageArguments(info, 2, offset);
  return Addressed(info, self, self.Publish(topic, message, except));
}

// publishText(topic, text): the same for a message that is only data, a string known to fit the
// scratch memory. The topic has at most kMaxTopicBytes units; kInvalid where it takes more bytes.
// One call into the engine instead of three, as neither need be written there first.
Napi::Value JsPublishText(const Napi::CallbackInfo& info) {
  NodeWorker& self = Self(info);
  char topic[kMaxTopicBytes * 3 + 1];
  const std::span<char> memory = self.text_memory();
  size_t topic_size;
  size_t size;
  CHECK(napi_get_value_string_utf8(info.Env(), info[0], topic, sizeof topic, &topic_size) ==
            napi_ok &&
        napi_get_value_string_utf8(info.Env(), info[1], memory.data(), memory.size(), &size) ==
            napi_ok);
  if (topic_size > kMaxTopicBytes) return Code(info, Status::kInvalid);
  self.set_text_size(size);
  OutgoingMessage message;
  message.data = self.text();
  return Addressed(info, self, self.Publish({topic, topic_size}, message, StreamUid{}));
}

// broadcast(enumeration, eventBytes, idBytes, keyBytes, dataBytes, retryMs, binary, large?): as
// publish, to all that the enumeration finds.
Napi::Value JsBroadcast(const Napi::CallbackInfo& info) {
  NodeWorker& self = Self(info);
  Enumeration* enumeration = EnumerationArgument(info, 0);
  if (enumeration == nullptr) return Number(info, 0);
  std::vector<StreamUid> uids;
  std::vector<FoundStream> found;
  for (bool more = true; more; found.clear()) {
    more = enumeration->Next(1024, &found);
    for (const FoundStream& stream : found) uids.push_back(stream.facts.uid);
  }
  const OutgoingMessage message = MessageArguments(info, 1);
  return Addressed(info, self, self.Multicast(uids, message));
}

// takeOwn(): of the last publish or broadcast: the handles of the own streams that take it, and the
// bytes they are to be written, one pair a kind that has any.
Napi::Value JsTakeOwn(const Napi::CallbackInfo& info) {
  const Receivers own = Self(info).TakeOwn();
  const Napi::Array pairs = Napi::Array::New(info.Env());
  uint32_t length = 0;
  for (uint32_t kind = 0; kind < kStreamKinds; kind++) {
    const std::vector<uint32_t>& handles = own.handles[kind];
    if (handles.empty()) continue;
    const std::span<const uint8_t> bytes = own.forms[kind]->bytes();
    auto list = Napi::Uint32Array::New(info.Env(), handles.size());
    auto copy = Napi::Buffer<uint8_t>::Copy(info.Env(), bytes.data(), bytes.size());
    if (list.IsEmpty() || copy.IsEmpty()) break;  // the thread is being terminated
    std::copy(handles.begin(), handles.end(), list.Data());
    pairs.Set(length++, list);
    pairs.Set(length++, copy);
  }
  return pairs;
}

// settleOwn(delivered, undeliverable): what became of them.
Napi::Value JsSettleOwn(const Napi::CallbackInfo& info) {
  NodeWorker* self = SelfIfOpen(info);
  // A worker that has left has settled them itself.
  if (self != nullptr) self->SettleOwn(Uint32Argument(info, 0), Uint32Argument(info, 1));
  return info.Env().Undefined();
}

// topics(): names and numbers of members, in turn.
Napi::Value JsTopics(const Napi::CallbackInfo& info) {
  const std::vector<TopicCount> topics = Registry::Get().topics().List();
  const Napi::Array list = Napi::Array::New(info.Env(), topics.size() * 2);
  uint32_t length = 0;
  for (const TopicCount& topic : topics) {
    list.Set(length++, Napi::String::New(info.Env(), topic.name));
    list.Set(length++, Number(info, static_cast<double>(topic.members)));
  }
  return list;
}

// subscribers(topicBytes): uids. The topic lies in the scratch memory.
Napi::Value JsSubscribers(const Napi::CallbackInfo& info) {
  size_t offset = 0;
  const std::string_view topic = ScratchText(Self(info), &offset, Uint32Argument(info, 0));
  const std::vector<StreamUid> uids = Subscribers(Registry::Get(), topic);
  auto list = Napi::BigUint64Array::New(info.Env(), uids.size());
  if (list.IsEmpty()) return info.Env().Undefined();  // the thread is being terminated
  for (size_t i = 0; i < uids.size(); i++) list[i] = uids[i].value;
  return list;
}

// topicsOf(uid): names.
Napi::Value JsTopicsOf(const Napi::CallbackInfo& info) {
  const std::vector<std::string> names = TopicsOf(Registry::Get(), KnownUid(info, 0));
  const Napi::Array list = Napi::Array::New(info.Env(), names.size());
  for (uint32_t i = 0; i < names.size(); i++) {
    list.Set(i, Napi::String::New(info.Env(), names[i]));
  }
  return list;
}

}  // namespace

void ExportTopicFunctions(Napi::Env env, Napi::Object exports) {
  Export<JsChangeMembership<Subscribe, SubscribeOnReactor>>(env, exports, "subscribe");
  Export<JsChangeMembership<Unsubscribe, UnsubscribeOnReactor>>(env, exports, "unsubscribe");
  Export<JsPublish>(env, exports, "publish");
  Export<JsPublishText>(env, exports, "publishText");
  Export<JsBroadcast>(env, exports, "broadcast");
  Export<JsTakeOwn>(env, exports, "takeOwn");
  Export<JsSettleOwn>(env, exports, "settleOwn");
  Export<JsTopics>(env, exports, "topics");
  Export<JsSubscribers>(env, exports, "subscribers");
  Export<JsTopicsOf>(env, exports, "topicsOf");
}

}  // namespace holdfast
