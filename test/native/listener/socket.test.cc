#include "listener/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>

#include "support/doctest.h"
#include "support/sockets.h"
#include "support/threads.h"

namespace holdfast::test {

TEST_CASE("an accepted connection does not wait to gather bytes, block, or reach a child process") {
  const SocketPair connection = MakeConnection();
  const int fd = connection.server.get();
  int on = 0;
  socklen_t size = sizeof on;
  REQUIRE(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size) == 0);
  EXPECT(on != 0);
  EXPECT((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
  EXPECT((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("a listening socket does not block or reach a child process, and is given a port") {
  const Fd one(OpenListeningSocket({"127.0.0.1"}));
  const Fd two(OpenListeningSocket({"::1"}));
  for (const Fd* fd : {&one, &two}) {
    REQUIRE(fd->get() >= 0);
    EXPECT(PortOf(fd->get()) != 0);
    EXPECT((fcntl(fd->get(), F_GETFL) & O_NONBLOCK) != 0);
    EXPECT((fcntl(fd->get(), F_GETFD) & FD_CLOEXEC) != 0);
  }
  EXPECT(AcceptConnection(one.get()) == -1);
  EXPECT((errno == EAGAIN || errno == EWOULDBLOCK));
}

TEST_CASE("a host that is no address and a port that is taken are refused and leak nothing") {
  const Fd taken(OpenListeningSocket({"127.0.0.1"}));
  const int before = OpenDescriptors();
  for (const char* host : {"", "localhost", "127.0.0.1.1", "::1%", "1.2.3"}) {
    EXPECT(OpenListeningSocket({host}) == -1);
    EXPECT(errno == EINVAL);
  }
  EXPECT(OpenListeningSocket({"127.0.0.1", PortOf(taken.get())}) == -1);
  EXPECT(errno == EADDRINUSE);
  EXPECT(OpenDescriptors() == before);
}

TEST_CASE("an IPv6 socket takes IPv4 connections unless it was asked not to") {
  const Fd both(OpenListeningSocket({"::"}));
  const Fd only(OpenListeningSocket({"::", 0, 511, /*ipv6_only=*/true}));
  int on = 0;
  socklen_t size = sizeof on;
  REQUIRE(getsockopt(both.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, &size) == 0);
  EXPECT(on == 0);
  REQUIRE(getsockopt(only.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, &size) == 0);
  EXPECT(on == 1);
}

TEST_CASE("unread bytes are counted until they are read") {
  const SocketPair connection = MakeConnection();
  EXPECT(UnreadBytes(connection.server.get()) == 0);
  REQUIRE(write(connection.client.get(), "12345", 5) == 5);
  EXPECT(Eventually([&] { return UnreadBytes(connection.server.get()) == 5; }));
  char bytes[8];
  REQUIRE(read(connection.server.get(), bytes, sizeof bytes) == 5);
  EXPECT(UnreadBytes(connection.server.get()) == 0);
  EXPECT(UnreadBytes(-1) == -1);
}

TEST_CASE("an address survives the way into 16 bytes and back") {
  for (const char* text : {"127.0.0.1", "255.255.255.255", "::1", "2001:db8::ff00:42:8329"}) {
    const PeerAddress peer = ParseAddress(text, 443);
    EXPECT(FormatAddress(peer) == text);
    EXPECT(peer.port == 443);
  }
  EXPECT(ParseAddress("::ffff:10.0.0.1", 1).words == ParseAddress("10.0.0.1", 1).words);
  EXPECT(FormatAddress(ParseAddress("fe80::1%eth0", 1)) == "fe80::1");
  EXPECT(FormatAddress(ParseAddress("no address", 1)).empty());
}

}  // namespace holdfast::test
