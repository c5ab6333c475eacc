// The part of OpenSSL's binary interface that is used (version 3, stable within it), declared anew:
// its types are opaque and few numbers are enough, so nothing of the core needs an include folder
// of node's. A test compares numbers and layouts with the library's own headers where those are
// installed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace holdfast::ossl {

struct Method;
struct Context;  // SSL_CTX
struct Ssl;
struct Bio;
struct BioMethod;
struct Certificate;  // X509
struct Crl;          // X509_CRL
struct Pkcs12;
struct Key;    // EVP_PKEY
struct Store;  // X509_STORE
struct StoreContext;
struct Cipher;
struct CipherContext;
struct MacContext;
struct Engine;
struct GeneralName;
struct Stack;
struct Asn1String;

struct Param {
  const char* key;
  unsigned int data_type;
  void* data;
  size_t data_size;
  size_t return_size;
};
enum : unsigned int { kParamText = 4, kParamBytes = 5 };

using PasswordCallback = int (*)(char* buffer, int size, int writing, void* argument);
using AlpnCallback = int (*)(Ssl*, const unsigned char** chosen, unsigned char* chosen_size,
                             const unsigned char* offered, unsigned int offered_size,
                             void* argument);
using VerifyCallback = int (*)(int ok, StoreContext*);
using ServerNameCallback = int (*)(Ssl*, int* alert, void* argument);
using TicketKeyCallback = int (*)(Ssl*, unsigned char* name, unsigned char* iv, CipherContext*,
                                  MacContext*, int sealing);
using BioWrite = int (*)(Bio*, const char*, int);
using BioRead = int (*)(Bio*, char*, int);
using BioControl = long (*)(Bio*, int command, long number, void* pointer);

// What the headers make of macros: SSL_CTX_set_mode(ctx, m) is SSL_CTX_ctrl(ctx, kMode, m,
// nullptr).
enum : int {
  kCtrlMode = 33,
  kCtrlSessionCacheMode = 44,
  kCtrlServerNameCallback = 53,
  kCtrlServerNameArgument = 54,
  kCtrlChainCertificate = 89,
  kCtrlGroups = 92,
  kCtrlSignatures = 98,
  kCtrlMinVersion = 123,
  kCtrlMaxVersion = 124,
};
enum : long { kModeReleaseBuffers = 0x10, kSessionCacheOff = 0 };
enum : uint64_t {
  kOptionNoCompression = uint64_t{1} << 17,
  kOptionServerPreference = uint64_t{1} << 22,
  kOptionNoRenegotiation = uint64_t{1} << 30,
};
enum : long { kTls12 = 0x0303, kTls13 = 0x0304 };
enum : unsigned long { kStoreCheckCrl = 4, kStoreCheckAllCrls = 8 };
enum : int { kVerifyNone = 0, kVerifyPeer = 1, kVerifyFailWithoutCertificate = 2 };
enum : int { kExtensionOk = 0, kExtensionFatal = 2, kExtensionIgnored = 3 };
enum : int { kErrorSsl = 1, kErrorWantRead = 2, kErrorZeroReturn = 6 };
enum : int { kHostName = 0, kSubjectAltName = 85, kDnsName = 2 };
enum : int {
  kBioSourceSink = 0x0400,
  kBioFlush = 11,
  kBioRead = 1,
  kBioRetry = 8,
  kBioRetryFlags = 0x0F,
};
inline constexpr unsigned long kErrorLibraryPem = 9;
inline constexpr unsigned long kPemNoStartLine = 108;

}  // namespace holdfast::ossl
