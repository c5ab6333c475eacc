// The last messages of a topic, numbered. Bounded in number and in bytes: the oldest go.
//
// A message's id says which log it is of, by an epoch that no other has, and its number there. So
// who comes with an id of another process, or of a log that was given up, is known for it.
//
// Threads: one at a time; core/replay_ring.h has the lock.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include "core/encode.h"
#include "core/payload.h"

namespace holdfast {

struct RingLimits {
  uint32_t events = 0;
  uint64_t bytes = 0;
};

// `<epoch>-<sequence>`, the epoch as 12 hexadecimal digits.
class RingId {
 public:
  RingId() = default;
  RingId(uint64_t epoch, uint64_t sequence);
  static std::optional<RingId> Parse(std::string_view text);

  uint64_t epoch() const { return epoch_; }
  uint64_t sequence() const { return sequence_; }
  // Empty: it is none.
  std::string_view text() const { return {text_.data(), size_}; }

 private:
  uint64_t epoch_ = 0;
  uint64_t sequence_ = 0;
  size_t size_ = 0;
  std::array<char, 36> text_{};
};

class RingLog {
 public:
  static constexpr uint32_t kEpochBits = 48;
  // What a message takes beside its texts.
  static constexpr uint64_t kEntryBytes = 96;

  // The first message will be number `before` + 1.
  RingLog(uint64_t epoch, uint64_t before, RingLimits limits)
      : epoch_(epoch & ((uint64_t{1} << kEpochBits) - 1)), last_(before), limits_(limits) {}
  RingLog(const RingLog&) = delete;
  RingLog& operator=(const RingLog&) = delete;

  // Keeps it, and returns its number. One that is larger than the whole log is numbered only.
  uint64_t Append(const OutgoingMessage& message);
  void SetLimits(RingLimits limits);

  // Where one who has seen `id` goes on: with message `next`; gap: some before it are missing.
  struct Place {
    uint64_t next;
    bool gap;
  };
  Place Behind(std::string_view id) const;

  // A message that is kept, with its id. Refers to the log, which must not change meanwhile.
  class Kept {
   public:
    Kept(const RingLog& log, uint64_t sequence);
    Kept(const Kept&) = delete;
    Kept& operator=(const Kept&) = delete;
    const OutgoingMessage& message() const { return message_; }

   private:
    const RingId id_;
    OutgoingMessage message_;
  };

  RingId IdOf(uint64_t sequence) const { return {epoch_, sequence}; }
  uint64_t last() const { return last_; }
  // The oldest that is kept; last() + 1 if none is.
  uint64_t first() const { return last_ + 1 - entries_.size(); }
  uint64_t bytes() const { return bytes_; }

 private:
  struct Entry {
    PayloadRef texts;  // event, then data
    uint32_t event_size;
    bool binary;
    bool has_data;
    int64_t retry_ms;
  };
  static uint64_t ChargeOf(const Entry& entry) { return kEntryBytes + entry.texts->size(); }
  void Trim();

  const uint64_t epoch_;
  uint64_t last_;
  RingLimits limits_;
  std::deque<Entry> entries_;
  uint64_t bytes_ = 0;
};

}  // namespace holdfast
