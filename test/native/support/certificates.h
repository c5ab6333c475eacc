// Certificates that are made when a test first needs one, by openssl's own command.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <map>
#include <string>

#include "h2/tls_settings.h"
#include "support/command.h"

namespace holdfast::test {

// Made once a process, in a folder that is gone before anybody sees it.
class Certificates {
 public:
  // Signed by the authority, for the hosts (`a.example,*.b.example`), the first of which it is
  // called by.
  static const TlsKeyPair& For(const std::string& hosts, const std::string& key = kElliptic) {
    static auto* const made = new std::map<std::string, TlsKeyPair>;
    TlsKeyPair& pair = (*made)[hosts + ' ' + key];
    if (pair.certificates.empty()) pair = Made(hosts, key, &Authority());
    return pair;
  }
  static const TlsKeyPair& Authority() {
    static const auto* const made = new TlsKeyPair(Made("authority", kElliptic, nullptr));
    return *made;
  }
  // Signed by nobody else.
  static const TlsKeyPair& Stranger() {
    static const auto* const made = new TlsKeyPair(Made("stranger", kElliptic, nullptr));
    return *made;
  }
  // The same pair, its key encrypted.
  static TlsKeyPair Encrypted(const TlsKeyPair& plain, const std::string& passphrase) {
    const Folder folder;
    folder.Write("key", plain.key);
    const std::string output =
        RunCommand("openssl pkcs8 -topk8 -v2 aes256 -passout pass:" + passphrase + " -in " +
                   folder.path("key") + " -out " + folder.path("encrypted"));
    CAPTURE(output);
    return {plain.certificates, ReadFile(folder.path("encrypted")), passphrase};
  }

  // In one, with the authority behind it; `options` may leave out a part (`-nokeys`).
  static TlsBundle Bundle(const TlsKeyPair& pair, const std::string& passphrase,
                          const std::string& options = "") {
    const Folder folder;
    folder.Write("key", pair.key);
    folder.Write("cert", pair.certificates);
    folder.Write("ca", Authority().certificates);
    const std::string output =
        RunCommand("openssl pkcs12 -export -in " + folder.path("cert") + " -inkey " +
                   folder.path("key") + " -certfile " + folder.path("ca") +
                   " -passout pass:" + passphrase + " -out " + folder.path("pfx") + ' ' + options);
    CAPTURE(output);
    return {ReadFile(folder.path("pfx")), passphrase};
  }
  // What the authority has revoked: nothing, in PEM.
  static std::string Revocations() {
    const Folder folder;
    folder.Write("config", "[ca]\ndefault_ca=it\n[it]\ndatabase=" + folder.path("index") +
                               "\ndefault_md=sha256\ndefault_crl_days=1\n");
    folder.Write("index", "");
    folder.Write("cert", Authority().certificates);
    folder.Write("key", Authority().key);
    const std::string output = RunCommand("openssl ca -gencrl -config " + folder.path("config") +
                                          " -cert " + folder.path("cert") + " -keyfile " +
                                          folder.path("key") + " -out " + folder.path("crl"));
    CAPTURE(output);
    return ReadFile(folder.path("crl"));
  }

  static constexpr const char* kElliptic = "ec -pkeyopt ec_paramgen_curve:prime256v1";
  static constexpr const char* kRsa = "rsa:2048";

 private:
  class Folder {
   public:
    Folder() { REQUIRE(mkdtemp(path_) != nullptr); }
    ~Folder() { (void)RunCommand(std::string("rm -r ") + path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::string path(const char* name) const { return std::string(path_) + '/' + name; }
    void Write(const char* name, const std::string& text) const {
      FILE* file = fopen(path(name).c_str(), "w");
      REQUIRE(file != nullptr);
      REQUIRE(fwrite(text.data(), 1, text.size(), file) == text.size());
      REQUIRE(fclose(file) == 0);
    }

   private:
    char path_[32] = "/tmp/holdfast-certs-XXXXXX";
  };

  static TlsKeyPair Made(const std::string& hosts, const std::string& key,
                         const TlsKeyPair* signer) {
    const Folder folder;
    std::string names;
    for (size_t at = 0; at <= hosts.size();) {
      const size_t end = std::min(hosts.find(',', at), hosts.size());
      names += (names.empty() ? "DNS:" : ",DNS:") + hosts.substr(at, end - at);
      at = end + 1;
    }
    std::string command = "openssl req -x509 -nodes -days 2 -newkey " + key +
                          " -subj '/CN=" + hosts.substr(0, hosts.find(',')) +
                          "' -addext 'subjectAltName=" + names + "' -keyout " + folder.path("key") +
                          " -out " + folder.path("cert");
    if (signer != nullptr) {
      folder.Write("ca", signer->certificates);
      folder.Write("ca-key", signer->key);
      command += " -CA " + folder.path("ca") + " -CAkey " + folder.path("ca-key") +
                 " -addext basicConstraints=critical,CA:FALSE";
    }
    const std::string output = RunCommand(command);
    CAPTURE(output);
    return {ReadFile(folder.path("cert")), ReadFile(folder.path("key")), ""};
  }
};

}  // namespace holdfast::test
