#include "core/mailbox.h"

#include <unistd.h>

#include "support/doctest.h"
#include "support/test_worker.h"
#include "support/threads.h"

namespace holdfast::test {
namespace {

ChunkPtr OneMessage(uint64_t number) {
  ChunkPtr chunk = Chunk::Make(Chunk::Footprint(8));
  std::memcpy(chunk->Append(StreamUid{number}, MessageOp::kWrite, 8), &number, 8);
  return chunk;
}

}  // namespace

TEST_CASE("posts between two takes wake the owner once") {
  CountingWaker waker;
  Mailbox mailbox;
  mailbox.Open(&waker);
  Mailbox::Batch batch;
  for (uint32_t round = 1; round <= 3; round++) {
    for (uint64_t i = 0; i < 5; i++) {
      ChunkPtr chunk = OneMessage(i);
      REQUIRE(mailbox.Post(chunk));
      EXPECT(chunk == nullptr);
    }
    Connection connection{100, nullptr};
    REQUIRE(mailbox.PostConnection(connection));
    EXPECT(waker.wakes.load() == round);
    batch = {};
    mailbox.Take(&batch);
    REQUIRE(batch.chunks.size() == 5);
    for (uint64_t i = 0; i < 5; i++) EXPECT(batch.chunks[i]->At(0)->uid.value == i);
    REQUIRE(batch.connections.size() == 1);
    EXPECT(batch.connections[0].fd == 100);
  }
  batch = {};
  mailbox.Take(&batch);
  EXPECT(batch.chunks.empty());
  EXPECT(batch.connections.empty());
  EXPECT(waker.wakes.load() == 3);
}

TEST_CASE("a connection posted alone wakes the owner as well") {
  CountingWaker waker;
  Mailbox mailbox;
  mailbox.Open(&waker);
  Connection connection{7, nullptr};
  REQUIRE(mailbox.PostConnection(connection));
  EXPECT(waker.wakes.load() == 1);
}

TEST_CASE("the mailbox's bound holds to the byte, and lets control in beyond it") {
  Mailbox mailbox;
  EXPECT(mailbox.Reserve(Mailbox::kLimitBytes - 1));
  EXPECT(!mailbox.Reserve(2));
  EXPECT(mailbox.reserved() == Mailbox::kLimitBytes - 1);
  EXPECT(mailbox.Reserve(1));
  EXPECT(!mailbox.Reserve(1));
  EXPECT(mailbox.Reserve(64, /*control=*/true));
  EXPECT(mailbox.reserved() == Mailbox::kLimitBytes + 64);
  mailbox.Unreserve(64);
  EXPECT(!mailbox.Reserve(1));
  mailbox.Unreserve(10);
  EXPECT(mailbox.Reserve(10));
}

TEST_CASE("a closed mailbox hands out what waited, refuses more and wakes nobody") {
  CountingWaker waker;
  Mailbox mailbox;
  mailbox.Open(&waker);
  ChunkPtr chunk = OneMessage(1);
  REQUIRE(mailbox.Post(chunk));
  Connection waiting{7, nullptr};
  REQUIRE(mailbox.PostConnection(waiting));
  const Mailbox::Batch left = mailbox.Close();
  EXPECT(left.chunks.size() == 1);
  REQUIRE(left.connections.size() == 1);
  EXPECT(left.connections[0].fd == 7);
  chunk = OneMessage(2);
  EXPECT(!mailbox.Post(chunk));
  EXPECT(chunk != nullptr);  // still the sender's, to be counted
  Connection late{8, std::make_shared<const PortContext>()};
  EXPECT(!mailbox.PostConnection(late));
  EXPECT(late.fd == 8);  // likewise, to be placed elsewhere
  EXPECT(late.port != nullptr);
  EXPECT(waker.wakes.load() == 1);
  // The next thread under the number is woken by its first message.
  CountingWaker next;
  mailbox.Open(&next);
  REQUIRE(mailbox.Post(chunk));
  EXPECT(next.wakes.load() == 1);
  EXPECT(waker.wakes.load() == 1);
}

TEST_CASE("two posters and a taker lose no message, keep each poster's order and miss no wake-up") {
  constexpr uint64_t kEach = 5000;
  CountingWaker waker;
  Mailbox mailbox;
  mailbox.Open(&waker);
  uint64_t next[2] = {0, 0};
  bool in_order = true;
  const auto post = [&](uint64_t poster) {
    return [&, poster] {
      for (uint64_t i = 0; i < kEach; i++) {
        ChunkPtr chunk = OneMessage(poster << 32 | i);
        if (!mailbox.Post(chunk)) std::abort();
      }
    };
  };
  const auto take = [&] {
    uint32_t seen = 0;
    const Clock::time_point deadline = Clock::now() + std::chrono::seconds(30);
    while (next[0] + next[1] < 2 * kEach && Clock::now() < deadline) {
      // Takes only when it was woken: a wake-up that went missing would leave mail behind.
      const uint32_t wakes = waker.wakes.load();
      if (wakes == seen) {
        std::this_thread::yield();
        continue;
      }
      seen = wakes;
      Mailbox::Batch batch;
      mailbox.Take(&batch);
      for (const ChunkPtr& chunk : batch.chunks) {
        const uint64_t value = chunk->At(0)->uid.value;
        in_order = in_order && (value & 0xFFFF'FFFF) == next[value >> 32]++;
      }
    }
  };
  RunTogether({post(0), post(1), take});
  EXPECT(next[0] == kEach);
  EXPECT(next[1] == kEach);
  EXPECT(in_order);
}

}  // namespace holdfast::test
