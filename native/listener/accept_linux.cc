#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "listener/socket.h"

namespace holdfast {

int AcceptConnection(int listening_fd) {
  const int fd = accept4(listening_fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return -1;
  // Refused only for a connection that is already broken; whoever reads it will be told.
  const int on = 1;
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

}  // namespace holdfast
