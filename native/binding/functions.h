// The functions the addon exports, by subject. src/native.ts declares each with its types.
#pragma once

#include <napi.h>

namespace holdfast {

void ExportWorkerFunctions(Napi::Env env, Napi::Object exports);
void ExportStreamFunctions(Napi::Env env, Napi::Object exports);
void ExportSendFunctions(Napi::Env env, Napi::Object exports);
void ExportFactFunctions(Napi::Env env, Napi::Object exports);
void ExportListenFunctions(Napi::Env env, Napi::Object exports);
void ExportTlsFunctions(Napi::Env env, Napi::Object exports);
void ExportTopicFunctions(Napi::Env env, Napi::Object exports);
void ExportReplayFunctions(Napi::Env env, Napi::Object exports);
void ExportRequestFunctions(Napi::Env env, Napi::Object exports);

template <Napi::Value (*kFunction)(const Napi::CallbackInfo&)>
void Export(Napi::Env env, Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<kFunction>(env, name));
}

}  // namespace holdfast
