#include "h2/tls_pem.h"

#include <climits>
#include <cstring>

#include "base/check.h"

namespace holdfast {
namespace {

class PemText {
 public:
  explicit PemText(std::string_view pem) {
    if (pem.empty() || pem.size() > INT_MAX) return;
    bio_ = OpenSsl().BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    CHECK(bio_ != nullptr);
  }
  ~PemText() {
    if (bio_ != nullptr) (void)OpenSsl().BIO_free(bio_);
  }
  PemText(const PemText&) = delete;
  PemText& operator=(const PemText&) = delete;
  ossl::Bio* bio() const { return bio_; }

 private:
  ossl::Bio* bio_ = nullptr;
};

// Without it the library would ask at the terminal. -1: there is none, or it is too long.
int GivePassphrase(char* buffer, int size, int, void* argument) {
  const auto* passphrase = static_cast<const std::string*>(argument);
  if (passphrase == nullptr || passphrase->empty()) return -1;
  if (passphrase->size() > static_cast<size_t>(size)) return -1;
  return static_cast<int>(passphrase->copy(buffer, passphrase->size()));
}

// Whether reading stopped because there is nothing more to read.
bool AtEnd() {
  constexpr unsigned long kReasonMask = (1 << 23) - 1;
  const unsigned long error = OpenSsl().ERR_peek_last_error();
  return (error >> 23 & 0xFF) == ossl::kErrorLibraryPem &&
         (error & kReasonMask) == ossl::kPemNoStartLine;
}

template <typename Owned, typename Read, typename Free>
std::vector<Owned> ReadAll(std::string_view pem, Read read, Free free, std::string* why_not) {
  const OpenSslApi& api = OpenSsl();
  api.ERR_clear_error();
  std::vector<Owned> all;
  const PemText text(pem);
  while (text.bio() != nullptr) {
    Owned one(read(text.bio(), nullptr, GivePassphrase, nullptr), free);
    if (one == nullptr) break;
    all.push_back(std::move(one));
  }
  if (!all.empty() && AtEnd()) {
    api.ERR_clear_error();
    return all;
  }
  *why_not = text.bio() == nullptr ? "empty" : TakeOpenSslReason();
  return {};
}

}  // namespace

std::vector<OwnedCertificate> ReadCertificates(std::string_view pem, std::string* why_not) {
  return ReadAll<OwnedCertificate>(pem, OpenSsl().PEM_read_bio_X509_AUX, OpenSsl().X509_free,
                                   why_not);
}

std::vector<OwnedCrl> ReadCrls(std::string_view pem, std::string* why_not) {
  return ReadAll<OwnedCrl>(pem, OpenSsl().PEM_read_bio_X509_CRL, OpenSsl().X509_CRL_free, why_not);
}

OwnedKey ReadPrivateKey(std::string_view pem, const std::string& passphrase, std::string* why_not) {
  const OpenSslApi& api = OpenSsl();
  api.ERR_clear_error();
  const PemText text(pem);
  OwnedKey key(nullptr, api.EVP_PKEY_free);
  if (text.bio() == nullptr) {
    *why_not = "empty";
    return key;
  }
  key.reset(api.PEM_read_bio_PrivateKey(text.bio(), nullptr, GivePassphrase,
                                        const_cast<std::string*>(&passphrase)));
  if (key == nullptr) *why_not = TakeOpenSslReason();
  // Some decoders leave what they tried in vain.
  api.ERR_clear_error();
  return key;
}

std::vector<std::string> DnsNamesOf(const ossl::Certificate* certificate) {
  const OpenSslApi& api = OpenSsl();
  std::vector<std::string> names;
  auto* stack = static_cast<ossl::Stack*>(
      api.X509_get_ext_d2i(certificate, ossl::kSubjectAltName, nullptr, nullptr));
  const int count = stack == nullptr ? 0 : api.OPENSSL_sk_num(stack);
  for (int i = 0; i < count; i++) {
    int type = 0;
    const auto* value = static_cast<const ossl::Asn1String*>(api.GENERAL_NAME_get0_value(
        static_cast<const ossl::GeneralName*>(api.OPENSSL_sk_value(stack, i)), &type));
    if (type != ossl::kDnsName || value == nullptr) continue;
    names.emplace_back(reinterpret_cast<const char*>(api.ASN1_STRING_get0_data(value)),
                       static_cast<size_t>(api.ASN1_STRING_length(value)));
  }
  if (stack != nullptr) api.GENERAL_NAMES_free(stack);
  api.ERR_clear_error();
  return names;
}

}  // namespace holdfast
