// What a port's TLS is made of, as text and bytes: nothing of it has been looked at yet.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

// As node's server.setTicketKeys takes them: 16 bytes of name, 16 of HMAC-SHA-256, 16 of AES-128.
using TicketKeys = std::array<uint8_t, 48>;

// PEM. The chain follows its certificate.
struct TlsKeyPair {
  std::string certificates;
  std::string key;
  std::string passphrase;
};

// PKCS #12, in DER: a key, its certificate and the chain of it.
struct TlsBundle {
  std::string bytes;
  std::string passphrase;
};

// Who the server is, under these names. Several keys differ in their type, and the client's
// algorithms choose.
struct TlsIdentity {
  std::vector<TlsKeyPair> pairs;
  std::vector<TlsBundle> bundles;
  std::vector<std::string> names;  // `host` or `*.domain`; none: those of the first certificate
};

enum class ClientCertificates : uint8_t {
  kUnasked,
  kRequested,  // one that is not trusted, or none, ends nothing
  kRequired,
};

enum class TlsVersions : uint8_t { kBoth, kOnly12, kOnly13 };

struct TlsSettings {
  TlsIdentity identity;             // for a client that names no server, or one that is not here
  std::vector<TlsIdentity> others;  // chosen by the name that the client gives
  ClientCertificates client_certificates = ClientCertificates::kUnasked;
  std::string authorities;  // PEM: who may have signed a client's certificate
  std::string revocations;  // PEM: lists of revoked certificates. Given: one of each authority
  TlsVersions versions = TlsVersions::kBoth;
  // Lists as OpenSSL has them; none: its own choice, or HTTP/2's for the ciphers.
  std::string ciphers;  // those of TLS 1.3 by their TLS_ names
  std::string groups;
  std::string signatures;
  bool own_cipher_order = true;  // else the client's
  // None: made at random.
  std::optional<TicketKeys> ticket_keys;
  // A ticket is taken by contexts of the same keys and the same text; up to 32 bytes.
  std::string session_id_context = "holdfast";
};

}  // namespace holdfast
