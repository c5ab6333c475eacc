#include "h2/nghttp2_api.h"

#include <cstdio>

namespace holdfast {
namespace {

// The beginning of the library's own description of itself, since its age 1.
struct VersionInfo {
  int age;
  int version;
};

std::string VersionText(uint32_t version) {
  char text[32];
  std::snprintf(text, sizeof text, "%u.%u.%u", version >> 16, version >> 8 & 0xFF, version & 0xFF);
  return text;
}

}  // namespace

bool ResolveNghttp2(SymbolLookup look_up, uint32_t version, Nghttp2Api* out, std::string* why_not) {
#define HOLDFAST_RESOLVE(name, result, parameters)                              \
  out->name = reinterpret_cast<decltype(out->name)>(look_up("nghttp2_" #name)); \
  if (out->name == nullptr) {                                                   \
    *why_not = "nghttp2_" #name " is not exported";                             \
    return false;                                                               \
  }
  HOLDFAST_NGHTTP2_FUNCTIONS(HOLDFAST_RESOLVE)
#undef HOLDFAST_RESOLVE

  using VersionFunction = const VersionInfo* (*)(int least);
  const auto ask = reinterpret_cast<VersionFunction>(look_up("nghttp2_version"));
  if (ask != nullptr) {
    const VersionInfo* info = ask(0);
    if (info != nullptr) version = static_cast<uint32_t>(info->version);
  }
  if (version >= kOldestNghttp2 && version <= kNewestNghttp2) return true;
  *why_not = "nghttp2 " + VersionText(version) + " is none of " + VersionText(kOldestNghttp2) +
             " to " + VersionText(kNewestNghttp2 & ~0xFFu);
  return false;
}

}  // namespace holdfast
