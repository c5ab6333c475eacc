#include "h2/tls_callbacks.h"

#include <cstring>
#include <string_view>

#include "base/check.h"

namespace holdfast {
namespace {

constexpr int kApplicationData = 0;  // the index of SSL_CTX_set_app_data
constexpr size_t kKeyPart = 16;

int ChooseProtocol(ossl::Ssl*, const unsigned char** chosen, unsigned char* chosen_size,
                   const unsigned char* offered, unsigned int size, void*) {
  constexpr std::string_view kHttp2 = "h2";
  for (unsigned int at = 0; at < size; at += 1u + offered[at]) {
    const std::string_view one(reinterpret_cast<const char*>(offered) + at + 1, offered[at]);
    if (one != kHttp2) continue;
    *chosen = offered + at + 1;
    *chosen_size = offered[at];
    return ossl::kExtensionOk;
  }
  return ossl::kExtensionFatal;
}

int ChooseIdentity(ossl::Ssl* ssl, int*, void* argument) {
  const OpenSslApi& api = OpenSsl();
  const char* name = api.SSL_get_servername(ssl, ossl::kHostName);
  if (name == nullptr) return ossl::kExtensionIgnored;
  ossl::Context* context = static_cast<const TlsContext*>(argument)->Find(name);
  if (context == nullptr) return ossl::kExtensionIgnored;
  return api.SSL_set_SSL_CTX(ssl, context) != nullptr ? ossl::kExtensionOk : ossl::kExtensionFatal;
}

int AcceptAny(int, ossl::StoreContext*) { return 1; }

// Does what node's own servers do with their keys, so that each takes the other's tickets. -1: no
// handshake; 0: no such ticket; 1: done.
int UseTicketKey(ossl::Ssl* ssl, unsigned char* name, unsigned char* iv,
                 ossl::CipherContext* cipher, ossl::MacContext* mac, int sealing) {
  const OpenSslApi& api = OpenSsl();
  const auto* owner = static_cast<const TlsContext*>(
      api.SSL_CTX_get_ex_data(api.SSL_get_SSL_CTX(ssl), kApplicationData));
  const unsigned char* key_name = owner->ticket_keys().data();
  const unsigned char* mac_key = key_name + kKeyPart;
  const unsigned char* cipher_key = mac_key + kKeyPart;
  if (sealing != 0) {
    std::memcpy(name, key_name, kKeyPart);
    if (api.RAND_bytes(iv, kKeyPart) != 1) return -1;
  } else if (std::memcmp(name, key_name, kKeyPart) != 0) {
    return 0;
  }
  char key_text[] = "key";
  char digest_text[] = "digest";
  char digest[] = "SHA256";
  const ossl::Param parameters[] = {
      {key_text, ossl::kParamBytes, const_cast<unsigned char*>(mac_key), kKeyPart, 0},
      {digest_text, ossl::kParamText, digest, sizeof digest - 1, 0},
      {nullptr, 0, nullptr, 0, 0}};
  if (api.EVP_MAC_CTX_set_params(mac, parameters) != 1) return -1;
  const auto start = sealing != 0 ? api.EVP_EncryptInit_ex : api.EVP_DecryptInit_ex;
  return start(cipher, api.EVP_aes_128_cbc(), nullptr, cipher_key, iv) == 1 ? 1 : -1;
}

}  // namespace

void SetTlsCallbacks(const TlsContext& owner, ossl::Context* context, ClientCertificates asked) {
  const OpenSslApi& api = OpenSsl();
  auto* self = const_cast<TlsContext*>(&owner);
  CHECK(api.SSL_CTX_set_ex_data(context, kApplicationData, self) == 1);
  api.SSL_CTX_set_alpn_select_cb(context, ChooseProtocol, nullptr);
  CHECK(api.SSL_CTX_callback_ctrl(context, ossl::kCtrlServerNameCallback,
                                  reinterpret_cast<void (*)()>(ChooseIdentity)) == 1);
  CHECK(api.SSL_CTX_ctrl(context, ossl::kCtrlServerNameArgument, 0, self) == 1);
  CHECK(api.SSL_CTX_set_tlsext_ticket_key_evp_cb(context, UseTicketKey) == 1);
  switch (asked) {
    case ClientCertificates::kUnasked:
      api.SSL_CTX_set_verify(context, ossl::kVerifyNone, nullptr);
      break;
    case ClientCertificates::kRequested:
      api.SSL_CTX_set_verify(context, ossl::kVerifyPeer, AcceptAny);
      break;
    case ClientCertificates::kRequired:
      api.SSL_CTX_set_verify(context, ossl::kVerifyPeer | ossl::kVerifyFailWithoutCertificate,
                             nullptr);
      break;
  }
}

}  // namespace holdfast
