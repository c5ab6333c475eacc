#include "h2/tls_connection.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/check.h"

namespace holdfast {
namespace {

constexpr size_t kRecord = 16 << 10;  // the most text of one (RFC 8446, section 5.1)

TlsWire& WireOf(ossl::Bio* bio) { return *static_cast<TlsWire*>(OpenSsl().BIO_get_data(bio)); }

int TakeIn(ossl::Bio* bio, char* to, int most) {
  const OpenSslApi& api = OpenSsl();
  std::span<const uint8_t>& in = WireOf(bio).in;
  api.BIO_clear_flags(bio, ossl::kBioRetryFlags);
  if (in.empty()) {
    api.BIO_set_flags(bio, ossl::kBioRead | ossl::kBioRetry);
    return -1;
  }
  const size_t size = std::min(in.size(), static_cast<size_t>(std::max(most, 0)));
  std::memcpy(to, in.data(), size);
  in = in.subspan(size);
  return static_cast<int>(size);
}

int PutOut(ossl::Bio* bio, const char* from, int size) {
  std::vector<uint8_t>& out = WireOf(bio).out;
  out.insert(out.end(), from, from + std::max(size, 0));
  return size;
}

long Control(ossl::Bio*, int command, long, void*) { return command == ossl::kBioFlush ? 1 : 0; }

// One for the process, never freed.
const ossl::BioMethod* WireMethod() {
  static const ossl::BioMethod* const method = [] {
    const OpenSslApi& api = OpenSsl();
    ossl::BioMethod* made = api.BIO_meth_new(ossl::kBioSourceSink, "holdfast");
    CHECK(made != nullptr);
    CHECK(api.BIO_meth_set_read(made, TakeIn) == 1);
    CHECK(api.BIO_meth_set_write(made, PutOut) == 1);
    CHECK(api.BIO_meth_set_ctrl(made, Control) == 1);
    return made;
  }();
  return method;
}

}  // namespace

std::unique_ptr<TlsConnection> TlsConnection::Open(std::shared_ptr<const TlsContext> context,
                                                   TlsWire& wire) {
  const OpenSslApi& api = OpenSsl();
  ossl::Ssl* ssl = api.SSL_new(context->context());
  ossl::Bio* bio = ssl == nullptr ? nullptr : api.BIO_new(WireMethod());
  if (bio == nullptr) {
    api.SSL_free(ssl);
    api.ERR_clear_error();
    return nullptr;
  }
  wire.text.resize(kRecord);
  api.BIO_set_data(bio, &wire);
  api.SSL_set_bio(ssl, bio, bio);  // and it frees it
  api.SSL_set_accept_state(ssl);
  return std::unique_ptr<TlsConnection>(new TlsConnection(std::move(context), wire, ssl));
}

TlsConnection::~TlsConnection() { OpenSsl().SSL_free(ssl_); }

TlsConnection::Got TlsConnection::Read(std::span<const uint8_t>* text) {
  const OpenSslApi& api = OpenSsl();
  if (broken_) return Got::kBroken;
  // SSL_get_error looks at the thread's queue, in which others may have left something.
  api.ERR_clear_error();
  const int count = api.SSL_read(ssl_, wire_.text.data(), static_cast<int>(wire_.text.size()));
  const int error = count > 0 ? 0 : api.SSL_get_error(ssl_, count);
  if (error != 0 && error != ossl::kErrorWantRead) api.ERR_clear_error();
  if (!ready_ && api.SSL_is_init_finished(ssl_) != 0) {
    ready_ = ChoseHttp2() && IsTrusted();
    if (!ready_) Close();
    broken_ = !ready_;
  }
  if (error == 0 && ready_) {
    *text = std::span<const uint8_t>(wire_.text).first(static_cast<size_t>(count));
    return Got::kText;
  }
  if (error == ossl::kErrorWantRead && !broken_) return Got::kNothing;
  if (error == ossl::kErrorZeroReturn && !broken_) return Got::kEnd;
  broken_ = true;
  return Got::kBroken;
}

// A client that offers protocols and not this one was refused; one that offers none is not.
bool TlsConnection::ChoseHttp2() const {
  const unsigned char* chosen = nullptr;
  unsigned int size = 0;
  OpenSsl().SSL_get0_alpn_selected(ssl_, &chosen, &size);
  return std::string_view(reinterpret_cast<const char*>(chosen), size) == "h2";
}

// A ticket may be of a time when clients were not asked, or taken untrusted. The library, on
// resuming, looks at neither.
bool TlsConnection::IsTrusted() const {
  const OpenSslApi& api = OpenSsl();
  if ((api.SSL_get_verify_mode(ssl_) & ossl::kVerifyFailWithoutCertificate) == 0) return true;
  return api.SSL_get0_peer_certificate(ssl_) != nullptr && api.SSL_get_verify_result(ssl_) == 0;
}

ClientIdentity TlsConnection::Client() const {
  const OpenSslApi& api = OpenSsl();
  ClientIdentity client;
  client.asked = (api.SSL_get_verify_mode(ssl_) & ossl::kVerifyPeer) != 0;
  const ossl::Certificate* certificate = api.SSL_get0_peer_certificate(ssl_);
  // A ticket may have one, of a time when clients were asked.
  if (!client.asked || certificate == nullptr) return client;
  client.verdict = static_cast<uint32_t>(api.SSL_get_verify_result(ssl_));
  const int size = api.i2d_X509(certificate, nullptr);
  CHECK(size > 0);  // it was read from just that
  client.certificate.resize(static_cast<size_t>(size));
  unsigned char* out = client.certificate.data();
  CHECK(api.i2d_X509(certificate, &out) == size);
  return client;
}

bool TlsConnection::Write(std::span<const uint8_t> text) {
  const OpenSslApi& api = OpenSsl();
  if (broken_) return false;
  const int size = static_cast<int>(text.size());
  // All or nothing: what it writes to takes everything.
  broken_ = api.SSL_write(ssl_, text.data(), size) != size;
  if (broken_) api.ERR_clear_error();
  return !broken_;
}

void TlsConnection::Close() {
  if (broken_) return;  // an alert has said it
  // In the middle of a handshake it does nothing.
  (void)OpenSsl().SSL_shutdown(ssl_);
  OpenSsl().ERR_clear_error();
}

}  // namespace holdfast
