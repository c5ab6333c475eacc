#include "h2/output.h"

#include <errno.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace holdfast {
namespace {

#if defined(MSG_NOSIGNAL)
constexpr int kNoSignal = MSG_NOSIGNAL;
#else
constexpr int kNoSignal = 0;  // the socket has SO_NOSIGPIPE
#endif

bool WouldBlock(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

Piece CopyOf(std::span<const uint8_t> bytes) {
  const auto size = static_cast<uint32_t>(bytes.size());
  const auto copy = [&](uint8_t* out) { std::memcpy(out, bytes.data(), size); };
  return {PayloadRef::Make(size, copy), 0, size};
}

}  // namespace

ssize_t WriteSocket(int fd, std::span<iovec> pieces) {
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(pieces.size());
  ssize_t written;
  do {
    written = sendmsg(fd, &message, kNoSignal);
  } while (written < 0 && errno == EINTR);
  return written;
}

Output::Output() : scratch_(new uint8_t[kScratch]) {}

void Output::Copy(std::span<const uint8_t> bytes) {
  if (bytes.empty()) return;
  CHECK(bytes.size() <= kScratch - used_);
  uint8_t* to = scratch_.get() + used_;
  std::memcpy(to, bytes.data(), bytes.size());
  used_ += bytes.size();
  total_ += bytes.size();
  iovec* last = count_ > 0 ? &pieces_[count_ - 1] : nullptr;
  if (last != nullptr && !payloads_[count_ - 1]) {
    last->iov_len += bytes.size();
    return;
  }
  CHECK(count_ < kPieces);
  pieces_[count_++] = {to, bytes.size()};
}

void Output::Add(const PayloadRef& payload, std::span<const uint8_t> bytes) {
  if (bytes.size() < kShare) {
    Copy(bytes);
    return;
  }
  CHECK(count_ < kPieces);
  payloads_[count_] = payload;
  pieces_[count_++] = {const_cast<uint8_t*>(bytes.data()), bytes.size()};
  total_ += bytes.size();
}

bool Output::WriteTo(int fd, std::vector<Piece>* unsent) {
  const ssize_t written = WriteSocket(fd, {pieces_.data(), count_});
  const bool broken = written < 0 && !WouldBlock(errno);
  const size_t taken = written < 0 ? 0 : static_cast<size_t>(written);
  if (!broken && taken < total_) Keep(taken, unsent);
  Clear();
  return !broken;
}

void Output::Keep(size_t taken, std::vector<Piece>* unsent) {
  for (size_t i = 0; i < count_; i++) {
    const size_t size = pieces_[i].iov_len;
    const size_t skip = std::min(taken, size);
    taken -= skip;
    if (skip == size) continue;
    const auto* bytes = static_cast<const uint8_t*>(pieces_[i].iov_base) + skip;
    const auto left = static_cast<uint32_t>(size - skip);
    if (payloads_[i]) {
      const auto begin = static_cast<uint32_t>(bytes - payloads_[i]->bytes().data());
      unsent->push_back({payloads_[i], begin, begin + left});
    } else {
      unsent->push_back(CopyOf({bytes, left}));
    }
  }
}

void Output::Clear() {
  for (size_t i = 0; i < count_; i++) payloads_[i] = PayloadRef();
  count_ = 0;
  used_ = 0;
  total_ = 0;
}

bool WriteOrKeep(int fd, std::span<const uint8_t> bytes, std::vector<Piece>* unsent) {
  if (unsent->empty()) {
    iovec whole = {const_cast<uint8_t*>(bytes.data()), bytes.size()};
    const ssize_t written = WriteSocket(fd, {&whole, 1});
    if (written < 0 && !WouldBlock(errno)) return false;
    bytes = bytes.subspan(written < 0 ? 0 : static_cast<size_t>(written));
  }
  if (!bytes.empty()) unsent->push_back(CopyOf(bytes));
  return true;
}

size_t TotalOf(std::span<const Piece> pieces) {
  size_t total = 0;
  for (const Piece& piece : pieces) total += piece.size();
  return total;
}

bool WriteUnsent(int fd, std::vector<Piece>* unsent) {
  while (!unsent->empty()) {
    std::array<iovec, 64> pieces;
    const size_t count = std::min(pieces.size(), unsent->size());
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
      const std::span<const uint8_t> bytes = (*unsent)[i].bytes();
      pieces[i] = {const_cast<uint8_t*>(bytes.data()), bytes.size()};
      total += bytes.size();
    }
    const ssize_t written = WriteSocket(fd, {pieces.data(), count});
    if (written < 0) return WouldBlock(errno);
    size_t taken = static_cast<size_t>(written);
    const bool blocked = taken < total;
    size_t done = 0;
    for (; done < count && taken >= (*unsent)[done].size(); done++) taken -= (*unsent)[done].size();
    unsent->erase(unsent->begin(), unsent->begin() + static_cast<ptrdiff_t>(done));
    if (taken > 0) unsent->front().begin += static_cast<uint32_t>(taken);
    if (blocked) return true;
  }
  // An idle session keeps no memory for it.
  std::vector<Piece>().swap(*unsent);
  return true;
}

}  // namespace holdfast
