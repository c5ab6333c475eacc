#include "core/worker_cache.h"

#include <algorithm>
#include <map>
#include <set>

#include "support/doctest.h"
#include "support/kept.h"
#include "support/random.h"

namespace holdfast::test {
namespace {

constexpr uint32_t kWorker = 5;

// A worker's cache beside a plain model of it. Every stream is published with a number of its own
// as its handle, so that a uid which reached another stream would show.
class Model {
 public:
  explicit Model(Random& random) : random_(random) {}

  void OpenSocket() {
    PeerAddress peer;
    peer.port = static_cast<uint16_t>(random_.Below(65536));
    const uint32_t index = cache_->OpenSocket(peer);
    const uint32_t generation = cache_->SocketGeneration(index);
    const auto [place, fresh] = sockets_.try_emplace(index);
    REQUIRE(fresh);  // never one whose streams still live
    place->second.peer = peer;
    REQUIRE(openings_.insert({index, generation}).second);
  }

  void CloseSocket(uint32_t index) {
    cache_->CloseSocket(index);
    sockets_[index].open = false;
    if (sockets_[index].live.empty()) sockets_.erase(index);
  }

  // False when no uid was left for the socket.
  bool Mint(uint32_t index) {
    Socket& socket = sockets_[index];
    StreamFacts facts;
    facts.handle = static_cast<uint32_t>(handles_.size());
    const uint32_t streams = cache_->Mint(index, {}, &facts);
    if (streams == 0) return false;
    REQUIRE(facts.uid.worker_id() == kWorker);
    REQUIRE(facts.uid.generation() != 0);
    REQUIRE(handles_.emplace(facts.uid.value, facts.handle).second);  // minted once in its life
    socket.live.insert(facts.uid.value);
    REQUIRE(streams == socket.live.size());
    live_.emplace(facts.uid.value, index);
    minted_.push_back(facts.uid);
    const std::vector<uint32_t> ids = cache_->SocketIds(index);
    REQUIRE(ids.front() == facts.socket);
    REQUIRE(std::count(ids.begin(), ids.end(), facts.uid.esocket_uuid()) == 1);
    return true;
  }

  void Retire(StreamUid uid) {
    const uint32_t index = live_[uid.value];
    Socket& socket = sockets_[index];
    socket.live.erase(uid.value);
    live_.erase(uid.value);
    REQUIRE(cache_->Retire(uid) == socket.live.size());
    if (!socket.open && socket.live.empty()) sockets_.erase(index);
  }

  void CheckUid(StreamUid uid) const {
    const StreamLine* line = cache_->Find(uid);
    const auto place = live_.find(uid.value);
    CAPTURE(uid.value);
    REQUIRE((line != nullptr) == (place != live_.end()));
    if (line == nullptr) return;
    StreamFacts facts;
    REQUIRE(line->Read(uid, &facts));
    REQUIRE(facts.handle == handles_.at(uid.value));
    REQUIRE(facts.peer.port == sockets_.at(place->second).peer.port);
  }

  // Everything that was ever minted, and everything that a walk over the lines shows.
  void CheckAll() {
    for (const StreamUid uid : minted_) CheckUid(uid);
    std::set<uint64_t> walked;
    uint64_t cursor = 0;
    do {
      cursor = cache_->Scan(cursor, 1 + random_.Below(4096),
                            [&](StreamUid uid) { REQUIRE(walked.insert(uid.value).second); });
    } while (cursor != WorkerCache::kScanEnd);
    REQUIRE(walked.size() == live_.size());
    for (const uint64_t uid : walked) REQUIRE(live_.count(uid) == 1);
    const CacheUsage usage = cache_->Usage();
    REQUIRE(usage.sockets == sockets_.size());
    REQUIRE(usage.slots_live + usage.slots_quarantined + usage.slots_retired <= kMaxSlots);
    for (const auto& [index, socket] : sockets_) {
      REQUIRE(cache_->StreamsOf(index) == socket.live.size());
    }
  }

  void Step() {
    const uint32_t draw = random_.Below(100);
    std::vector<uint32_t> open;
    for (const auto& [index, socket] : sockets_) {
      if (socket.open) open.push_back(index);
    }
    if (open.empty() || draw < 8) {
      if (open.size() < 6) OpenSocket();
    } else if (draw < 12) {
      CloseSocket(open[random_.Below(static_cast<uint32_t>(open.size()))]);
    } else if (draw < 58) {
      if (!Mint(open[random_.Below(static_cast<uint32_t>(open.size()))])) refused_++;
    } else if (draw < 95 && !live_.empty()) {
      Retire({std::next(live_.begin(), random_.Below(live_.size()))->first});
    } else if (!minted_.empty()) {
      CheckUid(minted_[random_.Below(static_cast<uint32_t>(minted_.size()))]);
    }
  }

