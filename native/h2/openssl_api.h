// The one table of OpenSSL's functions, all resolved before the first is called. Node exports the
// library for its addons; as with nghttp2 (h2/nghttp2_api.h) nothing is bound by the linker, so
// that a process without it (or with another library under the same names) still loads the addon
// and says why it has no TLS.
//
// Threads: immutable after construction.
#pragma once

#include <string>

#include "h2/openssl_abi.h"
#include "h2/symbols.h"

namespace holdfast {

// name, result, parameters
#define HOLDFAST_OPENSSL_FUNCTIONS(X)                                                              \
  X(OpenSSL_version, const char*, (int))                                                           \
  X(OpenSSL_version_num, unsigned long, ())                                                        \
  X(RAND_bytes, int, (unsigned char*, int))                                                        \
  X(ERR_clear_error, void, ())                                                                     \
  X(ERR_get_error, unsigned long, ())                                                              \
  X(ERR_peek_last_error, unsigned long, ())                                                        \
  X(ERR_reason_error_string, const char*, (unsigned long))                                         \
  X(BIO_new, ossl::Bio*, (const ossl::BioMethod*))                                                 \
  X(BIO_new_mem_buf, ossl::Bio*, (const void*, int))                                               \
  X(BIO_free, int, (ossl::Bio*))                                                                   \
  X(BIO_get_data, void*, (ossl::Bio*))                                                             \
  X(BIO_set_data, void, (ossl::Bio*, void*))                                                       \
  X(BIO_set_flags, void, (ossl::Bio*, int))                                                        \
  X(BIO_clear_flags, void, (ossl::Bio*, int))                                                      \
  X(BIO_meth_new, ossl::BioMethod*, (int, const char*))                                            \
  X(BIO_meth_set_write, int, (ossl::BioMethod*, ossl::BioWrite))                                   \
  X(BIO_meth_set_read, int, (ossl::BioMethod*, ossl::BioRead))                                     \
  X(BIO_meth_set_ctrl, int, (ossl::BioMethod*, ossl::BioControl))                                  \
  X(PEM_read_bio_X509_AUX, ossl::Certificate*,                                                     \
    (ossl::Bio*, ossl::Certificate**, ossl::PasswordCallback, void*))                              \
  X(PEM_read_bio_PrivateKey, ossl::Key*, (ossl::Bio*, ossl::Key**, ossl::PasswordCallback, void*)) \
  X(PEM_read_bio_X509_CRL, ossl::Crl*, (ossl::Bio*, ossl::Crl**, ossl::PasswordCallback, void*))   \
  X(d2i_PKCS12, ossl::Pkcs12*, (ossl::Pkcs12**, const unsigned char**, long))                      \
  X(PKCS12_parse, int,                                                                             \
    (ossl::Pkcs12*, const char*, ossl::Key**, ossl::Certificate**, ossl::Stack**))                 \
  X(PKCS12_free, void, (ossl::Pkcs12*))                                                            \
  X(EVP_PKEY_free, void, (ossl::Key*))                                                             \
  X(X509_free, void, (ossl::Certificate*))                                                         \
  X(X509_CRL_free, void, (ossl::Crl*))                                                             \
  X(i2d_X509, int, (const ossl::Certificate*, unsigned char**))                                    \
  X(X509_get_ext_d2i, void*, (const ossl::Certificate*, int, int*, int*))                          \
  X(GENERAL_NAMES_free, void, (ossl::Stack*))                                                      \
  X(GENERAL_NAME_get0_value, void*, (const ossl::GeneralName*, int*))                              \
  X(OPENSSL_sk_num, int, (const ossl::Stack*))                                                     \
  X(OPENSSL_sk_value, void*, (const ossl::Stack*, int))                                            \
  X(OPENSSL_sk_free, void, (ossl::Stack*))                                                         \
  X(ASN1_STRING_get0_data, const unsigned char*, (const ossl::Asn1String*))                        \
  X(ASN1_STRING_length, int, (const ossl::Asn1String*))                                            \
  X(X509_STORE_new, ossl::Store*, ())                                                              \
  X(X509_STORE_free, void, (ossl::Store*))                                                         \
  X(X509_STORE_add_cert, int, (ossl::Store*, ossl::Certificate*))                                  \
  X(X509_STORE_add_crl, int, (ossl::Store*, ossl::Crl*))                                           \
  X(X509_STORE_set_flags, int, (ossl::Store*, unsigned long))                                      \
  X(EVP_aes_128_cbc, const ossl::Cipher*, ())                                                      \
  X(EVP_EncryptInit_ex, int,                                                                       \
    (ossl::CipherContext*, const ossl::Cipher*, ossl::Engine*, const unsigned char*,               \
     const unsigned char*))                                                                        \
  X(EVP_DecryptInit_ex, int,                                                                       \
    (ossl::CipherContext*, const ossl::Cipher*, ossl::Engine*, const unsigned char*,               \
     const unsigned char*))                                                                        \
  X(EVP_MAC_CTX_set_params, int, (ossl::MacContext*, const ossl::Param*))                          \
  X(TLS_server_method, const ossl::Method*, ())                                                    \
  X(SSL_CTX_new, ossl::Context*, (const ossl::Method*))                                            \
  X(SSL_CTX_free, void, (ossl::Context*))                                                          \
  X(SSL_CTX_ctrl, long, (ossl::Context*, int, long, void*))                                        \
  X(SSL_CTX_callback_ctrl, long, (ossl::Context*, int, void (*)()))                                \
  X(SSL_CTX_set_options, uint64_t, (ossl::Context*, uint64_t))                                     \
  X(SSL_CTX_set_ex_data, int, (ossl::Context*, int, void*))                                        \
  X(SSL_CTX_get_ex_data, void*, (const ossl::Context*, int))                                       \
  X(SSL_CTX_set_alpn_select_cb, void, (ossl::Context*, ossl::AlpnCallback, void*))                 \
  X(SSL_CTX_set_cipher_list, int, (ossl::Context*, const char*))                                   \
  X(SSL_CTX_set_ciphersuites, int, (ossl::Context*, const char*))                                  \
  X(SSL_CTX_set_session_id_context, int, (ossl::Context*, const unsigned char*, unsigned int))     \
  X(SSL_CTX_set_tlsext_ticket_key_evp_cb, int, (ossl::Context*, ossl::TicketKeyCallback))          \
  X(SSL_CTX_set_verify, void, (ossl::Context*, int, ossl::VerifyCallback))                         \
  X(SSL_CTX_set1_cert_store, void, (ossl::Context*, ossl::Store*))                                 \
  X(SSL_CTX_add_client_CA, int, (ossl::Context*, ossl::Certificate*))                              \
  X(SSL_CTX_use_certificate, int, (ossl::Context*, ossl::Certificate*))                            \
  X(SSL_CTX_use_PrivateKey, int, (ossl::Context*, ossl::Key*))                                     \
  X(SSL_CTX_check_private_key, int, (const ossl::Context*))                                        \
  X(SSL_new, ossl::Ssl*, (ossl::Context*))                                                         \
  X(SSL_free, void, (ossl::Ssl*))                                                                  \
  X(SSL_set_bio, void, (ossl::Ssl*, ossl::Bio*, ossl::Bio*))                                       \
  X(SSL_set_accept_state, void, (ossl::Ssl*))                                                      \
  X(SSL_get_SSL_CTX, ossl::Context*, (const ossl::Ssl*))                                           \
  X(SSL_set_SSL_CTX, ossl::Context*, (ossl::Ssl*, ossl::Context*))                                 \
  X(SSL_get_servername, const char*, (const ossl::Ssl*, int))                                      \
  X(SSL_get0_alpn_selected, void, (const ossl::Ssl*, const unsigned char**, unsigned int*))        \
  X(SSL_get0_peer_certificate, ossl::Certificate*, (const ossl::Ssl*))                             \
  X(SSL_get_verify_mode, int, (const ossl::Ssl*))                                                  \
  X(SSL_get_verify_result, long, (const ossl::Ssl*))                                               \
  X(SSL_is_init_finished, int, (const ossl::Ssl*))                                                 \
  X(SSL_read, int, (ossl::Ssl*, void*, int))                                                       \
  X(SSL_write, int, (ossl::Ssl*, const void*, int))                                                \
  X(SSL_shutdown, int, (ossl::Ssl*))                                                               \
  X(SSL_get_error, int, (const ossl::Ssl*, int))

struct OpenSslApi {
// NOLINTNEXTLINE(bugprone-macro-parentheses): a declaration takes none.
#define HOLDFAST_DECLARE(name, result, parameters) result(*name) parameters;
  HOLDFAST_OPENSSL_FUNCTIONS(HOLDFAST_DECLARE)
#undef HOLDFAST_DECLARE
};

// False with a reason when a function is missing, or when the library is none of version 3.
bool ResolveOpenSsl(SymbolLookup look_up, OpenSslApi* out, std::string* why_not);

// Makes the table of the process, once: what the first call found is what every later one answers.
bool LoadOpenSsl(SymbolLookup look_up, std::string* why_not);
// That table, once it is there. One for all, since the library calls back with nothing of ours.
const OpenSslApi& OpenSsl();

// Why the last call of this thread failed, in the library's words; empties its queue of errors.
std::string TakeOpenSslReason();

}  // namespace holdfast
