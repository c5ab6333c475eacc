#include "h2/tls_pkcs12.h"

#include <climits>
#include <memory>

namespace holdfast {
namespace {

using OwnedPkcs12 = std::unique_ptr<ossl::Pkcs12, void (*)(ossl::Pkcs12*)>;

std::nullopt_t Unusable(std::string reason, std::string* why_not) {
  *why_not = "pfx: " + std::move(reason);
  OpenSsl().ERR_clear_error();
  return std::nullopt;
}

}  // namespace

std::optional<KeyAndChain> ReadPkcs12(const TlsBundle& bundle, std::string* why_not) {
  const OpenSslApi& api = OpenSsl();
  api.ERR_clear_error();
  if (bundle.bytes.empty()) return Unusable("empty", why_not);
  if (bundle.bytes.size() > INT_MAX) return Unusable("too long", why_not);
  const auto* at = reinterpret_cast<const unsigned char*>(bundle.bytes.data());
  const OwnedPkcs12 pkcs12(api.d2i_PKCS12(nullptr, &at, static_cast<long>(bundle.bytes.size())),
                           api.PKCS12_free);
  if (pkcs12 == nullptr) return Unusable(TakeOpenSslReason(), why_not);
  ossl::Key* key = nullptr;
  ossl::Certificate* certificate = nullptr;
  ossl::Stack* others = nullptr;
  // An empty passphrase is tried as none, too.
  if (api.PKCS12_parse(pkcs12.get(), bundle.passphrase.c_str(), &key, &certificate, &others) != 1) {
    return Unusable(TakeOpenSslReason(), why_not);
  }
  KeyAndChain read;
  read.key.reset(key);
  read.chain.emplace_back(certificate, api.X509_free);
  const int count = others == nullptr ? 0 : api.OPENSSL_sk_num(others);
  for (int i = 0; i < count; i++) {
    read.chain.emplace_back(static_cast<ossl::Certificate*>(api.OPENSSL_sk_value(others, i)),
                            api.X509_free);
  }
  // Its own memory only: the certificates have owners by now.
  if (others != nullptr) api.OPENSSL_sk_free(others);
  if (key == nullptr) return Unusable("has no key", why_not);
  if (certificate == nullptr) return Unusable("has no certificate of its key", why_not);
  api.ERR_clear_error();
  return read;
}

}  // namespace holdfast
