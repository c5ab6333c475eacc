// The few system calls on TCP sockets that the listener and the sessions' watch need.
//
// Threads: any.
#pragma once

#include <string>

#include "base/status.h"
#include "core/stream_facts.h"

namespace holdfast {

struct ListenAddress {
  std::string host;  // a literal IPv4 or IPv6 address
  uint16_t port = 0;
  int backlog = 511;
  bool ipv6_only = false;
};

// A non-blocking listening socket; -1 on failure, errno tells. EINVAL: host is no literal address.
int OpenListeningSocket(const ListenAddress& address);
// The port it was given.
uint16_t PortOf(int fd);

// A non-blocking, close-on-exec connection without Nagle's delay; -1 when there is none, errno
// tells. One file a platform.
int AcceptConnection(int listening_fd);

// Bytes received and not yet read; -1 on failure.
int UnreadBytes(int fd);

// Of the other end; all zero if the connection is broken.
PeerAddress PeerOf(int fd);
// nullopt-like: all zero if the text is no address.
PeerAddress ParseAddress(const std::string& host, uint16_t port);
std::string FormatAddress(const PeerAddress& peer);

}  // namespace holdfast
