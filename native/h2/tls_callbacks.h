// What the library asks during a handshake.
//
// Threads: any.
#pragma once

#include "h2/tls_context.h"

namespace holdfast {

class TlsCallbacks {
 public:
  // `owner` outlives the connections that are made of the context.
  static void Set(const TlsContext& owner, ossl::Context* context, ClientCertificates asked);
};

}  // namespace holdfast
