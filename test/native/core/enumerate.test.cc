#include "core/enumerate.h"

#include <map>
#include <set>

#include "base/clock.h"
#include "support/doctest.h"
#include "support/random.h"
#include "support/test_worker.h"

namespace holdfast::test {
namespace {

std::set<uint64_t> Found(const StreamFilter& filter, size_t step = 7) {
  Enumeration enumeration(Registry::Get(), filter);
  std::set<uint64_t> uids;
  bool more = true;
  while (more) {
    std::vector<FoundStream> streams;
    more = enumeration.Next(step, &streams);
    REQUIRE(streams.size() <= step);
    for (const FoundStream& stream : streams) {
      REQUIRE(uids.insert(stream.facts.uid.value).second);  // once each
    }
  }
  return uids;
}

PeerAddress Peer(uint64_t last) {
  PeerAddress peer;
  peer.words = {0, last};
  return peer;
}

}  // namespace

TEST_CASE(
    "each filter finds the streams that pass it, and all filters together their common ones") {
  Random random("enumerate");
  TestWorker one;
  TestWorker two;
  struct Stream {
    StreamUid uid;
    StreamKind kind;
    bool detached;
    uint64_t address;
    bool tagged;
    bool idle;
  };
  std::vector<Stream> streams;
  for (int i = 0; i < 300; i++) {
    TestWorker& worker = random.OneIn(2) ? one : two;
    Stream stream{};
    stream.kind = static_cast<StreamKind>(random.Below(3));
    stream.detached = random.OneIn(3);
    stream.address = 1 + random.Below(3);
    stream.tagged = random.OneIn(3);
    stream.idle = random.OneIn(2);
    const std::string_view tags =
        stream.tagged ? std::string_view("news\0all\0", 9) : std::string_view("newsreel\0", 9);
    stream.uid = worker.Create(worker.Open(Peer(stream.address)), stream.kind, tags).uid;
    if (stream.detached) worker.Detach(stream.uid);
    StreamLine* line = Registry::Get().FindLine(stream.uid);
    line->Touch(MonotonicMs() - (stream.idle ? 100'000 : 0));
    streams.push_back(stream);
  }
  for (int bits = 0; bits < 64; bits++) {
    CAPTURE(bits);
    StreamFilter filter;
    if (bits & 1) filter.kind = StreamKind::kSse;
    if (bits & 2) filter.worker = two->id;
    if (bits & 4) filter.detached = true;
    if (bits & 8) filter.address = Peer(2).words;
    if (bits & 16) filter.tag = "news";
    if (bits & 32) filter.idle_for_ms = 60'000;
    std::set<uint64_t> expected;
    std::set<uint64_t> attached;
    for (const Stream& stream : streams) {
      if ((bits & 1) && stream.kind != StreamKind::kSse) continue;
      if ((bits & 2) && stream.uid.worker_id() != two->id) continue;
      if ((bits & 8) && stream.address != 2) continue;
      if ((bits & 16) && !stream.tagged) continue;
      if ((bits & 32) && !stream.idle) continue;
      if (!stream.detached) attached.insert(stream.uid.value);
      if (!(bits & 4) || stream.detached) expected.insert(stream.uid.value);
    }
    REQUIRE(Found(filter) == expected);
    if (bits & 4) {
      filter.detached = false;
      REQUIRE(Found(filter) == attached);
    }
  }
  EXPECT(Found({}, 1).size() == streams.size());
  EXPECT(Found({}, 100'000).size() == streams.size());
}

TEST_CASE("what is found carries the stream's facts and tags") {
  TestWorker worker;
  const StreamUid uid =
      worker.Create(worker.Open(Peer(9)), StreamKind::kWebSocket, std::string_view("x\0", 2), 33)
          .uid;
  Enumeration enumeration(Registry::Get(), {});
  std::vector<FoundStream> streams;
  EXPECT(!enumeration.Next(10, &streams));
  REQUIRE(streams.size() == 1);
  EXPECT(streams[0].facts.uid == uid);
  EXPECT(streams[0].facts.kind == StreamKind::kWebSocket);
  EXPECT(streams[0].facts.handle == 33);
  EXPECT(streams[0].facts.peer.words == Peer(9).words);
  EXPECT(streams[0].tags.view() == std::string_view("x\0", 2));
}

TEST_CASE("a stream that lives through a walk is found once although others come and go") {
  TestWorker worker;
  std::set<uint64_t> stay;
  std::vector<StreamUid> leave;
  for (int i = 0; i < 200; i++) {
    const StreamUid uid = worker.Create(worker.Open()).uid;
    i % 2 == 0 ? (void)stay.insert(uid.value) : leave.push_back(uid);
  }
  for (const bool detached : {false, true}) {
    StreamFilter filter;
    if (detached) {
      for (const uint64_t uid : stay) worker.Detach({uid});
      filter.detached = true;
    }
    Enumeration enumeration(Registry::Get(), filter);
    std::map<uint64_t, int> seen;
    for (bool more = true; more;) {
      std::vector<FoundStream> streams;
      more = enumeration.Next(3, &streams);
      for (const FoundStream& stream : streams) seen[stream.facts.uid.value]++;
      if (!leave.empty()) {
        worker.Destroy(leave.back());
        leave.pop_back();
      }
      worker.Create(worker.Open());
    }
    for (const uint64_t uid : stay) EXPECT(seen[uid] == 1);
    for (const auto& [uid, times] : seen) EXPECT(times == 1);
  }
}

TEST_CASE("a worker that left is not walked") {
  TestWorker stays;
  stays.Create(stays.Open());
  {
    TestWorker leaves;
    leaves.Create(leaves.Open());
    EXPECT(Found({}).size() == 2);
  }
  EXPECT(Found({}).size() == 1);
}

}  // namespace holdfast::test
