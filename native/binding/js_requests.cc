// Requests of the native carrier, as (reactor, slot, generation). What is asked of one travels in
// the thread's outbox, which the caller has flushed at the end of its tick.
#include <algorithm>
#include <utility>

#include "binding/functions.h"
#include "binding/message_arguments.h"
#include "binding/native_parts.h"
#include "core/adoption.h"
#include "h2/fields.h"

namespace holdfast {
namespace {

RequestId RequestArgument(const Napi::CallbackInfo& info) {
  return {Uint32Argument(info, 0), Uint32Argument(info, 1), Uint32Argument(info, 2)};
}

void Ask(const Napi::CallbackInfo& info, MessageOp op, RequestHeader header = {},
         std::string_view bytes = {}) {
  NodeWorker* self = SelfIfOpen(info);
  if (self == nullptr) return;  // a callback that outlived the manager
  const RequestId id = RequestArgument(info);
  self->sender().Command(id.reactor, id.Pack(), op, header, bytes);
}

std::string_view BytesOf(const Napi::Value& value) {
  const auto bytes = value.As<Napi::Uint8Array>();
  return {reinterpret_cast<const char*>(bytes.Data()), bytes.ByteLength()};
}

// carriers(): why the native carrier cannot run; empty if it can.
Napi::Value JsCarriers(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), FindNghttp2(info.Env()).why_not);
}

// setTakesRequests(on): whether this thread answers requests of the native carrier.
Napi::Value JsSetTakesRequests(const Napi::CallbackInfo& info) {
  Self(info).SetTakesRequests(BoolArgument(info, 0));
  return info.Env().Undefined();
}

// requestHead(reactor, slot, generation, fieldBytes, flags, large?): the fields lie in the scratch
// memory, or are `large`.
Napi::Value JsRequestHead(const Napi::CallbackInfo& info) {
  NodeWorker* self = SelfIfOpen(info);
  if (self == nullptr) return info.Env().Undefined();
  size_t offset = 0;
  const std::string_view fields = info[5].IsTypedArray()
                                      ? BytesOf(info[5])
                                      : ScratchText(*self, &offset, Uint32Argument(info, 3));
  Ask(info, MessageOp::kRequestHead, {Uint32Argument(info, 4), 0}, fields);
  return info.Env().Undefined();
}

// requestWrite(reactor, slot, generation, bytes, reported)
Napi::Value JsRequestWrite(const Napi::CallbackInfo& info) {
  const uint32_t reported = BoolArgument(info, 4) ? 1 : 0;
  Ask(info, MessageOp::kRequestWrite, {reported, 0}, BytesOf(info[3]));
  return info.Env().Undefined();
}

// requestEnd(reactor, slot, generation, trailerBytes): trailers lie in the scratch memory.
Napi::Value JsRequestEnd(const Napi::CallbackInfo& info) {
  NodeWorker* self = SelfIfOpen(info);
  if (self == nullptr) return info.Env().Undefined();
  size_t offset = 0;
  Ask(info, MessageOp::kRequestEnd, {}, ScratchText(*self, &offset, Uint32Argument(info, 3)));
  return info.Env().Undefined();
}

// requestReset(reactor, slot, generation, code)
Napi::Value JsRequestReset(const Napi::CallbackInfo& info) {
  Ask(info, MessageOp::kRequestReset, {Uint32Argument(info, 3), 0});
  return info.Env().Undefined();
}

// requestConsume(reactor, slot, generation, bytes)
Napi::Value JsRequestConsume(const Napi::CallbackInfo& info) {
  Ask(info, MessageOp::kRequestConsume, {Uint32Argument(info, 3), 0});
  return info.Env().Undefined();
}

// requestDiscard(reactor, slot, generation)
Napi::Value JsRequestDiscard(const Napi::CallbackInfo& info) {
  Ask(info, MessageOp::kRequestDiscard);
  return info.Env().Undefined();
}

// requestGapOver(reactor, slot, generation)
Napi::Value JsRequestGapOver(const Napi::CallbackInfo& info) {
  Ask(info, MessageOp::kRequestGapOver);
  return info.Env().Undefined();
}

// requestAdopt(reactor, slot, generation, kind, tagBytes, policy, marksGaps): the uid, or a Status.
// The tags lie in the scratch memory; a policy below zero is the process's own.
Napi::Value JsRequestAdopt(const Napi::CallbackInfo& info) {
  NodeWorker& self = Self(info);
  size_t offset = 0;
  const std::string_view tags = ScratchText(self, &offset, Uint32Argument(info, 4));
  StreamFacts facts;
  facts.kind = static_cast<StreamKind>(Uint32Argument(info, 3));
  const int32_t policy = Int32Argument(info, 5);
  facts.policy = static_cast<SlowPolicy>(policy < 0 ? self.worker().options[Option::kOnSlow]
                                                    : static_cast<uint64_t>(policy));
  facts.marks_gaps = BoolArgument(info, 6);
  const Status status =
      AdoptRequest(Registry::Get(), self.worker(), RequestArgument(info), tags, &facts);
  if (!IsOk(status)) return Code(info, status);
  return Napi::BigInt::New(info.Env(), facts.uid.value);
}

