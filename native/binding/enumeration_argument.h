// An enumeration that JavaScript holds between two calls.
//
// Threads: owner loop.
#pragma once

#include <napi.h>

#include "base/check.h"
#include "core/enumerate.h"

namespace holdfast {

inline constexpr napi_type_tag kEnumerationTag = {0x6d1f0a7c55e04c1b, 0x9a3b64d2f0e871c4};

// nullptr only when the thread is being terminated.
inline Enumeration* EnumerationArgument(const Napi::CallbackInfo& info, size_t index) {
  const auto external = info[index].As<Napi::External<Enumeration>>();
  bool is_enumeration;
  if (napi_check_object_type_tag(info.Env(), external, &kEnumerationTag, &is_enumeration) !=
      napi_ok) {
    return nullptr;
  }
  CHECK(is_enumeration);
  return external.Data();
}

}  // namespace holdfast
