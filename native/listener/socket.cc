#include "listener/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "base/check.h"

namespace holdfast {
namespace {

constexpr uint8_t kMappedPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

socklen_t FillAddress(const ListenAddress& address, sockaddr_storage* out) {
  std::memset(out, 0, sizeof *out);
  auto* v4 = reinterpret_cast<sockaddr_in*>(out);
  if (inet_pton(AF_INET, address.host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address.port);
    return sizeof *v4;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(out);
  if (inet_pton(AF_INET6, address.host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(address.port);
    return sizeof *v6;
  }
  return 0;
}

bool Prepare(int fd, const ListenAddress& address, const sockaddr_storage& name, socklen_t size) {
  const int on = 1;
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) return false;
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) return false;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) return false;
  if (name.ss_family == AF_INET6) {
    const int only = address.ipv6_only ? 1 : 0;
    if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) != 0) return false;
  }
  return bind(fd, reinterpret_cast<const sockaddr*>(&name), size) == 0 &&
         listen(fd, address.backlog) == 0;
}

}  // namespace

int OpenListeningSocket(const ListenAddress& address) {
  sockaddr_storage name;
  const socklen_t size = FillAddress(address, &name);
  if (size == 0) {
    errno = EINVAL;
    return -1;
  }
  const int fd = socket(name.ss_family, SOCK_STREAM, 0);
  if (fd < 0) return -1;
  if (Prepare(fd, address, name, size)) return fd;
  const int error = errno;
  CHECK(close(fd) == 0);
  errno = error;
  return -1;
}

uint16_t PortOf(int fd) {
  sockaddr_storage name;
  socklen_t size = sizeof name;
  CHECK(getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) == 0);
  return ntohs(name.ss_family == AF_INET ? reinterpret_cast<sockaddr_in*>(&name)->sin_port
                                         : reinterpret_cast<sockaddr_in6*>(&name)->sin6_port);
}

int UnreadBytes(int fd) {
  int bytes = 0;
  return ioctl(fd, FIONREAD, &bytes) == 0 ? bytes : -1;
}

PeerAddress PeerOf(int fd) {
  PeerAddress peer;
  sockaddr_storage name;
  socklen_t size = sizeof name;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&name), &size) != 0) return peer;
  uint8_t bytes[16];
  if (name.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&name);
    std::memcpy(bytes, kMappedPrefix, sizeof kMappedPrefix);
    std::memcpy(bytes + sizeof kMappedPrefix, &v4->sin_addr, sizeof v4->sin_addr);
    peer.port = ntohs(v4->sin_port);
  } else if (name.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&name);
    std::memcpy(bytes, &v6->sin6_addr, sizeof bytes);
    peer.port = ntohs(v6->sin6_port);
  } else {
    return peer;
  }
  std::memcpy(peer.words.data(), bytes, sizeof bytes);
  return peer;
}

PeerAddress ParseAddress(const std::string& host, uint16_t port) {
  PeerAddress peer;
  uint8_t bytes[16];
  const std::string bare = host.substr(0, host.find('%'));  // without a zone (RFC 4007)
  if (inet_pton(AF_INET, bare.c_str(), bytes + 12) == 1) {
    std::memcpy(bytes, kMappedPrefix, sizeof kMappedPrefix);
  } else if (inet_pton(AF_INET6, bare.c_str(), bytes) != 1) {
    return peer;
  }
  std::memcpy(peer.words.data(), bytes, sizeof bytes);
  peer.port = port;
  return peer;
}

std::string FormatAddress(const PeerAddress& peer) {
  if (peer.words[0] == 0 && peer.words[1] == 0) return {};
  uint8_t bytes[16];
  std::memcpy(bytes, peer.words.data(), sizeof bytes);
  char text[INET6_ADDRSTRLEN];
  const bool mapped = std::memcmp(bytes, kMappedPrefix, sizeof kMappedPrefix) == 0;
  const char* formatted = mapped ? inet_ntop(AF_INET, bytes + 12, text, sizeof text)
                                 : inet_ntop(AF_INET6, bytes, text, sizeof text);
  CHECK(formatted != nullptr);
  return formatted;
}

}  // namespace holdfast
