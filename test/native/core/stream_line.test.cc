#include "core/stream_line.h"

#include <memory>

#include "support/doctest.h"
#include "support/threads.h"

namespace holdfast::test {
namespace {

StreamFacts Example(StreamUid uid) {
  StreamFacts facts;
  facts.uid = uid;
  facts.kind = StreamKind::kSse;
  facts.handle = 0xFFFF'FFFE;
  facts.socket = 17;
  facts.created_ms = 1'000'000;
  facts.peer.words = {~uint64_t{0}, 1};
  facts.peer.port = 0xFFFF;
  return facts;
}

const StreamUid kFirst = StreamUid::Of(3, 1, 2, 1);
const StreamUid kNextId = StreamUid::Of(3, 1, 2, 3);
const StreamUid kNextGeneration = StreamUid::Of(3, 2, 2, 1);

}  // namespace

TEST_CASE("a line tells what was published, for the uid it holds and for no other") {
  const auto line = std::make_unique<StreamLine>();
  StreamFacts facts;
  EXPECT(!line->Holds(kFirst));
  EXPECT(!line->Read(kFirst, &facts));
  line->Publish(Example(kFirst));
  REQUIRE(line->Read(kFirst, &facts));
  EXPECT(facts.kind == StreamKind::kSse);
  EXPECT(facts.handle == 0xFFFF'FFFE);
  EXPECT(facts.peer.port == 0xFFFF);
  EXPECT(facts.peer.words == std::array<uint64_t, 2>{~uint64_t{0}, 1});
  EXPECT(facts.created_ms == 1'000'000);
  EXPECT(facts.last_active_ms == 1'000'000);
  EXPECT(facts.detached_ms == 0);
  EXPECT(facts.socket == 17);
  EXPECT(facts.tag_block == kNone);
  EXPECT(!facts.detached);
  EXPECT(!facts.closing);
  EXPECT(!line->Holds(kNextId));
  EXPECT(!line->Read(kNextGeneration, &facts));
  line->Retire();
  EXPECT(!line->Holds(kFirst));
}

TEST_CASE("a line holds apart the largest generation and stream id") {
  const auto line = std::make_unique<StreamLine>();
  const StreamUid last = StreamUid::Of(0xFFFF, kMaxGeneration, 1, kMaxStreamId);
  line->Publish(Example(last));
  uint32_t generation = 0;
  uint32_t stream_id = 0;
  REQUIRE(line->Tag(&generation, &stream_id));
  EXPECT(generation == kMaxGeneration);
  EXPECT(stream_id == kMaxStreamId);
  EXPECT(line->Reserve(last, 100, 100) == Status::kOk);
  EXPECT(line->Holds(last));
}

TEST_CASE("the budget is a hard cap to the byte, and comes back when it is released") {
  const auto line = std::make_unique<StreamLine>();
  line->Publish(Example(kFirst));
  EXPECT(line->Reserve(kFirst, 60, 100) == Status::kOk);
  EXPECT(line->Reserve(kFirst, 41, 100) == Status::kFull);
  EXPECT(line->Reserve(kFirst, 40, 100) == Status::kOk);
  EXPECT(line->Reserve(kFirst, 1, 100) == Status::kFull);
  EXPECT(line->Reserve(kFirst, 0, 100) == Status::kOk);
  StreamFacts facts;
  REQUIRE(line->Read(kFirst, &facts));
  EXPECT(facts.queued_bytes == 100);
  line->Release(kFirst, 60);
  EXPECT(line->Reserve(kFirst, 60, 100) == Status::kOk);
}

TEST_CASE("bytes of a stream that has gone are not counted on the line's next tenant") {
  const auto line = std::make_unique<StreamLine>();
  line->Publish(Example(kFirst));
  CHECK(line->Reserve(kFirst, 60, 100) == Status::kOk);
  line->Retire();
  EXPECT(line->Reserve(kFirst, 1, 100) == Status::kGone);
  line->Publish(Example(kNextId));
  EXPECT(line->Reserve(kFirst, 1, 100) == Status::kGone);
  line->Release(kFirst, 60);
  StreamFacts facts;
  REQUIRE(line->Read(kNextId, &facts));
  EXPECT(facts.queued_bytes == 0);
  EXPECT(line->Reserve(kNextId, 100, 100) == Status::kOk);
}

TEST_CASE("a closing stream takes no message and is still there to be read") {
  const auto line = std::make_unique<StreamLine>();
  line->Publish(Example(kFirst));
  CHECK(line->Reserve(kFirst, 10, 100) == Status::kOk);
  line->MarkClosing(2'000'000);
  EXPECT(line->Reserve(kFirst, 1, 100) == Status::kGone);
  StreamFacts facts;
  REQUIRE(line->Read(kFirst, &facts));
  EXPECT(facts.closing);
  EXPECT(facts.last_active_ms == 2'000'000);
  EXPECT(facts.queued_bytes == 10);
  line->Release(kFirst, 10);
}

TEST_CASE("detaching is told with its time and does not disturb the other facts") {
  const auto line = std::make_unique<StreamLine>();
  line->Publish(Example(kFirst));
  line->MarkDetached(1'000'250);
  StreamFacts facts;
  REQUIRE(line->Read(kFirst, &facts));
  EXPECT(facts.detached);
  EXPECT(facts.detached_ms == 1'000'250);
  EXPECT(facts.handle == 0xFFFF'FFFE);
  EXPECT(facts.kind == StreamKind::kSse);
  EXPECT(facts.peer.port == 0xFFFF);
}

TEST_CASE("two threads that reserve at once never pass the budget together") {
  const auto line = std::make_unique<StreamLine>();
  line->Publish(Example(kFirst));
  std::atomic<uint64_t> taken{0};
  const auto take = [&] {
    for (int i = 0; i < 20'000; i++) {
      if (line->Reserve(kFirst, 3, 1000) == Status::kOk) taken.fetch_add(3);
    }
  };
  RunTogether({take, take});
  EXPECT(taken.load() == 999);
  StreamFacts facts;
  REQUIRE(line->Read(kFirst, &facts));
  EXPECT(facts.queued_bytes == 999);
}

}  // namespace holdfast::test
