#include "binding/arguments.h"
#include "binding/functions.h"
#include "core/adoption.h"
#include "core/resume.h"
#include "core/topic_news.h"

namespace holdfast {
namespace {

Napi::Value Text(const Napi::CallbackInfo& info, std::string_view text) {
  return Napi::String::New(info.Env(), text.data(), text.size());
}

Napi::Value Bytes(const Napi::CallbackInfo& info, const void* data, size_t size) {
  return Napi::Buffer<uint8_t>::Copy(info.Env(), static_cast<const uint8_t*>(data), size);
}

// keepTopic(topicBytes, events, bytes): status. The topic lies in the scratch memory, here and
// below.
Napi::Value JsKeepTopic(const Napi::CallbackInfo& info) {
  NodeWorker& self = Self(info);
  size_t offset = 0;
  const std::string_view topic = ScratchText(self, &offset, Uint32Argument(info, 0));
  const RingLimits limits{Uint32Argument(info, 1), static_cast<uint64_t>(DoubleArgument(info, 2))};
  const uint64_t max_bytes = self.worker().options[Option::kMaxReplayBytes];
  return Code(info, Registry::Get().rings().Keep(topic, limits, max_bytes));
}

// forgetTopic(topicBytes): whether it was kept.
Napi::Value JsForgetTopic(const Napi::CallbackInfo& info) {
  size_t offset = 0;
  const std::string_view topic = ScratchText(Self(info), &offset, Uint32Argument(info, 0));
  return Boolean(info, GiveUpTopic(Registry::Get(), topic));
}

// keepsTopic(topicBytes): whether it is kept.
Napi::Value JsKeepsTopic(const Napi::CallbackInfo& info) {
  size_t offset = 0;
  const std::string_view topic = ScratchText(Self(info), &offset, Uint32Argument(info, 0));
  return Boolean(info, Registry::Get().rings().Find(topic) != nullptr);
}

// subscribeAfter(uid, topicBytes, afterBytes, gapTold): of a stream of the calling thread, or one
// on a reactor. 0: it is a member already, or gone; a string: a gap is to be told first, and where
// it is; 1: it is a member now; a Buffer: the same, and these bytes are reserved and to be written.
Napi::Value JsSubscribeAfter(const Napi::CallbackInfo& info) {
  NodeWorker& self = Self(info);
  const StreamUid uid = KnownUid(info, 0);
  size_t offset = 0;
  const std::string_view topic = ScratchText(self, &offset, Uint32Argument(info, 1));
  const std::string_view after = ScratchText(self, &offset, Uint32Argument(info, 2));
  const bool gap_told = BoolArgument(info, 3);
  Registry& registry = Registry::Get();
  Worker& worker = self.worker();
  Resumption resumption;
  if (uid.worker_id() == worker.id) {
    resumption = Resume(registry, worker, worker, uid, topic, after, gap_told);
  } else {
    // What was sent to it before goes before it.
    self.sender().Flush();
    resumption = ResumeOnReactor(registry, worker, uid, topic, after, gap_told);
  }
  using Result = Resumption::Result;
  if (resumption.result == Result::kGapFirst) return Text(info, resumption.gap_at.text());
  if (resumption.missed) {
    return Bytes(info, resumption.missed->bytes().data(), resumption.missed->size());
  }
  return Number(info, resumption.result == Result::kJoined ? 1 : 0);
}

// readTopic(topicBytes, afterBytes, maxBytes): undefined if it is not kept. Else a list: the number
// of its ring, whether some are missing, the id of the last that was read, and then id, event and
// data of each. If there is nothing to tell, this thread will be told of the next message, once.
Napi::Value JsReadTopic(const Napi::CallbackInfo& info) {
  NodeWorker& self = Self(info);
  size_t offset = 0;
  const std::string_view topic = ScratchText(self, &offset, Uint32Argument(info, 0));
  const std::string_view after = ScratchText(self, &offset, Uint32Argument(info, 1));
  const auto max_bytes = static_cast<uint64_t>(DoubleArgument(info, 2));
  struct Read {
    std::string id;
    std::string event;
    std::string data;
  };
  std::vector<Read> read;  // nothing enters JavaScript under a lock
  const TopicNews news = ReadTopic(
      Registry::Get(), self.worker(), topic, after, max_bytes, [&](const OutgoingMessage& message) {
        read.push_back(
            {std::string(message.id), std::string(message.event), std::string(message.data)});
      });
  if (news.ring == 0) return info.Env().Undefined();
  const Napi::Array list = Napi::Array::New(info.Env());
  uint32_t length = 0;
  list.Set(length++, Number(info, static_cast<double>(news.ring)));
  list.Set(length++, Boolean(info, news.gap));
  list.Set(length++, Text(info, news.cursor.text()));
  for (const Read& message : read) {
    list.Set(length++, Text(info, message.id));
    list.Set(length++, Text(info, message.event));
    list.Set(length++, Bytes(info, message.data.data(), message.data.size()));
  }
  return list;
}

// replayUsage(): topics that are kept, messages kept, and the bytes of those.
Napi::Value JsReplayUsage(const Napi::CallbackInfo& info) {
  const ReplayRings::Usage usage = Registry::Get().rings().UsageOf();
  const Napi::Array list = Napi::Array::New(info.Env(), 3);
  list.Set(0u, Number(info, static_cast<double>(usage.rings)));
  list.Set(1u, Number(info, static_cast<double>(usage.events)));
  list.Set(2u, Number(info, static_cast<double>(usage.bytes)));
  return list;
}

}  // namespace

void ExportReplayFunctions(Napi::Env env, Napi::Object exports) {
  Export<JsKeepTopic>(env, exports, "keepTopic");
  Export<JsForgetTopic>(env, exports, "forgetTopic");
  Export<JsKeepsTopic>(env, exports, "keepsTopic");
  Export<JsSubscribeAfter>(env, exports, "subscribeAfter");
  Export<JsReadTopic>(env, exports, "readTopic");
  Export<JsReplayUsage>(env, exports, "replayUsage");
}

}  // namespace holdfast
