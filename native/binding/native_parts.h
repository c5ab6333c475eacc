// What the native carrier needs of the running node, looked for once.
//
// Threads: any.
#pragma once

#include <napi.h>

#include <string>

#include "h2/nghttp2_api.h"

namespace holdfast {

struct Nghttp2Found {
  const Nghttp2Api* api = nullptr;  // nullptr: it cannot be used
  std::string why_not;
};

const Nghttp2Found& FindNghttp2(Napi::Env env);

}  // namespace holdfast
