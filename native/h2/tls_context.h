// The TLS of a port at one time: what its settings were made into. Never changed; a port that is
// given other certificates makes another, and connections keep the one they began with.
//
// Threads: any. Freed with the last connection that began with it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "h2/openssl_api.h"
#include "h2/tls_pem.h"
#include "h2/tls_settings.h"

namespace holdfast {

class TlsContext {
 public:
  // nullptr and a reason that begins with what it is about (`cert: no start line`). OpenSSL is
  // loaded.
  static std::shared_ptr<const TlsContext> Make(const TlsSettings& settings, std::string* why_not);
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // What connections are made of.
  ossl::Context* context() const { return contexts_.front().get(); }
  // Who answers to the name; nullptr if nobody does.
  ossl::Context* Find(std::string_view server_name) const;
  const TicketKeys& ticket_keys() const { return ticket_keys_; }

 private:
  using OwnedContext = std::unique_ptr<ossl::Context, void (*)(ossl::Context*)>;
  using OwnedStore = std::unique_ptr<ossl::Store, void (*)(ossl::Store*)>;
  using Names = std::map<std::string, ossl::Context*, std::less<>>;

  TlsContext();

  bool Fill(const TlsSettings& settings, std::string* why_not);
  bool ReadAuthorities(const std::string& pem, std::string* why_not);
  bool ReadRevocations(const std::string& pem, std::string* why_not);
  // Of the identity, with the chains and keys of it, and the rest alike for all.
  bool AddContext(const TlsSettings& settings, const TlsIdentity& identity, std::string* why_not);
  void Prepare(const TlsSettings& settings, ossl::Context* context);
  // Names given come before those that certificates have, and the first before a later one.
  bool AddName(std::string name, ossl::Context* context);

  OwnedStore store_;
  std::vector<OwnedCertificate> authorities_;
  std::vector<OwnedContext> contexts_;  // the first: for clients that name nobody who is here
  Names hosts_;
  Names domains_;  // of wildcards: what follows the first dot
  TicketKeys ticket_keys_{};
};

}  // namespace holdfast
