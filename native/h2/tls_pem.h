// Certificates, lists of revoked ones, and keys out of PEM text.
//
// Threads: any, once OpenSSL is loaded.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "h2/openssl_api.h"

namespace holdfast {

using OwnedCertificate = std::unique_ptr<ossl::Certificate, void (*)(ossl::Certificate*)>;
using OwnedCrl = std::unique_ptr<ossl::Crl, void (*)(ossl::Crl*)>;
using OwnedKey = std::unique_ptr<ossl::Key, void (*)(ossl::Key*)>;

// All of the text, in its order. None, and a reason, if there is none or one cannot be read.
std::vector<OwnedCertificate> ReadCertificates(std::string_view pem, std::string* why_not);
std::vector<OwnedCrl> ReadCrls(std::string_view pem, std::string* why_not);

// nullptr and a reason if there is none that can be read. Never asks anybody for a passphrase.
OwnedKey ReadPrivateKey(std::string_view pem, const std::string& passphrase, std::string* why_not);

// The hosts that it is for (RFC 6125, section 6.4): its DNS names, wildcards among them.
std::vector<std::string> DnsNamesOf(const ossl::Certificate* certificate);

}  // namespace holdfast
