// What of TLS a port speaks: versions, ciphers, groups and signatures.
//
// Threads: any, once OpenSSL is loaded.
#pragma once

#include <string>

#include "h2/openssl_api.h"
#include "h2/tls_settings.h"

namespace holdfast {

// False and a reason that begins with the option it is about (`ciphers: no cipher match`).
bool SetTlsAlgorithms(ossl::Context* context, const TlsSettings& settings, std::string* why_not);

}  // namespace holdfast
