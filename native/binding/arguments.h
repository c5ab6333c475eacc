// Arguments of a call from the typed layer, which has checked them: a wrong type here is a fault of
// ours and ends the process.
//
// Threads: owner loop.
#pragma once

#include <napi.h>

#include <optional>
#include <string_view>

#include "base/check.h"
#include "base/status.h"
#include "base/uid.h"
#include "binding/env_state.h"

namespace holdfast {

// A bigint that is no unsigned 64-bit value names no stream; the typed layer throws on kInvalid.
inline std::optional<StreamUid> UidArgument(const Napi::CallbackInfo& info, size_t index) {
  uint64_t value;
  bool lossless;
  CHECK(napi_get_value_bigint_uint64(info.Env(), info[index], &value, &lossless) == napi_ok);
  if (!lossless || value == 0) return std::nullopt;
  return StreamUid{value};
}

// One that the typed layer has from here.
inline StreamUid KnownUid(const Napi::CallbackInfo& info, size_t index) {
  const std::optional<StreamUid> uid = UidArgument(info, index);
  CHECK(uid.has_value());
  return *uid;
}

inline uint32_t Uint32Argument(const Napi::CallbackInfo& info, size_t index) {
  uint32_t value;
  CHECK(napi_get_value_uint32(info.Env(), info[index], &value) == napi_ok);
  return value;
}

inline int32_t Int32Argument(const Napi::CallbackInfo& info, size_t index) {
  int32_t value;
  CHECK(napi_get_value_int32(info.Env(), info[index], &value) == napi_ok);
  return value;
}

inline double DoubleArgument(const Napi::CallbackInfo& info, size_t index) {
  double value;
  CHECK(napi_get_value_double(info.Env(), info[index], &value) == napi_ok);
  return value;
}

inline bool BoolArgument(const Napi::CallbackInfo& info, size_t index) {
  bool value;
  CHECK(napi_get_value_bool(info.Env(), info[index], &value) == napi_ok);
  return value;
}

inline Napi::Value Number(const Napi::CallbackInfo& info, double value) {
  return Napi::Number::New(info.Env(), value);
}
inline Napi::Value Code(const Napi::CallbackInfo& info, Status status) {
  return Number(info, static_cast<double>(status));
}
inline Napi::Value Boolean(const Napi::CallbackInfo& info, bool value) {
  return Napi::Boolean::New(info.Env(), value);
}

// The calling thread's worker. The typed layer refuses calls of a manager that is not open.
inline NodeWorker& Self(const Napi::CallbackInfo& info) {
  NodeWorker* worker = EnvState::Of(info.Env()).node_worker();
  CHECK(worker != nullptr);
  return *worker;
}

// The same for calls that may come late, from a callback that outlived the manager.
inline NodeWorker* SelfIfOpen(const Napi::CallbackInfo& info) {
  return EnvState::Of(info.Env()).node_worker();
}

// The line of a live stream of the calling thread; nullptr if it is gone or not this thread's.
inline StreamLine* OwnLine(const Napi::CallbackInfo& info, StreamUid uid) {
  NodeWorker* self = SelfIfOpen(info);
  if (self == nullptr || self->worker().id != uid.worker_id()) return nullptr;
  return self->worker().cache.Find(uid);
}

// Text of a call that lies in the scratch memory; advances `offset`.
inline std::string_view ScratchText(const NodeWorker& worker, size_t* offset, size_t size) {
  const std::span<uint8_t> bytes = worker.scratch().bytes();
  CHECK(size <= bytes.size() - *offset);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + *offset, size);
  *offset += size;
  return text;
}

}  // namespace holdfast
