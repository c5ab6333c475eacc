#if defined(__APPLE__)
#include <dlfcn.h>
#endif
#include <napi.h>

#include "binding/env_state.h"
#include "binding/functions.h"

namespace holdfast {
namespace {

#if defined(__APPLE__)
// Linux has it from the linker (binding.gyp): when the last worker that loaded it ends, threads and
// the registry live on.
bool StayLoaded() {
  Dl_info info;
  return dladdr(reinterpret_cast<const void*>(&StayLoaded), &info) != 0 &&
         dlopen(info.dli_fname, RTLD_LAZY | RTLD_NODELETE) != nullptr;
}
#else
bool StayLoaded() { return true; }
#endif

// Once per environment; the registry behind it is one for the process.
Napi::Object Init(Napi::Env env, Napi::Object exports) {
  if (!StayLoaded()) {
    Napi::Error::New(env, "holdfast could not be kept loaded").ThrowAsJavaScriptException();
    return exports;
  }
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
