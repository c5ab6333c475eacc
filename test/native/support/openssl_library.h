// OpenSSL, for binaries that are not node: Debian's own is loaded into the process.
#pragma once

#include <dlfcn.h>

#include <string>

#include "h2/openssl_api.h"
#include "support/doctest.h"

namespace holdfast::test {

inline void* LookUpInOpenSsl(const char* name) {
#if defined(__APPLE__)
  static void* const library = dlopen("libssl.3.dylib", RTLD_NOW | RTLD_GLOBAL);
#else
  static void* const library = dlopen("libssl.so.3", RTLD_NOW | RTLD_GLOBAL);
#endif
  return library == nullptr ? nullptr : LookUpInProcess(name);
}

// The table of the process, filled.
inline const OpenSslApi& LoadedOpenSsl() {
  std::string why_not;
  const bool loaded = LoadOpenSsl(LookUpInOpenSsl, &why_not);
  CAPTURE(why_not);
  REQUIRE(loaded);
  return OpenSsl();
}

// What only the clients of the tests call.
template <typename Type>
Type OpenSslFunction(const char* name) {
  void* const address = LookUpInOpenSsl(name);
  CAPTURE(name);
  REQUIRE(address != nullptr);
  return reinterpret_cast<Type>(address);
}

}  // namespace holdfast::test
