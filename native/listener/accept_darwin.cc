#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "listener/socket.h"

namespace holdfast {

int AcceptConnection(int listening_fd) {
  const int fd = accept(listening_fd, nullptr, nullptr);
  if (fd < 0) return -1;
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
      fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
    const int error = errno;
    CHECK(close(fd) == 0);
    errno = error;
    return -1;
  }
  // Refused only for a connection that is already broken; whoever reads it will be told.
  const int on = 1;
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  (void)setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
  return fd;
}

}  // namespace holdfast
