#include "binding/functions.h"
#include "binding/message_arguments.h"
#include "core/settle.h"

namespace holdfast {
namespace {

// What send answers beside a Status; src/native.ts knows it.
constexpr int32_t kQueued = -16;

// Sends, and says what became of it as `send` does.
Napi::Value Answer(const Napi::CallbackInfo& info, NodeWorker& self, StreamUid uid,
                   const OutgoingMessage& message) {
  switch (self.Send(uid, message)) {
    case Sender::Result::kSent:
      *self.frame().As<uint32_t>() = self.worker().cache.Find(uid)->handle();
      return Number(info, self.local_size());
    case Sender::Result::kQueued:
      return Number(info, kQueued);
    case Sender::Result::kFull:
      return Code(info, Status::kFull);
    case Sender::Result::kGone:
      break;
  }
  return Code(info, Status::kGone);
}

// send(uid, eventBytes, idBytes, keyBytes, dataBytes, retryMs, binary, large?): bytes encoded,
// kQueued, or a Status. When the stream is the calling thread's own, the encoded bytes are left in
// the local memory and the stream's handle in the frame's first word.
Napi::Value JsSend(const Napi::CallbackInfo& info) {
  NodeWorker& self = Self(info);
  const std::optional<StreamUid> uid = UidArgument(info, 0);
  if (!uid) return Code(info, Status::kInvalid);
  return Answer(info, self, *uid, MessageArguments(info, 1));
}

// sendAhead(uid, as before): to a stream of the calling thread, before all that waits.
Napi::Value JsSendAhead(const Napi::CallbackInfo& info) {
  NodeWorker& self = Self(info);
  const StreamUid uid = KnownUid(info, 0);
  if (OwnLine(info, uid) == nullptr || !self.SendAhead(uid, MessageArguments(info, 1))) {
    return Code(info, Status::kGone);
  }
  return Number(info, self.local_size());
}

// sendBytes(uid, dataBytes): the same for a message that is only data, binary, in the scratch
// memory.
Napi::Value JsSendBytes(const Napi::CallbackInfo& info) {
  NodeWorker& self = Self(info);
  const std::optional<StreamUid> uid = UidArgument(info, 0);
  if (!uid) return Code(info, Status::kInvalid);
  size_t offset = 0;
  OutgoingMessage message;
  message.data = ScratchText(self, &offset, Uint32Argument(info, 1));
  message.binary = true;
  return Answer(info, self, *uid, message);
}

Napi::Value AnswerText(const Napi::CallbackInfo& info, NodeWorker& self, StreamUid uid) {
  OutgoingMessage message;
  message.data = self.text();
  return Answer(info, self, uid, message);
}

// sendText(uid, text): the same for a message that is only data, a string known to fit the scratch
// memory. One call into the engine instead of two, as the text need not be written there first.
Napi::Value JsSendText(const Napi::CallbackInfo& info) {
  NodeWorker& self = Self(info);
  const std::optional<StreamUid> uid = UidArgument(info, 0);
  if (!uid) return Code(info, Status::kInvalid);
  const std::span<char> memory = self.text_memory();
  size_t size;
  CHECK(napi_get_value_string_utf8(info.Env(), info[1], memory.data(), memory.size(), &size) ==
        napi_ok);
  self.set_text_size(size);
  return AnswerText(info, self, *uid);
}

// sendTextAgain(uid): the same with the text of the call before, which then is not converted again.
Napi::Value JsSendTextAgain(const Napi::CallbackInfo& info) {
  const std::optional<StreamUid> uid = UidArgument(info, 0);
  if (!uid) return Code(info, Status::kInvalid);
  return AnswerText(info, Self(info), *uid);
}

// takeLocal(): the encoded bytes of the last own send, if they did not fit the local memory.
Napi::Value JsTakeLocal(const Napi::CallbackInfo& info) {
  const std::vector<uint8_t> bytes = Self(info).TakeLargeLocal();
  return Napi::Buffer<uint8_t>::Copy(info.Env(), bytes.data(), bytes.size());
}

// requestClose(uid, code, reasonBytes): of another worker's stream; status. The reason's text lies
// in the scratch memory.
Napi::Value JsRequestClose(const Napi::CallbackInfo& info) {
  NodeWorker& self = Self(info);
  const std::optional<StreamUid> uid = UidArgument(info, 0);
  if (!uid) return Code(info, Status::kInvalid);
  size_t offset = 0;
  const std::string_view reason = ScratchText(self, &offset, Uint32Argument(info, 2));
  const bool lives = self.sender().Close(*uid, Uint32Argument(info, 1), reason);
  return Code(info, lives ? Status::kOk : Status::kGone);
}

// sendAwaited(uid, as send): the same, and the frame's second number names the wait that kQueued
// begins, without the worker's number.
Napi::Value JsSendAwaited(const Napi::CallbackInfo& info) {
  NodeWorker& self = Self(info);
  const std::optional<StreamUid> uid = UidArgument(info, 0);
  if (!uid) return Code(info, Status::kInvalid);
  OutgoingMessage message = MessageArguments(info, 1);
  message.ticket = NewTicket(self.worker().id);
  const Napi::Value answer = Answer(info, self, *uid, message);
  self.frame().As<double>()[1] = static_cast<double>(message.ticket & ((uint64_t{1} << 48) - 1));
  return answer;
}

// settleAwaited(low, high, outcome): what became of a write that somebody waits for.
Napi::Value JsSettleAwaited(const Napi::CallbackInfo& info) {
  NodeWorker* self = SelfIfOpen(info);
  if (self == nullptr) return info.Env().Undefined();
  const Ticket ticket = uint64_t{Uint32Argument(info, 1)} << 32 | Uint32Argument(info, 0);
  self->carrier().SettleAwaited(ticket, static_cast<Outcome>(Uint32Argument(info, 2)));
  return info.Env().Undefined();
}

Napi::Value JsFlush(const Napi::CallbackInfo& info) {
  if (NodeWorker* self = SelfIfOpen(info)) self->sender().Flush();
  return info.Env().Undefined();
}

}  // namespace

void ExportSendFunctions(Napi::Env env, Napi::Object exports) {
  Export<JsSend>(env, exports, "send");
  Export<JsSendAhead>(env, exports, "sendAhead");
  Export<JsSendBytes>(env, exports, "sendBytes");
  Export<JsSendText>(env, exports, "sendText");
  Export<JsSendTextAgain>(env, exports, "sendTextAgain");
  Export<JsTakeLocal>(env, exports, "takeLocal");
  Export<JsRequestClose>(env, exports, "requestClose");
  Export<JsSendAwaited>(env, exports, "sendAwaited");
  Export<JsSettleAwaited>(env, exports, "settleAwaited");
  Export<JsFlush>(env, exports, "flush");
}

}  // namespace holdfast
