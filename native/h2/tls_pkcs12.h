// A key and its certificates out of one PKCS #12 file.
//
// Threads: any, once OpenSSL is loaded.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "h2/tls_pem.h"
#include "h2/tls_settings.h"

namespace holdfast {

struct KeyAndChain {
  OwnedKey key{nullptr, OpenSsl().EVP_PKEY_free};
  std::vector<OwnedCertificate> chain;  // the key's own first
};

// None and a reason that begins with `pfx: ` if it cannot be read or lacks one of the two.
std::optional<KeyAndChain> ReadPkcs12(const TlsBundle& bundle, std::string* why_not);

}  // namespace holdfast
