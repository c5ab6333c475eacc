// Messages between threads, packed one behind the other into chunks.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/uid.h"
#include "core/publication.h"

namespace holdfast {

enum class MessageOp : uint16_t {
  kWrite,       // the bytes, in the stream's wire form
  kWriteWith,   // a 64-bit ticket, the 32-bit size of a key, the key, then the same
  kClose,       // a 32-bit code, a 32-bit CloseReason, then the reason's text
  kPublish,     // a Publication: to many streams, and uid is nobody's
  kGap,         // nothing: messages for the stream were refused, and it is to be told of a gap
  kSettled,     // to the worker that waits: uid is the ticket, a 32-bit Outcome
  kTopicNews,   // to a worker that waits for it: uid is the number of a ring (core/replay_ring.h)
  kWorkerExit,  // to the worker, not to a stream: uid is the worker's number, 64-bit stream count

  // Between a Node thread and a reactor, of a request: core/request_mail.h. First those to the
  // reactor.
  kRequestHead,
  kRequestWrite,
  kRequestEnd,
  kRequestReset,
  kRequestConsume,
  kRequestDiscard,
  kRequestAhead,
  kRequestGapOver,
  kSessionClose,
  // And those to the Node thread, in the order of their records (binding/node_carrier.h).
  kRequest,
  kRequestBody,
  kRequestBodyEnd,
  kRequestTaken,
  kRequestClosed,
  kRequestCloseAsked,
  kRequestSlow,
  kRequestGap,
  kSessionClosed,
};

struct MessageHeader {
  StreamUid uid;
  uint32_t size;  // of the bytes that follow
  MessageOp op;
  uint16_t reserved = 0;

  const uint8_t* bytes() const { return reinterpret_cast<const uint8_t*>(this + 1); }
  const Publication& publication() const {
    DCHECK(op == MessageOp::kPublish);
    return *reinterpret_cast<const Publication*>(this + 1);
  }
};
static_assert(sizeof(MessageHeader) == 16);

// What stands before the bytes of a kWriteWith, not aligned; the key follows it.
struct WithHeader {
  uint64_t ticket;
  uint32_t key_size;

  static constexpr uint32_t kBytes = sizeof(uint64_t) + sizeof(uint32_t);
  static WithHeader Of(const MessageHeader& message) {
    WithHeader header{};
    if (message.op != MessageOp::kWriteWith) return header;
    std::memcpy(&header.ticket, message.bytes(), sizeof header.ticket);
    std::memcpy(&header.key_size, message.bytes() + sizeof header.ticket, sizeof header.key_size);
    return header;
  }
  void Write(uint8_t* out) const {
    std::memcpy(out, &ticket, sizeof ticket);
    std::memcpy(out + sizeof ticket, &key_size, sizeof key_size);
  }
};

// Of a kWrite or kWriteWith: what the stream is to be written, and the key, if it has one.
inline std::span<const uint8_t> WrittenBytes(const MessageHeader& message) {
  const bool with = message.op == MessageOp::kWriteWith;
  const uint32_t before = with ? WithHeader::kBytes + WithHeader::Of(message).key_size : 0;
  return {message.bytes() + before, message.size - before};
}
inline std::string_view KeyOf(const MessageHeader& message) {
  if (message.op != MessageOp::kWriteWith) return {};
  const auto* key = reinterpret_cast<const char*>(message.bytes() + WithHeader::kBytes);
  return {key, WithHeader::Of(message).key_size};
}

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
  // What is reserved for it in the mailbox: its own memory, and what its publications refer to.
  uint64_t charged_bytes() const { return capacity_ + referred_bytes_; }

  // Where to put the message's bytes. The caller has asked HasRoom.
  uint8_t* Append(StreamUid uid, MessageOp op, uint32_t bytes) {
    DCHECK(HasRoom(bytes));
    auto* header = new (data() + size_) MessageHeader{uid, bytes, op};
    size_ += Footprint(bytes);
    return reinterpret_cast<uint8_t*>(header + 1);
  }
  // The caller has asked HasRoom, and reserved the publication's charge as well.
  void Append(Publication publication) {
    referred_bytes_ += publication.charged_bytes();
    publications_++;
    new (Append(StreamUid{}, MessageOp::kPublish, sizeof(Publication)))
        Publication(std::move(publication));
  }

  // nullptr behind the last one.
  const MessageHeader* At(uint32_t offset) const {
    return offset == size_ ? nullptr : reinterpret_cast<const MessageHeader*>(data() + offset);
  }
  static uint32_t Next(uint32_t offset, const MessageHeader& message) {
    return offset + Footprint(message.size);
  }
  template <typename Visit>
  void ForEach(Visit visit) const {
    uint32_t offset = 0;
    while (const MessageHeader* message = At(offset)) {
      visit(*message);
      offset = Next(offset, *message);
    }
  }

 private:
  friend ChunkDeleter;

  explicit Chunk(uint32_t capacity) : capacity_(capacity) {}
  uint8_t* data() { return reinterpret_cast<uint8_t*>(this + 1); }
  const uint8_t* data() const { return reinterpret_cast<const uint8_t*>(this + 1); }

  const uint32_t capacity_;
  uint32_t size_ = 0;
  uint32_t publications_ = 0;
  uint64_t referred_bytes_ = 0;
};
static_assert(sizeof(Chunk) % 8 == 0 && alignof(Publication) <= 8);

inline void ChunkDeleter::operator()(Chunk* chunk) const {
  if (chunk->publications_ > 0) {
    chunk->ForEach([](const MessageHeader& message) {
      if (message.op == MessageOp::kPublish) message.publication().~Publication();
    });
  }
  std::free(chunk);
}

}  // namespace holdfast
