// What a port's TLS is made of, as text: nothing of it has been looked at yet.
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

// Who the server is, under these names. Several pairs differ in the type of their key, and the
// client's algorithms choose.
struct TlsIdentity {
  std::vector<TlsKeyPair> pairs;
  std::vector<std::string> names;  // `host` or `*.domain`; none: those of the first certificate
};

enum class ClientCertificates : uint8_t {
  kUnasked,
  kRequested,  // one that is not trusted, or none, ends nothing
  kRequired,
};

struct TlsSettings {
  TlsIdentity identity;             // for a client that names no server, or one that is not here
  std::vector<TlsIdentity> others;  // chosen by the name that the client gives
  ClientCertificates client_certificates = ClientCertificates::kUnasked;
  std::string authorities;  // PEM: who may have signed a client's certificate
  bool tls13_only = false;  // else from TLS 1.2 on
  std::string ciphers;      // as OpenSSL lists them, those of TLS 1.3 by their TLS_ names
  // None: made at random.
  std::optional<TicketKeys> ticket_keys;
  // A ticket is taken by contexts of the same keys and the same text; up to 32 bytes.
  std::string session_id_context = "holdfast";
};

}  // namespace holdfast
