#include "binding/native_parts.h"

#include <cstdio>

namespace holdfast {
namespace {

// What process.versions says; 0 if it says nothing.
uint32_t VersionOf(Napi::Env env, const char* name) {
  const Napi::Value process = env.Global().Get("process");
  if (!process.IsObject()) return 0;
  const Napi::Value versions = process.As<Napi::Object>().Get("versions");
  if (!versions.IsObject()) return 0;
  const Napi::Value version = versions.As<Napi::Object>().Get(name);
  if (!version.IsString()) return 0;
  unsigned major = 0;
  unsigned minor = 0;
  unsigned patch = 0;
  const std::string text = version.As<Napi::String>();
  if (std::sscanf(text.c_str(), "%u.%u.%u", &major, &minor, &patch) < 2) return 0;
  return Nghttp2Version(major, minor, patch);
}

Nghttp2Found Look(Napi::Env env) {
  static Nghttp2Api api;
  Nghttp2Found found;
  if (ResolveNghttp2(LookUpInProcess, VersionOf(env, "nghttp2"), &api, &found.why_not)) {
    found.api = &api;
  }
  return found;
}

}  // namespace

const Nghttp2Found& FindNghttp2(Napi::Env env) {
  static const Nghttp2Found* const found = new Nghttp2Found(Look(env));  // for threads at exit
  return *found;
}

}  // namespace holdfast
