// The TLS of a port as the typed layer gives it: src/tls.ts.
//
// Threads: owner loop.
#pragma once

#include <napi.h>

#include "h2/tls_port.h"

namespace holdfast {

TlsSettings TlsArgument(const Napi::CallbackInfo& info, size_t index);

}  // namespace holdfast
