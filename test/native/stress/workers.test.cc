// Workers join and leave beside senders, placement and readers of the lists.
#include <fcntl.h>

#include <array>

#include "core/enumerate.h"
#include "core/sender.h"
#include "support/counting_carrier.h"
#include "support/doctest.h"
#include "support/random.h"
#include "support/recording_carrier.h"
#include "support/sockets.h"
#include "support/test_worker.h"
#include "support/threads.h"

namespace holdfast::test {
namespace {

constexpr uint32_t kPlaces = 32;

struct Known {
  std::array<std::atomic<uint64_t>, kPlaces> uids{};
  std::atomic<uint32_t> living{0};  // threads that still join and leave
  std::atomic<uint64_t> delivered{0};
  std::atomic<uint64_t> taken{0};
  std::atomic<uint64_t> placed{0};
  std::atomic<uint64_t> lives{0};
};

void TakeMail(const TestWorker& worker, Inbox& inbox, Known& known) {
  Mailbox::Batch batch;
  worker->mailbox.Take(&batch);
  inbox.Put(std::move(batch.chunks));
  while (inbox.Deliver()) continue;
  for (const Connection& connection : batch.connections) {
    CHECK(close(connection.fd) == 0);
    known.taken.fetch_add(1);
  }
}

void LiveAndDie(Known& known, uint64_t seed) {
  Random random(seed);
  const Clock::time_point end = Clock::now() + StressTime();
  while (Clock::now() < end) {
    TestWorker worker;
    CountingCarrier carrier;
    Inbox inbox(Registry::Get(), *worker, carrier);
    worker->accepting.store(true, std::memory_order_release);
    const uint32_t socket = worker.Open();
    for (uint32_t i = random.Below(40); i-- > 0;) {
      const StreamUid uid = worker.Create(socket, StreamKind::kRaw, {}, i).uid;
      if (random.OneIn(3)) worker.Detach(uid);
      known.uids[random.Below(kPlaces)].store(uid.value, std::memory_order_release);
      if (random.OneIn(4)) TakeMail(worker, inbox, known);
    }
    // Leaves with whatever has come since in its mailbox.
    worker.Leave();
    known.delivered.fetch_add(carrier.delivered);
    known.lives.fetch_add(1);
  }
  known.living.fetch_sub(1);
}

void SendAndPlace(Known& known, uint64_t seed) {
  Random random(seed);
  Sender sender(Registry::Get(), nullptr);
  StringBuffer local;
  while (known.living.load() > 0) {
    const StreamUid uid{known.uids[random.Below(kPlaces)].load(std::memory_order_acquire)};
    (void)sender.Send(uid, Text("hello"), local);
    if (random.OneIn(8)) sender.Flush();
    if (random.OneIn(32)) {
      const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
      CHECK(fd >= 0);
      known.placed.fetch_add(1);
      Registry::Get().Place({fd, nullptr, Destination::kSockets});
    }
    if (random.OneIn(64)) {
      Enumeration walk(Registry::Get(), {});
      std::vector<FoundStream> streams;
      while (walk.Next(1000, &streams)) streams.clear();
    }
  }
}

}  // namespace

TEST_CASE("stress: workers that come and go lose no message, connection, stream or descriptor") {
  Random random("worker churn");
  const CountedSince counted;
  const int descriptors = OpenDescriptors();
  Known known;
  known.living.store(2);
  const uint64_t seeds[] = {random.Next(), random.Next(), random.Next()};
  RunTogether({[&] { LiveAndDie(known, seeds[0]); }, [&] { LiveAndDie(known, seeds[1]); },
               [&] { SendAndPlace(known, seeds[2]); }});
  EXPECT(known.lives.load() > 1);
  EXPECT(counted[Counter::kMessagesQueued] ==
         known.delivered.load() + counted[Counter::kMessagesUndeliverable]);
  EXPECT(known.placed.load() == known.taken.load() + counted[Counter::kConnectionsDropped]);
  EXPECT(counted[Counter::kConnectionsPlaced] ==
         known.taken.load() + counted[Counter::kConnectionsReturned]);
  EXPECT(OpenDescriptors() == descriptors);
  EXPECT(counted[CreatedOf(StreamKind::kRaw)] == counted[DestroyedOf(StreamKind::kRaw)]);
  EXPECT(counted[Counter::kStreamsDetached] == counted[Counter::kDetachedDestroyed]);
  EXPECT(Registry::Get().total_streams() == 0);
  EXPECT(Registry::Get().AutonomousStreams().empty());
  EXPECT(Registry::Get().LiveWorkers().empty());
}

}  // namespace holdfast::test
