#include "h2/tls_context.h"

#include <optional>

#include "base/check.h"
#include "h2/tls_algorithms.h"
#include "h2/tls_callbacks.h"
#include "h2/tls_pkcs12.h"

namespace holdfast {
namespace {

constexpr size_t kMostSessionIdContext = 32;

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

bool Failed(std::string* why_not, const char* what) {
  *why_not = std::string(what) + ": " + TakeOpenSslReason();
  return false;
}

// What of an identity is said to be at fault.
struct Source {
  const char* certificate;
  const char* key;
};

bool UseKey(ossl::Context* context, const KeyAndChain& own, const Source& source,
            std::string* why_not) {
  const OpenSslApi& api = OpenSsl();
  if (api.SSL_CTX_use_certificate(context, own.chain.front().get()) != 1) {
    return Failed(why_not, source.certificate);
  }
  for (size_t i = 1; i < own.chain.size(); i++) {
    // 1: it takes a reference of its own.
    if (api.SSL_CTX_ctrl(context, ossl::kCtrlChainCertificate, 1, own.chain[i].get()) != 1) {
      return Failed(why_not, source.certificate);
    }
  }
  // A key of another type than the certificate's would be taken for one to come: hence the check.
  if (api.SSL_CTX_use_PrivateKey(context, own.key.get()) != 1 ||
      api.SSL_CTX_check_private_key(context) != 1) {
    return Failed(why_not, source.key);
  }
  return true;
}

std::optional<KeyAndChain> ReadPair(const TlsKeyPair& pair, std::string* why_not) {
  KeyAndChain read;
  read.chain = ReadCertificates(pair.certificates, why_not);
  if (read.chain.empty()) {
    why_not->insert(0, "cert: ");
    return std::nullopt;
  }
  read.key = ReadPrivateKey(pair.key, pair.passphrase, why_not);
  if (read.key != nullptr) return read;
  why_not->insert(0, "key: ");
  return std::nullopt;
}

}  // namespace

TlsContext::TlsContext() : store_(OpenSsl().X509_STORE_new(), OpenSsl().X509_STORE_free) {
  CHECK(store_ != nullptr);
}

std::shared_ptr<const TlsContext> TlsContext::Make(const TlsSettings& settings,
                                                   std::string* why_not) {
  std::shared_ptr<TlsContext> made(new TlsContext);
  if (!made->Fill(settings, why_not)) made.reset();
  OpenSsl().ERR_clear_error();
  return made;
}

bool TlsContext::Fill(const TlsSettings& settings, std::string* why_not) {
  OpenSsl().ERR_clear_error();
  if (settings.ticket_keys.has_value()) {
    ticket_keys_ = *settings.ticket_keys;
  } else if (OpenSsl().RAND_bytes(ticket_keys_.data(), sizeof ticket_keys_) != 1) {
    return Failed(why_not, "ticketKeys");
  }
  if (settings.session_id_context.size() > kMostSessionIdContext) {
    *why_not = "sessionIdContext: longer than 32 bytes";
    return false;
  }
  // What is given is looked at, needed or not.
  const bool judges = settings.client_certificates != ClientCertificates::kUnasked;
  if ((judges || !settings.authorities.empty()) &&
      !ReadAuthorities(settings.authorities, why_not)) {
    return false;
  }
  if (!settings.revocations.empty() && !ReadRevocations(settings.revocations, why_not)) {
    return false;
  }
  if (!AddContext(settings, settings.identity, why_not)) return false;
  for (size_t i = 0; i < settings.others.size(); i++) {
    if (AddContext(settings, settings.others[i], why_not)) continue;
    *why_not = "sni[" + std::to_string(i) + "]." + *why_not;
    return false;
  }
  return true;
}

bool TlsContext::ReadAuthorities(const std::string& pem, std::string* why_not) {
  authorities_ = ReadCertificates(pem, why_not);
  if (authorities_.empty()) {
    why_not->insert(0, "ca: ");
    return false;
  }
  for (const OwnedCertificate& one : authorities_) {
    if (OpenSsl().X509_STORE_add_cert(store_.get(), one.get()) != 1) return Failed(why_not, "ca");
  }
  return true;
}

bool TlsContext::ReadRevocations(const std::string& pem, std::string* why_not) {
  const OpenSslApi& api = OpenSsl();
  const std::vector<OwnedCrl> lists = ReadCrls(pem, why_not);
  if (lists.empty()) {
    why_not->insert(0, "crl: ");
    return false;
  }
  for (const OwnedCrl& one : lists) {
    if (api.X509_STORE_add_crl(store_.get(), one.get()) != 1) return Failed(why_not, "crl");
  }
  CHECK(api.X509_STORE_set_flags(store_.get(), ossl::kStoreCheckCrl | ossl::kStoreCheckAllCrls) ==
        1);
  return true;
}

bool TlsContext::AddContext(const TlsSettings& settings, const TlsIdentity& identity,
                            std::string* why_not) {
  const OpenSslApi& api = OpenSsl();
  ossl::Context* context = api.SSL_CTX_new(api.TLS_server_method());
  if (context == nullptr) return Failed(why_not, "context");
  const bool first = contexts_.empty();
  contexts_.emplace_back(context, api.SSL_CTX_free);
  // Before the certificates: a list may set the level by which they are judged.
  if (!SetTlsAlgorithms(context, settings, why_not)) return false;
  Prepare(settings, context);
  std::vector<std::string> names = identity.names;
  const auto use = [&](const std::optional<KeyAndChain>& own, const Source& source) {
    if (!own.has_value() || !UseKey(context, *own, source, why_not)) return false;
    if (names.empty()) names = DnsNamesOf(own->chain.front().get());
    return true;
  };
  for (const TlsKeyPair& pair : identity.pairs) {
    if (!use(ReadPair(pair, why_not), {"cert", "key"})) return false;
  }
  for (const TlsBundle& bundle : identity.bundles) {
    if (!use(ReadPkcs12(bundle, why_not), {"pfx", "pfx"})) return false;
  }
  if (identity.pairs.empty() && identity.bundles.empty()) {
    *why_not = "cert: empty";
    return false;
  }
  size_t added = 0;
  for (const std::string& name : names) {
    if (AddName(LowerCase(name), context)) {
      added++;
    } else if (!identity.names.empty()) {
      *why_not = "names: '" + name + "' is no host or *.domain, or was named before";
      return false;
    }
  }
  if (added > 0 || first) return true;
  *why_not = std::string(identity.pairs.empty() ? "pfx" : "cert");
  *why_not += ": names no host that was not named before";
  return false;
}

void TlsContext::Prepare(const TlsSettings& settings, ossl::Context* context) {
  const OpenSslApi& api = OpenSsl();
  (void)api.SSL_CTX_set_options(context, ossl::kOptionNoCompression | ossl::kOptionNoRenegotiation);
  const auto set = [&](int what, long value) { return api.SSL_CTX_ctrl(context, what, value, {}); };
  (void)set(ossl::kCtrlMode, ossl::kModeReleaseBuffers);
  // Tickets do it without any memory of ours.
  (void)set(ossl::kCtrlSessionCacheMode, ossl::kSessionCacheOff);
  const std::string& id = settings.session_id_context;
  CHECK(api.SSL_CTX_set_session_id_context(context,
                                           reinterpret_cast<const unsigned char*>(id.data()),
                                           static_cast<unsigned int>(id.size())) == 1);
  if (settings.client_certificates != ClientCertificates::kUnasked) {
    api.SSL_CTX_set1_cert_store(context, store_.get());
    for (const OwnedCertificate& one : authorities_) {
      CHECK(api.SSL_CTX_add_client_CA(context, one.get()) == 1);
    }
  }
  SetTlsCallbacks(*this, context, settings.client_certificates);
}

bool TlsContext::AddName(std::string name, ossl::Context* context) {
  const bool wildcard = name.starts_with("*.");
  if (wildcard) name.erase(0, 2);
  constexpr size_t kMostName = 253;
  if (name.empty() || name.size() > kMostName || name.find('*') != std::string::npos) return false;
  return (wildcard ? domains_ : hosts_).emplace(std::move(name), context).second;
}

ossl::Context* TlsContext::Find(std::string_view server_name) const {
  const std::string name = LowerCase(server_name);
  if (const auto host = hosts_.find(name); host != hosts_.end()) return host->second;
  const size_t dot = name.find('.');
  if (dot == std::string::npos) return nullptr;
  const auto domain = domains_.find(std::string_view(name).substr(dot + 1));
  return domain == domains_.end() ? nullptr : domain->second;
}

}  // namespace holdfast
