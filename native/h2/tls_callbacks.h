// What the library asks during a handshake, on the thread that makes it.
#pragma once

#include "h2/tls_context.h"

namespace holdfast {

// `owner` outlives the connections that are made of the context.
void SetTlsCallbacks(const TlsContext& owner, ossl::Context* context, ClientCertificates asked);

}  // namespace holdfast
