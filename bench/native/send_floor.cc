// The least that a fan-out can cost: one send(2) a connection of loopback, and nothing else.
//
//   send_floor CONNECTIONS BYTES ROUNDS
//
// Each round sends so many bytes on every connection; another thread reads them, and the next round
// waits until it has. Prints a line of JSON: the CPU time of the sends, and the bytes on both
// sides.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

int Checked(int result, const char* what) {
  if (result >= 0) return result;
  perror(what);
  exit(1);
}

struct Connection {
  int server;
  int client;
};

Connection Connect(int listening, const sockaddr_in& address) {
  const int client = Checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
  Checked(connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address), "connect");
  const int server = Checked(accept(listening, nullptr, nullptr), "accept");
  const int on = 1;
  Checked(setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt");
  Checked(fcntl(client, F_SETFL, O_NONBLOCK), "fcntl");
  return {server, client};
}

double ThreadCpuUs() {
  timespec now;
  Checked(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now), "clock_gettime");
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

// Until the end of the last connection. Pauses now and then, as a client with more to do would.
void ReadAll(const std::vector<Connection>& connections, std::atomic<uint64_t>* received) {
  const int poller = Checked(epoll_create1(0), "epoll_create1");
  for (const Connection& connection : connections) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = connection.client;
    Checked(epoll_ctl(poller, EPOLL_CTL_ADD, connection.client, &event), "epoll_ctl");
  }
  std::vector<char> buffer(1 << 16);
  for (size_t open = connections.size(); open > 0;) {
    epoll_event events[64];
    const int count = Checked(epoll_wait(poller, events, 64, -1), "epoll_wait");
    for (int i = 0; i < count; i++) {
      const ssize_t size = read(events[i].data.fd, buffer.data(), buffer.size());
      if (size > 0) received->fetch_add(static_cast<uint64_t>(size));
      if (size != 0) continue;
      open--;
      close(events[i].data.fd);
    }
  }
  close(poller);
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) return 2;
  const size_t wanted = strtoul(words[1], nullptr, 10);
  const std::vector<char> message(strtoul(words[2], nullptr, 10), 'x');
  const size_t rounds = strtoul(words[3], nullptr, 10);

  const int listening = Checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  Checked(bind(listening, reinterpret_cast<sockaddr*>(&address), size), "bind");
  Checked(listen(listening, 128), "listen");
  Checked(getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  std::vector<Connection> connections;
  for (size_t i = 0; i < wanted; i++) connections.push_back(Connect(listening, address));

  std::atomic<uint64_t> received{0};
  std::thread reader(ReadAll, std::cref(connections), &received);
  uint64_t sent = 0;
  double cpu_us = 0;
  for (size_t round = 0; round < rounds; round++) {
    const double begin = ThreadCpuUs();
    for (const Connection& connection : connections) {
      const ssize_t taken = send(connection.server, message.data(), message.size(), MSG_NOSIGNAL);
      sent += static_cast<uint64_t>(Checked(static_cast<int>(taken), "send"));
    }
    cpu_us += ThreadCpuUs() - begin;
    while (received.load() < sent) usleep(1000);
  }
  for (const Connection& connection : connections) close(connection.server);
  reader.join();
  printf("{\"sends\":%zu,\"sent\":%llu,\"received\":%llu,\"cpuUs\":%.1f}\n", rounds * wanted,
         static_cast<unsigned long long>(sent), static_cast<unsigned long long>(received.load()),
         cpu_us);
  return 0;
}
