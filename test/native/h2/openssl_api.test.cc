#include "h2/openssl_api.h"

#include <cstring>

#include "support/openssl_library.h"

#if __has_include(<openssl/ssl.h>)
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#define HOLDFAST_HAS_HEADER 1
#endif

namespace holdfast::test {
namespace {

void* LookUpWithoutTickets(const char* name) {
  if (std::strcmp(name, "SSL_CTX_set_tlsext_ticket_key_evp_cb") == 0) return nullptr;
  return LookUpInOpenSsl(name);
}

unsigned long NumberOfBoringSsl() { return 0x1010107f; }
const char* NameOfBoringSsl(int) { return "OpenSSL 1.1.1 (compatible; BoringSSL)"; }
// It has hardly any function, as another library lacks some.
void* LookUpInBoringSsl(const char* name) {
  if (std::strcmp(name, "OpenSSL_version_num") == 0) {
    return reinterpret_cast<void*>(NumberOfBoringSsl);
  }
  if (std::strcmp(name, "OpenSSL_version") == 0) return reinterpret_cast<void*>(NameOfBoringSsl);
  return nullptr;
}

}  // namespace

TEST_CASE("every function of OpenSSL is found") {
  OpenSslApi api;
  std::string why_not;
  EXPECT(ResolveOpenSsl(LookUpInOpenSsl, &api, &why_not));
  EXPECT(why_not.empty());
}

TEST_CASE("an OpenSSL that lacks one function is not used, and which one is said") {
  OpenSslApi api;
  std::string why_not;
  EXPECT(!ResolveOpenSsl(LookUpWithoutTickets, &api, &why_not));
  EXPECT(why_not == "SSL_CTX_set_tlsext_ticket_key_evp_cb is not exported");
}

TEST_CASE("a library that is none of OpenSSL 3 is not used, and which one is said") {
  OpenSslApi api;
  std::string why_not;
  EXPECT(!ResolveOpenSsl(LookUpInBoringSsl, &api, &why_not));
  EXPECT(why_not == "OpenSSL 1.1.1 (compatible; BoringSSL) is not OpenSSL 3");
}

#if defined(HOLDFAST_HAS_HEADER)
TEST_CASE("the numbers and layouts declared here are those of OpenSSL's own headers") {
  static_assert(sizeof(ossl::Param) == sizeof(OSSL_PARAM));
  static_assert(offsetof(ossl::Param, data_type) == offsetof(OSSL_PARAM, data_type));
  static_assert(offsetof(ossl::Param, data) == offsetof(OSSL_PARAM, data));
  static_assert(offsetof(ossl::Param, data_size) == offsetof(OSSL_PARAM, data_size));
  static_assert(offsetof(ossl::Param, return_size) == offsetof(OSSL_PARAM, return_size));
  EXPECT(ossl::kParamText == OSSL_PARAM_UTF8_STRING);
  EXPECT(ossl::kParamBytes == OSSL_PARAM_OCTET_STRING);
  EXPECT(ossl::kCtrlMode == SSL_CTRL_MODE);
  EXPECT(ossl::kCtrlSessionCacheMode == SSL_CTRL_SET_SESS_CACHE_MODE);
  EXPECT(ossl::kCtrlServerNameCallback == SSL_CTRL_SET_TLSEXT_SERVERNAME_CB);
  EXPECT(ossl::kCtrlServerNameArgument == SSL_CTRL_SET_TLSEXT_SERVERNAME_ARG);
  EXPECT(ossl::kCtrlChainCertificate == SSL_CTRL_CHAIN_CERT);
  EXPECT(ossl::kCtrlGroups == SSL_CTRL_SET_GROUPS_LIST);
  EXPECT(ossl::kCtrlSignatures == SSL_CTRL_SET_SIGALGS_LIST);
  EXPECT(ossl::kCtrlMinVersion == SSL_CTRL_SET_MIN_PROTO_VERSION);
  EXPECT(ossl::kCtrlMaxVersion == SSL_CTRL_SET_MAX_PROTO_VERSION);
  EXPECT(ossl::kModeReleaseBuffers == SSL_MODE_RELEASE_BUFFERS);
  EXPECT(ossl::kSessionCacheOff == SSL_SESS_CACHE_OFF);
  EXPECT(ossl::kOptionNoCompression == SSL_OP_NO_COMPRESSION);
  EXPECT(ossl::kOptionServerPreference == SSL_OP_CIPHER_SERVER_PREFERENCE);
  EXPECT(ossl::kOptionNoRenegotiation == SSL_OP_NO_RENEGOTIATION);
  EXPECT(ossl::kTls12 == TLS1_2_VERSION);
  EXPECT(ossl::kTls13 == TLS1_3_VERSION);
  EXPECT(ossl::kStoreCheckCrl == X509_V_FLAG_CRL_CHECK);
  EXPECT(ossl::kStoreCheckAllCrls == X509_V_FLAG_CRL_CHECK_ALL);
  EXPECT(ossl::kVerifyNone == SSL_VERIFY_NONE);
  EXPECT(ossl::kVerifyPeer == SSL_VERIFY_PEER);
  EXPECT(ossl::kVerifyFailWithoutCertificate == SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
  EXPECT(ossl::kExtensionOk == SSL_TLSEXT_ERR_OK);
  EXPECT(ossl::kExtensionFatal == SSL_TLSEXT_ERR_ALERT_FATAL);
  EXPECT(ossl::kExtensionIgnored == SSL_TLSEXT_ERR_NOACK);
  EXPECT(ossl::kErrorSsl == SSL_ERROR_SSL);
  EXPECT(ossl::kErrorWantRead == SSL_ERROR_WANT_READ);
  EXPECT(ossl::kErrorZeroReturn == SSL_ERROR_ZERO_RETURN);
  EXPECT(ossl::kHostName == TLSEXT_NAMETYPE_host_name);
  EXPECT(ossl::kSubjectAltName == NID_subject_alt_name);
  EXPECT(ossl::kDnsName == GEN_DNS);
  EXPECT(ossl::kBioSourceSink == BIO_TYPE_SOURCE_SINK);
  EXPECT(ossl::kBioFlush == BIO_CTRL_FLUSH);
  EXPECT(ossl::kBioRead == BIO_FLAGS_READ);
  EXPECT(ossl::kBioRetry == BIO_FLAGS_SHOULD_RETRY);
  EXPECT(ossl::kBioRetryFlags == (BIO_FLAGS_RWS | BIO_FLAGS_SHOULD_RETRY));
  EXPECT(ossl::kErrorLibraryPem == ERR_LIB_PEM);
  EXPECT(ossl::kPemNoStartLine == PEM_R_NO_START_LINE);
}
#endif

}  // namespace holdfast::test
