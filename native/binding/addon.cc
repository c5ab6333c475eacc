#include <napi.h>

#include "binding/env_state.h"
#include "binding/functions.h"

namespace holdfast {
namespace {

// Once per environment; the registry behind it is one for the process.
Napi::Object Init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new EnvState);
  ExportWorkerFunctions(env, exports);
  ExportStreamFunctions(env, exports);
  ExportSendFunctions(env, exports);
  ExportFactFunctions(env, exports);
  ExportListenFunctions(env, exports);
  ExportTlsFunctions(env, exports);
  ExportTopicFunctions(env, exports);
  ExportReplayFunctions(env, exports);
  ExportRequestFunctions(env, exports);
  return exports;
}

}  // namespace
}  // namespace holdfast

using holdfast::Init;
NODE_API_MODULE(holdfast, Init)
