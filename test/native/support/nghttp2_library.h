// The library, for binaries that are not node: Debian's own is loaded into the process.
#pragma once

#include <dlfcn.h>

#include <string>

#include "h2/nghttp2_api.h"
#include "support/doctest.h"

namespace holdfast::test {

inline void* LookUpInLibrary(const char* name) {
#if defined(__APPLE__)
  static void* const library = dlopen("libnghttp2.14.dylib", RTLD_NOW | RTLD_GLOBAL);
#else
  static void* const library = dlopen("libnghttp2.so.14", RTLD_NOW | RTLD_GLOBAL);
#endif
  return library == nullptr ? nullptr : LookUpInProcess(name);
}

inline const Nghttp2Api& LibraryApi() {
  static const Nghttp2Api api = [] {
    Nghttp2Api found;
    std::string why_not;
    const bool resolved = ResolveNghttp2(LookUpInLibrary, 0, &found, &why_not);
    CAPTURE(why_not);
    REQUIRE(resolved);
    return found;
  }();
  return api;
}

}  // namespace holdfast::test
