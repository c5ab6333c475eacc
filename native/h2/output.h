// What a flush of one session gathers, to be written at once: small pieces are copied one behind
// the other, large ones stay where they are. One for all sessions of a thread; what a socket does
// not take is kept by its session.
//
// Threads: one.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/payload.h"

namespace holdfast {

// Bytes [begin, end) of a payload.
struct Piece {
  PayloadRef payload;
  uint32_t begin = 0;
  uint32_t end = 0;

  uint32_t size() const { return end - begin; }
  std::span<const uint8_t> bytes() const { return payload->bytes().subspan(begin, size()); }
};

// Writes to a non-blocking socket, never raising SIGPIPE. -1: errno tells.
ssize_t WriteSocket(int fd, std::span<iovec> pieces);

class Output {
 public:
  // A frame of the library and its header: what room there must be before asking it for one.
  static constexpr size_t kFrame = (16 << 10) + 64;
  // From this size on a copy costs more than a further piece.
  static constexpr size_t kShare = 2 << 10;

  Output();

  size_t size() const { return total_; }
  bool HasRoomForFrame() const { return HasRoomForFrames(1); }
  // Behind a DATA frame the library may give another, of trailers say, without being asked again.
  bool HasRoomForData() const { return HasRoomForFrames(2); }
  // Within that room.
  void Copy(std::span<const uint8_t> bytes);
  void Add(const PayloadRef& payload, std::span<const uint8_t> bytes);

  // Writes it. What the socket did not take goes to `unsent`; false if the connection is broken.
  bool WriteTo(int fd, std::vector<Piece>* unsent);

  // All of it, if nothing was added but by Copy.
  std::span<const uint8_t> copied() const { return {scratch_.get(), used_}; }
  void Clear();

 private:
  static constexpr size_t kScratch = 80 << 10;
  static constexpr size_t kPieces = 128;
  static constexpr size_t kPiecesAFrame = 2 * (kFrame / kShare) + 2;
  static constexpr size_t kMost = 128 << 10;

  bool HasRoomForFrames(size_t frames) const {
    return kScratch - used_ >= frames * kFrame && count_ + frames * kPiecesAFrame <= kPieces &&
           total_ < kMost;
  }
  void Keep(size_t taken, std::vector<Piece>* unsent);

  std::unique_ptr<uint8_t[]> scratch_;
  size_t used_ = 0;
  std::array<iovec, kPieces> pieces_;
  std::array<PayloadRef, kPieces> payloads_;  // of the piece; none: it lies in the scratch memory
  size_t count_ = 0;
  size_t total_ = 0;
};

// Bytes that are copied if the socket does not take them, or if others wait before them.
bool WriteOrKeep(int fd, std::span<const uint8_t> bytes, std::vector<Piece>* unsent);

size_t TotalOf(std::span<const Piece> pieces);

// Goes on with what was left; false if the connection is broken.
bool WriteUnsent(int fd, std::vector<Piece>* unsent);

}  // namespace holdfast
