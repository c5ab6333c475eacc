// Messages between threads, packed one behind the other into chunks.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "base/check.h"
#include "base/uid.h"

namespace holdfast {

enum class MessageOp : uint16_t {
  kWrite,       // the bytes, in the stream's wire form
  kClose,       // a 32-bit code, then the reason's text
  kWorkerExit,  // to the worker, not to a stream: uid is the worker's number, 64-bit stream count
};

struct MessageHeader {
  StreamUid uid;
  uint32_t size;  // of the bytes that follow
  MessageOp op;
  uint16_t reserved = 0;

  const uint8_t* bytes() const { return reinterpret_cast<const uint8_t*>(this + 1); }
};
static_assert(sizeof(MessageHeader) == 16);

class Chunk;
struct ChunkDeleter {
  void operator()(Chunk* chunk) const;
};
using ChunkPtr = std::unique_ptr<Chunk, ChunkDeleter>;

// A run of messages on its way. Threads: one at a time; it changes hands under a mailbox's lock.
class alignas(8) Chunk {
 public:
  static constexpr uint32_t Footprint(uint32_t bytes) {
    return static_cast<uint32_t>(sizeof(MessageHeader)) + ((bytes + 7u) & ~7u);
  }

  static ChunkPtr Make(uint32_t capacity) {
    void* memory = std::malloc(sizeof(Chunk) + capacity);
    CHECK(memory != nullptr);
    return ChunkPtr(new (memory) Chunk(capacity));
  }

  bool HasRoom(uint32_t bytes) const { return capacity_ - size_ >= Footprint(bytes); }
  uint32_t capacity() const { return capacity_; }

  // Where to put the message's bytes. The caller has asked HasRoom.
  uint8_t* Append(StreamUid uid, MessageOp op, uint32_t bytes) {
    DCHECK(HasRoom(bytes));
    auto* header = new (data() + size_) MessageHeader{uid, bytes, op};
    size_ += Footprint(bytes);
    return reinterpret_cast<uint8_t*>(header + 1);
  }

  // nullptr behind the last one.
  const MessageHeader* At(uint32_t offset) const {
    return offset == size_ ? nullptr : reinterpret_cast<const MessageHeader*>(data() + offset);
  }
  uint64_t CountWrites() const {
    uint64_t writes = 0;
    uint32_t offset = 0;
    while (const MessageHeader* message = At(offset)) {
      if (message->op == MessageOp::kWrite) writes++;
      offset = Next(offset, *message);
    }
    return writes;
  }
  static uint32_t Next(uint32_t offset, const MessageHeader& message) {
    return offset + Footprint(message.size);
  }

 private:
  explicit Chunk(uint32_t capacity) : capacity_(capacity) {}
  uint8_t* data() { return reinterpret_cast<uint8_t*>(this + 1); }
  const uint8_t* data() const { return reinterpret_cast<const uint8_t*>(this + 1); }

  const uint32_t capacity_;
  uint32_t size_ = 0;
};
static_assert(sizeof(Chunk) % 8 == 0);

inline void ChunkDeleter::operator()(Chunk* chunk) const { std::free(chunk); }

}  // namespace holdfast
