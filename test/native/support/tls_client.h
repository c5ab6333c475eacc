// A TLS client on OpenSSL, over a socket that does not block, driven step by step.
#pragma once

#include <errno.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "h2/tls_pem.h"
#include "support/openssl_library.h"

namespace holdfast::test {

struct TlsSession;  // the library's SSL_SESSION
using KeptTlsSession = std::shared_ptr<TlsSession>;

struct TlsClientOptions {
  std::string server_name = "localhost";
  std::string protocols = "\x02h2";  // of ALPN, as they are sent; none: the extension neither
  long version = 0;                  // no other one; 0: whichever
  const TlsKeyPair* identity = nullptr;
  KeptTlsSession session;  // to go on with
  const char* ciphers = nullptr;
};

class TlsClient {
 public:
  TlsClient(int fd, const TlsClientOptions& options) : fd_(fd), api_(LoadedOpenSsl()) {
    context_ = api_.SSL_CTX_new(OpenSslFunction<const ossl::Method* (*)()>("TLS_client_method")());
    REQUIRE(context_ != nullptr);
    if (options.version != 0) {
      constexpr int kCtrlMaxVersion = 124;
      REQUIRE(api_.SSL_CTX_ctrl(context_, ossl::kCtrlMinVersion, options.version, nullptr) == 1);
      REQUIRE(api_.SSL_CTX_ctrl(context_, kCtrlMaxVersion, options.version, nullptr) == 1);
    }
    if (options.ciphers != nullptr) {
      REQUIRE(api_.SSL_CTX_set_cipher_list(context_, options.ciphers) == 1);
    }
    if (options.identity != nullptr) Use(*options.identity);
    ssl_ = api_.SSL_new(context_);
    REQUIRE(ssl_ != nullptr);
    const auto memory = OpenSslFunction<const ossl::BioMethod* (*)()>("BIO_s_mem");
    from_server_ = api_.BIO_new(memory());
    to_server_ = api_.BIO_new(memory());
    api_.SSL_set_bio(ssl_, from_server_, to_server_);
    OpenSslFunction<void (*)(ossl::Ssl*)>("SSL_set_connect_state")(ssl_);
    if (!options.server_name.empty()) {
      constexpr int kCtrlHostName = 55;
      const auto control = OpenSslFunction<long (*)(ossl::Ssl*, int, long, void*)>("SSL_ctrl");
      REQUIRE(control(ssl_, kCtrlHostName, 0, const_cast<char*>(options.server_name.c_str())) == 1);
    }
    if (!options.protocols.empty()) {
      const auto offer =
          OpenSslFunction<int (*)(ossl::Ssl*, const char*, unsigned int)>("SSL_set_alpn_protos");
      REQUIRE(offer(ssl_, options.protocols.data(),
                    static_cast<unsigned int>(options.protocols.size())) == 0);
    }
    if (options.session != nullptr) {
      const auto use = OpenSslFunction<int (*)(ossl::Ssl*, TlsSession*)>("SSL_set_session");
      REQUIRE(use(ssl_, options.session.get()) == 1);
    }
  }
  ~TlsClient() {
    api_.SSL_free(ssl_);
    api_.SSL_CTX_free(context_);
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // Goes on as far as it can. Whether the handshake is over, well or not.
  bool Step() {
    TakeFromSocket();
    if (!connected_ && reason_.empty()) {
      const int result = OpenSslFunction<int (*)(ossl::Ssl*)>("SSL_do_handshake")(ssl_);
      connected_ = result == 1;
      if (!connected_) Judge(result);
    }
    GiveToSocket();
    return connected_ || !reason_.empty() || ended_;
  }
  bool connected() const { return connected_; }
  // Why it cannot go on: the server's alert, if it sent one.
  const std::string& reason() const { return reason_; }

  // All of it is taken; what the socket does not take goes with a later step.
  void Write(std::string_view bytes) {
    if (!bytes.empty() && connected_) {
      const int size = static_cast<int>(bytes.size());
      REQUIRE(api_.SSL_write(ssl_, bytes.data(), size) == size);
    }
    GiveToSocket();
  }
  bool holds_back() const { return !unsent_.empty(); }
  // Appends what there is. `ended`: the server has closed, with or without a word.
  void Read(std::string* to, bool* ended) {
    TakeFromSocket();
    char buffer[16 << 10];
    while (reason_.empty()) {
      const int count = api_.SSL_read(ssl_, buffer, sizeof buffer);
      if (count <= 0) {
        Judge(count);
        break;
      }
      to->append(buffer, static_cast<size_t>(count));
    }
    GiveToSocket();
    *ended = ended_ || closed_;
  }
  void Close() {
    (void)api_.SSL_shutdown(ssl_);
    GiveToSocket();
  }
  // TLS 1.3: new keys, and the server is asked for new ones of its own.
  void AskForKeyUpdate() {
    REQUIRE(OpenSslFunction<int (*)(ossl::Ssl*, int)>("SSL_key_update")(ssl_, 1) == 1);
    REQUIRE(OpenSslFunction<int (*)(ossl::Ssl*)>("SSL_do_handshake")(ssl_) == 1);
    GiveToSocket();
  }
  void AskForRenegotiation() {
    REQUIRE(OpenSslFunction<int (*)(ossl::Ssl*)>("SSL_renegotiate")(ssl_) == 1);
    connected_ = false;
    (void)Step();
  }
  // What is on its way to the server, for who wants to spoil it.
  std::string TakeUnsent() { return std::exchange(unsent_, {}); }

  // Whether the server said good-bye.
  bool closed() const { return closed_; }
  bool resumed() const { return OpenSslFunction<int (*)(ossl::Ssl*)>("SSL_session_reused")(ssl_); }
  int version() const { return OpenSslFunction<int (*)(ossl::Ssl*)>("SSL_version")(ssl_); }
  std::string protocol() const {
    const unsigned char* chosen = nullptr;
    unsigned int size = 0;
    api_.SSL_get0_alpn_selected(ssl_, &chosen, &size);
    return {reinterpret_cast<const char*>(chosen), size};
  }
  // The first host of the server's certificate.
  std::string server() const {
    const auto peer =
        OpenSslFunction<ossl::Certificate* (*)(const ossl::Ssl*)>("SSL_get1_peer_certificate");
    const OwnedCertificate certificate(peer(ssl_), api_.X509_free);
    if (certificate == nullptr) return "";
    const std::vector<std::string> names = DnsNamesOf(certificate.get());
    return names.empty() ? "" : names.front();
  }
  KeptTlsSession session() const {
    const auto get = OpenSslFunction<TlsSession* (*)(ossl::Ssl*)>("SSL_get1_session");
    return {get(ssl_), OpenSslFunction<void (*)(TlsSession*)>("SSL_SESSION_free")};
  }

 private:
  void Use(const TlsKeyPair& pair) {
    std::string why_not;
    const auto certificates = ReadCertificates(pair.certificates, &why_not);
    const OwnedKey key = ReadPrivateKey(pair.key, pair.passphrase, &why_not);
    REQUIRE(!certificates.empty());
    REQUIRE(api_.SSL_CTX_use_certificate(context_, certificates.front().get()) == 1);
    REQUIRE(api_.SSL_CTX_use_PrivateKey(context_, key.get()) == 1);
  }
  void Judge(int result) {
    const int error = api_.SSL_get_error(ssl_, result);
    if (error == ossl::kErrorZeroReturn) closed_ = true;
    if (error == ossl::kErrorSsl) reason_ = TakeOpenSslReason();
    api_.ERR_clear_error();
  }
  void TakeFromSocket() {
    const auto put = OpenSslFunction<int (*)(ossl::Bio*, const void*, int)>("BIO_write");
    char buffer[16 << 10];
    for (;;) {
      const ssize_t count = recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
      if (count == 0 || (count < 0 && errno != EAGAIN)) ended_ = true;
      if (count <= 0) return;
      REQUIRE(put(from_server_, buffer, static_cast<int>(count)) == count);
    }
  }
  void GiveToSocket() {
    const auto take = OpenSslFunction<int (*)(ossl::Bio*, void*, int)>("BIO_read");
    char buffer[16 << 10];
    for (int count; (count = take(to_server_, buffer, sizeof buffer)) > 0;) {
      unsent_.append(buffer, static_cast<size_t>(count));
    }
    while (!unsent_.empty()) {
      const ssize_t count = send(fd_, unsent_.data(), unsent_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count <= 0) return;
      unsent_.erase(0, static_cast<size_t>(count));
    }
  }

  const int fd_;
  const OpenSslApi& api_;
  ossl::Context* context_ = nullptr;
  ossl::Ssl* ssl_ = nullptr;
  ossl::Bio* from_server_ = nullptr;
  ossl::Bio* to_server_ = nullptr;
  std::string unsent_;
  std::string reason_;
  bool connected_ = false;
  bool closed_ = false;
  bool ended_ = false;
};

}  // namespace holdfast::test
