// The half of a session that stands behind TLS.
#include "h2/session.h"

namespace holdfast {
namespace {

// What TLS itself may have to say to a peer that does not read: answers to its key updates.
constexpr size_t kMostUnsent = 1 << 20;

}  // namespace

void H2Session::FeedSealed(std::span<const uint8_t> bytes) {
  TlsWire& wire = context_.wire;
  wire.in = bytes;
  const bool was_ready = tls_->ready();
  for (bool more = true; more && tls_ != nullptr && !finished_;) {
    std::span<const uint8_t> text;
    switch (tls_->Read(&text)) {
      case TlsConnection::Got::kText:
        if (!Feed(text)) Discard(text.size());
        break;
      case TlsConnection::Got::kNothing:
        more = false;
        break;
      case TlsConnection::Got::kEnd:  // as with the peer's FIN: it hears no more
        tls_->Close();
        WriteSealed();
        Fail();
        break;
      case TlsConnection::Got::kBroken:
        Linger();
        break;
    }
  }
  wire.in = {};
  WriteSealed();
  if (!was_ready && tls_ != nullptr && tls_->ready()) {
    opened_ms_ = context_.now_ms;
    MarkDirty();
  }
}

void H2Session::CountClient(uint32_t bytes) {
  context_.held_bytes += uint64_t{bytes} - client_bytes_;
  client_bytes_ = bytes;
}

// To the socket, or behind what it has not taken yet.
void H2Session::WriteSealed() {
  std::vector<uint8_t>& out = context_.wire.out;
  if (out.empty()) return;
  const bool was_blocked = blocked();
  if (finished_ || !WriteOrKeep(fd_, out, &unsent_)) Fail();
  out.clear();
  if (!was_blocked && blocked()) blocked_ms_ = context_.now_ms;
  CountUnsent();
  if (TotalOf(unsent_) > kMostUnsent) Fail();
}

}  // namespace holdfast
