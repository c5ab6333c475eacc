// Which locks each operation takes. Work under a lock is what a scan's cost grows with, and what
// readers and writers wait for.
#include "support/lock_counts.h"

#include "core/enumerate.h"
#include "core/sender.h"
#include "support/doctest.h"
#include "support/recording_carrier.h"
#include "support/test_worker.h"

namespace holdfast::test {

// Every look-up scanned a list under a lock.
TEST_CASE(
    "a find takes no lock, whether it hits, crosses or misses, and however many streams live") {
  TestWorker one;
  TestWorker two;
  const uint32_t socket = one.Open();
  std::vector<StreamUid> uids;
  for (int i = 0; i < 5000; i++) uids.push_back(one.Create(socket).uid);
  one.Destroy(uids[0]);
  const LockCounts taken = LocksOf([&] {
    StreamFacts facts;
    for (const StreamUid uid : uids) {
      (void)Registry::Get().Find(one.get(), uid, &facts);
      (void)Registry::Get().Find(two.get(), uid, &facts);
      (void)Registry::Get().Find(nullptr, uid, &facts);
    }
  });
  EXPECT(taken == LockCounts{});
}

TEST_CASE("a tick's messages to one worker take one lock in all, those to the own thread none") {
  TestWorker owner;
  TestWorker other;
  const StreamUid uid = owner.Create(owner.Open()).uid;
  Sender here(Registry::Get(), owner.get());
  Sender there(Registry::Get(), other.get());
  StringBuffer local;
  const auto hundred = [&] {
    for (int i = 0; i < 100; i++) (void)there.Send(uid, Text("x"), local);
  };
  EXPECT(LocksOf([&] { (void)here.Send(uid, Text("x"), local); }) == LockCounts{});
  // The first of a sender that has not had several in one tick leaves by itself.
  EXPECT(LocksOf(hundred) == LockCounts{.mutex = 1});
  EXPECT(LocksOf([&] { there.Flush(); }) == LockCounts{.mutex = 1});
  EXPECT(LocksOf(hundred) == LockCounts{});
  EXPECT(LocksOf([&] { there.Flush(); }) == LockCounts{.mutex = 1});
}

TEST_CASE("a stream's life takes its worker's lock, and the registry's only when it is detached") {
  TestWorker worker;
  const uint32_t socket = worker.Open();
  StreamUid uid;
  EXPECT(LocksOf([&] { uid = worker.Create(socket).uid; }) == LockCounts{.mutex = 1});
  EXPECT(LocksOf([&] { worker.Destroy(uid); }) == LockCounts{.mutex = 1});
  uid = worker.Create(socket).uid;
  EXPECT(LocksOf([&] { worker.Detach(uid); }) == LockCounts{.write = 1});
  EXPECT(LocksOf([&] { worker.Detach(uid); }) == LockCounts{});
  EXPECT(LocksOf([&] { worker.Destroy(uid); }) == LockCounts{.mutex = 1, .write = 1});
}

TEST_CASE("a walk over every stream takes the registry's lock once, as a reader") {
  TestWorker worker;
  const uint32_t socket = worker.Open();
  for (int i = 0; i < 500; i++) worker.Create(socket);
  size_t found = 0;
  const LockCounts taken = LocksOf([&] {
    Enumeration walk(Registry::Get(), {});
    std::vector<FoundStream> streams;
    for (bool more = true; more; found += streams.size(), streams.clear()) {
      more = walk.Next(64, &streams);
    }
  });
  EXPECT(found == 500);
  EXPECT(taken == LockCounts{.read = 1});
}

}  // namespace holdfast::test