// requestAhead(uid, endsGap, eventBytes, idBytes, keyBytes, dataBytes, retryMs, binary, large?): to
// a stream on a reactor, before all that waits for it; whether it was taken.
Napi::Value JsRequestAhead(const Napi::CallbackInfo& info) {
  const StreamUid uid = KnownUid(info, 0);
  const OutgoingMessage message = MessageArguments(info, 2);
  return Boolean(info, Self(info).sender().CommandAhead(uid, message, BoolArgument(info, 1)));
}

// reactorSocketClose(reactor, socket, generation): no new streams; it closes with its last.
Napi::Value JsReactorSocketClose(const Napi::CallbackInfo& info) {
  NodeWorker* self = SelfIfOpen(info);
  if (self == nullptr) return info.Env().Undefined();
  const uint32_t reactor = Uint32Argument(info, 0);
  self->sender().Command(reactor, RequestId{reactor, 0, 0}.Pack(), MessageOp::kSessionClose,
                         {Uint32Argument(info, 1), Uint32Argument(info, 2)});
  return info.Env().Undefined();
}

// reactorSocketIds(reactor, socket): as socketIds.
Napi::Value JsReactorSocketIds(const Napi::CallbackInfo& info) {
  Worker* reactor = Registry::Get().FindWorker(Uint32Argument(info, 0));
  const Napi::Array list = Napi::Array::New(info.Env());
  if (reactor == nullptr) return list;
  uint32_t length = 0;
  for (const uint32_t id : reactor->cache.SocketIds(Uint32Argument(info, 1))) {
    list.Set(length++, Number(info, id));
  }
  return list;
}

// setStaticAnswer(path, fields: Uint8Array | undefined, body: Uint8Array | undefined): without
// fields, the path has none any more.
Napi::Value JsSetStaticAnswer(const Napi::CallbackInfo& info) {
  std::string path = info[0].As<Napi::String>();
  StaticAnswers& answers = Registry::Get().static_answers();
  if (info[1].IsUndefined()) {
    answers.Remove(path);
    return info.Env().Undefined();
  }
  StaticAnswer answer;
  answer.fields = BytesOf(info[1]);
  answer.dated = !FindField(answer.fields, "date").empty();
  if (!info[2].IsUndefined()) {
    const std::string_view body = BytesOf(info[2]);
    answer.body = PayloadRef::Make(static_cast<uint32_t>(body.size()),
                                   [&](uint8_t* out) { std::copy(body.begin(), body.end(), out); });
  }
  answers.Set(std::move(path), std::move(answer));
  return info.Env().Undefined();
}

// staticAnswer(target): [fields, body | undefined] of a GET, or undefined; for requests that no
// reactor sees. Counts as given.
Napi::Value JsStaticAnswer(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  NodeWorker& self = Self(info);
  const std::string target = info[0].As<Napi::String>();
  const StaticAnswer* answer = self.static_answers().Find("GET", target);
  if (answer == nullptr) return env.Undefined();
  self.worker().counters.Add(Counter::kStaticAnswers);
  const auto copy = [&](const void* bytes, size_t size) -> Napi::Value {
    return Napi::Buffer<uint8_t>::Copy(env, static_cast<const uint8_t*>(bytes), size);
  };
  const Napi::Array pair = Napi::Array::New(env);
  pair.Set(0u, copy(answer->fields.data(), answer->fields.size()));
  if (answer->body) {
    const auto body = answer->body->bytes();
    pair.Set(1u, copy(body.data(), body.size()));
  }
  return pair;
}

}  // namespace

void ExportRequestFunctions(Napi::Env env, Napi::Object exports) {
  Export<JsCarriers>(env, exports, "carriers");
  Export<JsSetTakesRequests>(env, exports, "setTakesRequests");
  Export<JsRequestHead>(env, exports, "requestHead");
  Export<JsRequestWrite>(env, exports, "requestWrite");
  Export<JsRequestEnd>(env, exports, "requestEnd");
  Export<JsRequestReset>(env, exports, "requestReset");
  Export<JsRequestConsume>(env, exports, "requestConsume");
  Export<JsRequestDiscard>(env, exports, "requestDiscard");
  Export<JsRequestGapOver>(env, exports, "requestGapOver");
  Export<JsRequestAdopt>(env, exports, "requestAdopt");
  Export<JsRequestAhead>(env, exports, "requestAhead");
  Export<JsReactorSocketClose>(env, exports, "reactorSocketClose");
  Export<JsReactorSocketIds>(env, exports, "reactorSocketIds");
  Export<JsSetStaticAnswer>(env, exports, "setStaticAnswer");
  Export<JsStaticAnswer>(env, exports, "staticAnswer");
}

}  // namespace holdfast
