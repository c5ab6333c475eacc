// Real TCP connections on the loopback, and what the process holds open.
#pragma once

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "base/check.h"
#include "listener/socket.h"

namespace holdfast::test {

// Closes on every way out.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() { Close(); }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }
  void Close() {
    if (fd_ >= 0) CHECK(close(std::exchange(fd_, -1)) == 0);
  }

 private:
  int fd_ = -1;
};

inline Fd ConnectTo(uint16_t port, bool ipv6 = false) {
  Fd fd(socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0));
  CHECK(fd.get() >= 0);
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  v6.sin6_addr = in6addr_loopback;
  const auto* name = ipv6 ? reinterpret_cast<sockaddr*>(&v6) : reinterpret_cast<sockaddr*>(&v4);
  CHECK(connect(fd.get(), name, ipv6 ? sizeof v6 : sizeof v4) == 0);
  return fd;
}

// Both ends of one connection: the client's and the accepted one.
struct SocketPair {
  Fd client;
  Fd server;
};

inline SocketPair MakeConnection() {
  Fd listening(OpenListeningSocket({"127.0.0.1"}));
  CHECK(listening.get() >= 0);
  SocketPair connection;
  connection.client = ConnectTo(PortOf(listening.get()));
  connection.server = Fd(AcceptConnection(listening.get()));
  CHECK(connection.server.get() >= 0);
  return connection;
}

inline int OpenDescriptors() {
#if defined(__APPLE__)
  DIR* directory = opendir("/dev/fd");
#else
  DIR* directory = opendir("/proc/self/fd");
#endif
  CHECK(directory != nullptr);
  int count = 0;
  while (readdir(directory) != nullptr) count++;
  CHECK(closedir(directory) == 0);
  return count;
}

}  // namespace holdfast::test