  uint64_t minted() const { return minted_.size(); }
  uint64_t refused() const { return refused_; }

 private:
  struct Socket {
    PeerAddress peer;
    bool open = true;
    std::set<uint64_t> live;
  };

  Random& random_;
  WorkerCache* const cache_ = MakeKept<WorkerCache>(kWorker);
  std::map<uint32_t, Socket> sockets_;
  std::set<std::pair<uint32_t, uint32_t>> openings_;
  std::map<uint64_t, uint32_t> live_;     // uid → socket
  std::map<uint64_t, uint32_t> handles_;  // of every uid ever
  std::vector<StreamUid> minted_;
  uint64_t refused_ = 0;
};

}  // namespace

// One 16-bit counter for all streams wraps, and a stale uid then reaches a stranger.
TEST_CASE("no uid is minted twice and a stale uid finds nobody, whatever the order of events") {
  Random random("worker cache");
  const bool tiny = kMaxSlots <= 16;
  uint64_t minted = 0;
  for (int round = 0; round < (tiny ? 100 : 3); round++) {
    Model model(random);
    for (int step = 0; step < (tiny ? 4000 : 20'000); step++) {
      model.Step();
      if (step % 1000 == 0) model.CheckAll();
    }
    model.CheckAll();
    // With tiny fields each sequence must have got to the end of the uids, else it proved little.
    EXPECT((model.refused() > 0) == tiny);
    minted += model.minted();
  }
  // Far more uids than slots: the slots came back, each time with a generation of its own.
  if (tiny) EXPECT(minted > 100 * kMaxSlots);
}

TEST_CASE("a socket's streams keep its peer and its primary id, in however many blocks they lie") {
  const auto cache = MakeKept<WorkerCache>(0);
  PeerAddress peer;
  peer.words = {1, 2};
  peer.port = 443;
  const uint32_t socket = cache->OpenSocket(peer);
  std::set<uint32_t> esockets;
  uint32_t primary = 0;
  for (uint32_t i = 0; i < 9; i++) {
    StreamFacts facts;
    REQUIRE(cache->Mint(socket, {}, &facts) == i + 1);
    if (i == 0) primary = facts.uid.esocket_uuid();
    EXPECT(facts.socket == primary);
    EXPECT(facts.peer.words == peer.words);
    esockets.insert(facts.uid.esocket_uuid());
  }
  const std::vector<uint32_t> ids = cache->SocketIds(socket);
  EXPECT(std::set<uint32_t>(ids.begin(), ids.end()) == esockets);
  EXPECT(ids.front() == primary);
  EXPECT(esockets.size() > 1);
}

TEST_CASE("tags go with their stream and are not shown for a stale one") {
  const auto cache = MakeKept<WorkerCache>(0);
  const uint32_t socket = cache->OpenSocket({});
  StreamFacts first;
  REQUIRE(cache->Mint(socket, std::string_view("a\0b\0", 4), &first) == 1);
  TagText text;
  REQUIRE(cache->Tags(first, &text));
  EXPECT(text.Contains("a"));
  EXPECT(text.Contains("b"));
  REQUIRE(cache->Retire(first.uid) == 0);
  EXPECT(!cache->Tags(first, &text));
  StreamFacts second;
  REQUIRE(cache->Mint(socket, std::string_view("c\0", 2), &second) == 1);
  EXPECT(second.tag_block == first.tag_block);  // given back, and so used again
  EXPECT(!cache->Tags(first, &text));
  StreamFacts none;
  REQUIRE(cache->Mint(socket, {}, &none) == 2);
  REQUIRE(cache->Tags(none, &text));
  EXPECT(text.size == 0);
}

TEST_CASE("a dead worker's sockets are all given back, those without streams as well") {
  const auto cache = MakeKept<WorkerCache>(0);
  const uint32_t one = cache->OpenSocket({});
  cache->OpenSocket({});
  StreamFacts facts;
  REQUIRE(cache->Mint(one, {}, &facts) == 1);
  cache->Retire(facts.uid);
  EXPECT(cache->CloseAllSockets() == 2);
  const CacheUsage usage = cache->Usage();
  EXPECT(usage.sockets == 0);
  EXPECT(usage.slots_live == 0);
  EXPECT(usage.slots_quarantined == 1);
}

}  // namespace holdfast::test
