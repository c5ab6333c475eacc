// Readers by uid beside the owner who mints and retires: a reader that saw another stream's facts
// under a stale uid would show it by the handle, which is each stream's own.
#include <array>

#include "core/worker_cache.h"
#include "support/doctest.h"
#include "support/kept.h"
#include "support/random.h"
#include "support/threads.h"

namespace holdfast::test {
namespace {

constexpr uint32_t kMost = 4096;

struct Minted {
  WorkerCache* const cache = MakeKept<WorkerCache>(1);
  std::array<std::atomic<uint64_t>, kMost> uids{};
  std::atomic<uint32_t> count{0};
  std::atomic<bool> done{false};
};

void Read(Minted& minted, uint64_t seed, std::atomic<uint64_t>* found,
          std::atomic<uint64_t>* wrong) {
  Random random(seed);
  while (!minted.done.load()) {
    const uint32_t count = minted.count.load(std::memory_order_acquire);
    if (count == 0) continue;
    // Half of the time one of the last, which is likely to be live.
    const uint32_t recent = std::min<uint32_t>(count, 16);
    const uint32_t index = random.OneIn(2) ? random.Below(count) : count - 1 - random.Below(recent);
    const StreamUid uid{minted.uids[index].load(std::memory_order_relaxed)};
    const StreamLine* line = minted.cache->Find(uid);
    StreamFacts facts;
    if (line == nullptr || !line->Read(uid, &facts)) continue;
    found->fetch_add(1);
    TagText tags;
    if (facts.handle != index || facts.peer.port != static_cast<uint16_t>(index)) {
      wrong->fetch_add(1);
    } else if (minted.cache->Tags(facts, &tags) && !tags.Contains(std::to_string(index))) {
      wrong->fetch_add(1);
    }
  }
}

// Until the uids, or the numbers that a test can keep, are used up.
void Mint(Minted& minted, Random& random) {
  std::vector<std::pair<StreamUid, uint32_t>> live;
  for (uint32_t i = 0; i < kMost; i++) {
    StreamFacts facts;
    facts.handle = i;
    PeerAddress peer;
    peer.port = static_cast<uint16_t>(i);
    const uint32_t socket = minted.cache->OpenSocket(peer);
    const std::string tag = std::to_string(i) + '\0';
    if (minted.cache->Mint(socket, tag, &facts) == 0) break;
    minted.uids[i].store(facts.uid.value, std::memory_order_relaxed);
    minted.count.store(i + 1, std::memory_order_release);
    live.emplace_back(facts.uid, socket);
    if (live.size() > 6) {
      std::swap(live[random.Below(static_cast<uint32_t>(live.size()))], live.back());
      minted.cache->CloseSocket(live.back().second);
      minted.cache->Retire(live.back().first);
      live.pop_back();
    }
    if (random.OneIn(8)) std::this_thread::yield();
  }
}

}  // namespace

TEST_CASE("stress: a stale uid never shows a reader another stream's facts or tags") {
  Random random("uid churn");
  std::atomic<uint64_t> found{0};
  std::atomic<uint64_t> wrong{0};
  const Clock::time_point end = Clock::now() + StressTime();
  while (Clock::now() < end || found.load() == 0) {
    Minted minted;
    const uint64_t one = random.Next();
    const uint64_t two = random.Next();
    RunTogether({[&] {
                   Mint(minted, random);
                   minted.done.store(true);
                 },
                 [&] { Read(minted, one, &found, &wrong); },
                 [&] { Read(minted, two, &found, &wrong); },
                 [&] {
                   while (!minted.done.load()) (void)minted.cache->Usage();
                 }});
  }
  EXPECT(found.load() > 0);
  EXPECT(wrong.load() == 0);
}

}  // namespace holdfast::test
