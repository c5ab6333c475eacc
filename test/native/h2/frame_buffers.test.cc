#include "h2/frame_buffers.h"

#include <cstring>
#include <set>

#include "support/h2_server.h"

namespace holdfast::test {
namespace {

constexpr size_t kFrameBytes = (16 << 10) + 10;

struct Borrowed {
  explicit Borrowed(FrameBuffers& from) : memory(*from.memory()) {}
  void* Take(size_t size = kFrameBytes) { return memory.allocate(size, memory.user_data); }
  void Give(void* buffer) { memory.release(buffer, memory.user_data); }
  const ng::Memory& memory;
};

}  // namespace

TEST_CASE("buffers for frames do not overlap, and those given back are the ones taken next") {
  FrameBuffers buffers;
  Borrowed borrowed(buffers);
  std::set<void*> taken;
  for (int i = 0; i < 200; i++) {
    void* buffer = borrowed.Take();
    std::memset(buffer, i, kFrameBytes);
    EXPECT(taken.insert(buffer).second);
  }
  for (void* buffer : taken) {
    const auto* bytes = static_cast<uint8_t*>(buffer);
    EXPECT(bytes[0] == bytes[kFrameBytes - 1]);
  }
  const size_t reserved = buffers.reserved();
  void* last = *taken.begin();
  borrowed.Give(last);
  EXPECT(borrowed.Take() == last);
  EXPECT(buffers.reserved() == reserved);
  for (void* buffer : taken) borrowed.Give(buffer);
}

TEST_CASE("memory of frames that nobody builds any more goes back to the system") {
  FrameBuffers buffers;
  Borrowed borrowed(buffers);
  std::vector<void*> taken;
  for (int i = 0; i < 500; i++) taken.push_back(borrowed.Take());
  EXPECT(buffers.reserved() > 500 * kFrameBytes);
  for (void* buffer : taken) borrowed.Give(buffer);
  EXPECT(buffers.reserved() == FrameBuffers::kSlabBytes);
}

TEST_CASE("memory of other sizes is the heap's, and a buffer may become it") {
  FrameBuffers buffers;
  Borrowed borrowed(buffers);
  void* small = borrowed.Take(100);
  EXPECT(buffers.reserved() == 0);
  void* buffer = borrowed.Take();
  std::memset(buffer, 7, kFrameBytes);
  const ng::Memory& memory = borrowed.memory;
  auto* grown = static_cast<uint8_t*>(memory.reallocate(buffer, 1 << 20, memory.user_data));
  EXPECT(grown[kFrameBytes - 1] == 7);
  EXPECT(borrowed.Take() == buffer);
  borrowed.Give(buffer);
  borrowed.Give(grown);
  borrowed.Give(memory.reallocate(small, 200, memory.user_data));
  borrowed.Give(memory.allocate_zeroed(10, 10, memory.user_data));
  borrowed.Give(nullptr);
}

TEST_CASE("a session builds its frames in such a buffer") {
  H2TestServer server;
  EXPECT(server.context.frame_buffers.reserved() == FrameBuffers::kSlabBytes);
}

}  // namespace holdfast::test
