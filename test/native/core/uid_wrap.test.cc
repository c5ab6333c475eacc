// The ends of a uid's fields, one by one, with fields so small that they are reached.
#include <memory>
#include <set>

#include "core/worker_cache.h"
#include "support/doctest.h"
#include "support/kept.h"
#include "support/test_worker.h"

namespace holdfast::test {
namespace {

constexpr uint32_t kStreamIds = kMaxStreamId + 1;

}  // namespace

TEST_CASE("a socket that outlives its stream numbers goes on under another id of its own") {
  const auto cache = MakeKept<WorkerCache>(0);
  const uint32_t socket = cache->OpenSocket({});
  std::set<uint64_t> uids;
  std::set<uint32_t> esockets;
  StreamUid before;
  for (uint32_t i = 0; i < 8 * kStreamIds; i++) {
    StreamFacts facts;
    REQUIRE(cache->Mint(socket, {}, &facts) == 1);
    REQUIRE(uids.insert(facts.uid.value).second);
    REQUIRE(facts.socket == cache->SocketIds(socket).front());
    esockets.insert(facts.uid.esocket_uuid());
    if (i > 0) REQUIRE(cache->Find(before) == nullptr);
    before = facts.uid;
    REQUIRE(cache->Retire(facts.uid) == 0);
    // Blocks whose numbers are spent go back: it holds its first one and the one in use.
    REQUIRE(cache->SocketIds(socket).size() <= 2);
  }
  EXPECT(esockets.size() == 8);
}

TEST_CASE("a slot comes back with the next generation, and never again after the last") {
  const auto cache = MakeKept<WorkerCache>(0);
  std::set<uint64_t> uids;
  std::set<uint32_t> generations;
  StreamFacts facts;
  for (;;) {
    const uint32_t socket = cache->OpenSocket({});
    if (cache->Mint(socket, {}, &facts) == 0) {
      cache->CloseSocket(socket);
      break;
    }
    REQUIRE(uids.insert(facts.uid.value).second);
    generations.insert(facts.uid.generation());
    cache->Retire(facts.uid);
    cache->CloseSocket(socket);
  }
  EXPECT(uids.size() == kMaxSlots * kMaxGeneration);
  EXPECT(generations.size() == kMaxGeneration);
  const CacheUsage usage = cache->Usage();
  EXPECT(usage.slots_retired == kMaxSlots);
  EXPECT(usage.slots_quarantined == 0);
  EXPECT(usage.slots_live == 0);
  for (const uint64_t uid : uids) EXPECT(cache->Find({uid}) == nullptr);
}

TEST_CASE("a stream that lives through every wrap around it is found to the end") {
  const auto cache = MakeKept<WorkerCache>(0);
  StreamFacts old;
  old.handle = 77;
  REQUIRE(cache->Mint(cache->OpenSocket({}), {}, &old) == 1);
  StreamFacts facts;
  for (;;) {
    const uint32_t socket = cache->OpenSocket({});
    if (cache->Mint(socket, {}, &facts) == 0) break;
    REQUIRE(facts.uid.slot() != old.uid.slot());
    cache->Retire(facts.uid);
    cache->CloseSocket(socket);
  }
  StreamFacts read;
  REQUIRE(cache->Find(old.uid) != nullptr);
  REQUIRE(cache->Find(old.uid)->Read(old.uid, &read));
  EXPECT(read.handle == 77);
}

TEST_CASE("a freed slot waits behind others before it is taken again") {
  const auto cache = MakeKept<WorkerCache>(0);
  StreamFacts facts;
  std::vector<uint32_t> order;
  for (uint32_t i = 0; i < kRegionSlots + 1; i++) {
    const uint32_t socket = cache->OpenSocket({});
    REQUIRE(cache->Mint(socket, {}, &facts) == 1);
    order.push_back(facts.uid.slot());
    cache->Retire(facts.uid);
    cache->CloseSocket(socket);
  }
  EXPECT(std::set<uint32_t>(order.begin(), order.end()).size() == order.size());
}

TEST_CASE("when no uid is left a stream is refused, and what was reserved for it is given back") {
  TestWorker worker;
  Registry& registry = Registry::Get();
  const uint64_t total = registry.total_streams();
  StreamFacts facts;
  Status status;
  uint64_t created = 0;
  for (;;) {
    const uint32_t socket = worker.Open();
    status = registry.CreateStream(*worker, socket, {}, &facts);
    if (IsOk(status)) {
      created++;
      worker.Destroy(facts.uid);
    }
    worker.CloseSocket(socket);
    if (!IsOk(status)) break;
  }
  EXPECT(created > 0);
  EXPECT(status == Status::kExhausted);
  EXPECT(registry.total_streams() == total);
  EXPECT(worker->live_streams.load() == 0);
  EXPECT(worker->load.load() == 0);
}

// The generations of a dead worker's slots go on under the thread that takes its number.
TEST_CASE("a thread under a dead one's number mints none of its uids again") {
  std::set<uint64_t> uids;
  // Each turn takes and gives back the number of a worker whose slots are not used up yet.
  std::vector<std::unique_ptr<TestWorker>> used_up;
  used_up.push_back(std::make_unique<TestWorker>());
  uint32_t number = kNone;
  for (int turn = 0; turn < 12; turn++) {
    TestWorker worker;
    if (number == kNone) number = worker->id;
    REQUIRE(worker->id == number);
    for (int i = 0; i < 3; i++) REQUIRE(uids.insert(worker.Create(worker.Open()).uid.value).second);
    EXPECT(worker.Leave() == 3);
    for (const uint64_t uid : uids) EXPECT(Registry::Get().FindLine({uid}) == nullptr);
  }
}

}  // namespace holdfast::test
