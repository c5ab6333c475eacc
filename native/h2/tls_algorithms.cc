#include "h2/tls_algorithms.h"

#include <algorithm>
#include <string_view>

#include "base/check.h"

namespace holdfast {
namespace {

// Those that HTTP/2 allows with TLS 1.2 (RFC 9113, section 9.2.2).
constexpr const char* kDefaultCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

// The library does not always say what it is that it does not know.
bool Unusable(const char* option, std::string* why_not) {
  const bool says = OpenSsl().ERR_peek_last_error() != 0;
  *why_not = std::string(option) + ": " + (says ? TakeOpenSslReason() : "unknown or none");
  return false;
}

void SetVersions(ossl::Context* context, TlsVersions versions) {
  const auto set = [&](int what, long version) {
    CHECK(OpenSsl().SSL_CTX_ctrl(context, what, version, nullptr) == 1);
  };
  const bool only13 = versions == TlsVersions::kOnly13;
  const bool only12 = versions == TlsVersions::kOnly12;
  set(ossl::kCtrlMinVersion, only13 ? ossl::kTls13 : ossl::kTls12);
  set(ossl::kCtrlMaxVersion, only12 ? ossl::kTls12 : ossl::kTls13);
}

// The library has two lists; names of TLS 1.3's begin with TLS_.
bool SetCiphers(ossl::Context* context, const TlsSettings& settings, std::string* why_not) {
  const OpenSslApi& api = OpenSsl();
  std::string older;
  std::string suites;
  for (std::string_view left = settings.ciphers; !left.empty();) {
    const size_t end = std::min(left.find(':'), left.size());
    const std::string_view name = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    std::string& list = name.starts_with("TLS_") ? suites : older;
    if (!list.empty()) list += ':';
    list += name;
  }
  if (older.empty()) {
    if (!suites.empty() && settings.versions != TlsVersions::kOnly13) {
      *why_not = "ciphers: none for TLS 1.2";
      return false;
    }
    older = kDefaultCiphers;
  }
  if (!suites.empty() && api.SSL_CTX_set_ciphersuites(context, suites.c_str()) != 1) {
    return Unusable("ciphers", why_not);
  }
  if (api.SSL_CTX_set_cipher_list(context, older.c_str()) == 1) return true;
  return Unusable("ciphers", why_not);
}

// None given: the library's own.
bool SetList(ossl::Context* context, int what, const std::string& list, const char* option,
             std::string* why_not) {
  if (list.empty()) return true;
  OpenSsl().ERR_clear_error();
  const int taken =
      static_cast<int>(OpenSsl().SSL_CTX_ctrl(context, what, 0, const_cast<char*>(list.c_str())));
  return taken == 1 || Unusable(option, why_not);
}

}  // namespace

bool SetTlsAlgorithms(ossl::Context* context, const TlsSettings& settings, std::string* why_not) {
  SetVersions(context, settings.versions);
  if (settings.own_cipher_order) {
    (void)OpenSsl().SSL_CTX_set_options(context, ossl::kOptionServerPreference);
  }
  return SetCiphers(context, settings, why_not) &&
         SetList(context, ossl::kCtrlGroups, settings.groups, "ecdhCurve", why_not) &&
         SetList(context, ossl::kCtrlSignatures, settings.signatures, "sigalgs", why_not);
}

}  // namespace holdfast
