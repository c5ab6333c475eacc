// The TLS of one connection, server side, without its socket: what comes from the peer goes in, and
// what is for the peer comes out, in memory that a thread's connections share. So one read of the
// socket brings any number of records, one write takes all that a turn sealed, and no write of the
// library meets a socket that is full, or raises SIGPIPE.
//
// Threads: one.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "h2/tls_context.h"

namespace holdfast {

// Of a thread. Empty between two calls of a session.
struct TlsWire {
  std::span<const uint8_t> in;  // from the peer, not taken yet
  std::vector<uint8_t> out;     // for the peer
  std::vector<uint8_t> text;    // what the last Read opened
};

// What a client has shown of itself, in this handshake or in the one that it resumes.
struct ClientIdentity {
  bool asked = false;                // else nothing is known of it
  uint32_t verdict = 0;              // X509_V_OK, or why it is not trusted: X509_V_ERR_*
  std::vector<uint8_t> certificate;  // its own, in DER; empty: it has shown none
};

class TlsConnection {
 public:
  enum class Got : uint8_t {
    kText,
    kNothing,  // all of wire.in is taken
    kEnd,      // the peer has said that it sends no more
    kBroken,   // what the peer is to know of it is in wire.out
  };

  // nullptr for want of memory.
  static std::unique_ptr<TlsConnection> Open(std::shared_ptr<const TlsContext> context,
                                             TlsWire& wire);
  ~TlsConnection();
  TlsConnection(const TlsConnection&) = delete;
  TlsConnection& operator=(const TlsConnection&) = delete;

  // Whether the handshake is over, and it was for HTTP/2.
  bool ready() const { return ready_; }
  // To be asked for when it is ready. Made anew each time.
  ClientIdentity Client() const;

  // Goes on with wire.in, to be called until it has nothing. The text lies in wire.text.
  Got Read(std::span<const uint8_t>* text);
  // To wire.out. False if it cannot go on.
  bool Write(std::span<const uint8_t> text);
  // Tells the peer that nothing more comes.
  void Close();

 private:
  TlsConnection(std::shared_ptr<const TlsContext> context, TlsWire& wire, ossl::Ssl* ssl)
      : context_(std::move(context)), wire_(wire), ssl_(ssl) {}

  bool ChoseHttp2() const;
  // Whether the client has shown what the port requires.
  bool IsTrusted() const;

  // The library's callbacks look into it as long as `ssl_` is there.
  const std::shared_ptr<const TlsContext> context_;
  TlsWire& wire_;
  ossl::Ssl* const ssl_;
  bool ready_ = false;
  bool broken_ = false;
};

}  // namespace holdfast
