#include "binding/arguments.h"
#include "binding/functions.h"
#include "binding/native_parts.h"

namespace holdfast {
namespace {

// open(values: Float64Array, explicit, onBatch, arena, scratch, local, frame): worker number or
// status. The options in force are left in the frame.
Napi::Value JsOpen(const Napi::CallbackInfo& info) {
  EnvState& state = EnvState::Of(info.Env());
  if (state.node_worker() != nullptr) return Code(info, Status::kClosed);  // about to leave
  const auto values = info[0].As<Napi::Float64Array>();
  CHECK(values.ElementLength() == kOptions);
  Options options;
  for (uint32_t i = 0; i < kOptions; i++) {
    options[static_cast<Option>(i)] = static_cast<uint64_t>(values[i]);
  }
  const NodeWorker::Memory memory{
      info[2].As<Napi::Function>(),   info[3].As<Napi::Uint8Array>(),
      info[4].As<Napi::Uint8Array>(), info[5].As<Napi::Uint8Array>(),
      info[6].As<Napi::Uint8Array>(),
  };
  NodeWorker* worker;
  const Status status = NodeWorker::Open(info.Env(), options, Uint32Argument(info, 1), memory,
                                         FindNghttp2(info.Env()).api, &worker);
  if (!IsOk(status)) return Code(info, status);
  state.set_node_worker(worker);
  auto* in_force = worker->frame().As<double>();
  for (uint32_t i = 0; i < kOptions; i++) {
    in_force[i] = static_cast<double>(worker->worker().options[static_cast<Option>(i)]);
  }
  return Number(info, worker->worker().id);
}

Napi::Value JsLeave(const Napi::CallbackInfo& info) {
  Self(info).Leave(CloseReason::kManager);
  return info.Env().Undefined();
}

Napi::Value JsSetRef(const Napi::CallbackInfo& info) {
  Self(info).SetRef(BoolArgument(info, 0));
  return info.Env().Undefined();
}

Napi::Value JsSetAccepting(const Napi::CallbackInfo& info) {
  Self(info).SetAccepting(BoolArgument(info, 0));
  return info.Env().Undefined();
}

// settle(delivered, undeliverable): what became of the batch's messages.
Napi::Value JsSettle(const Napi::CallbackInfo& info) {
  NodeWorker* self = SelfIfOpen(info);
  if (self != nullptr) self->carrier().Settle(Uint32Argument(info, 0), Uint32Argument(info, 1));
  return info.Env().Undefined();
}

}  // namespace

void ExportWorkerFunctions(Napi::Env env, Napi::Object exports) {
  Export<JsOpen>(env, exports, "open");
  Export<JsLeave>(env, exports, "leave");
  Export<JsSetRef>(env, exports, "setRef");
  Export<JsSetAccepting>(env, exports, "setAccepting");
  Export<JsSettle>(env, exports, "settle");
}

}  // namespace holdfast
