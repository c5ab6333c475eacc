// Messages for many streams, gathered so that each gets all that is for it as one write, in each
// sender's order; then handed to the carrier, to as many streams a turn as that has left.
//
// Threads: the owner.
#pragma once

#include <vector>

#include "core/carrier.h"
#include "core/message.h"

namespace holdfast {

struct Worker;

class JoinedWrites {
 public:
  JoinedWrites(Worker& worker, Carrier& carrier) : worker_(worker), carrier_(carrier) {}
  JoinedWrites(const JoinedWrites&) = delete;
  JoinedWrites& operator=(const JoinedWrites&) = delete;

  bool empty() const { return entries_.empty(); }
  // Whether it may be added: a write that nobody waits for, while there is room. There is none from
  // the first Write until all is written.
  bool Takes(const MessageHeader& message) const;
  // It has to stay where it is until all is written. False if its stream is gone.
  bool Add(const MessageHeader& message);
  // Writes to up to `*streams`, session by session where they are more, and leaves how many the
  // turn may still write to; false when the carrier takes no more.
  bool Write(uint32_t* streams);
  // Counts what is left as undeliverable.
  void Abandon();

 private:
  // Enough to join well, little enough to stay in cache.
  static constexpr uint32_t kMessages = 4096;
  static constexpr uint32_t kBytes = 256 << 10;
  static constexpr uint32_t kTableSize = 2 * kMessages;
  static constexpr uint32_t kNone = ~uint32_t{0};

  struct Group {
    StreamUid uid;
    uint32_t handle;
    uint32_t socket;
    uint32_t bytes = 0;
    uint32_t messages = 0;
    uint32_t first = kNone;  // entry
    uint32_t last = kNone;
    bool keeps_queue;
  };
  struct Entry {
    const uint8_t* bytes;
    uint32_t size;
    uint32_t next;  // of its group
  };
  // Open addressing from uid to group; emptied by advancing the stamp.
  struct Cell {
    uint32_t stamp = 0;
    uint32_t group = 0;
  };

  Group* GroupOf(StreamUid uid);
  void WriteGroup(const Group& group, uint64_t now_ms);
  void Clear();

  Worker& worker_;
  Carrier& carrier_;
  std::vector<Entry> entries_;
  std::vector<Group> groups_;
  size_t written_ = 0;  // groups
  uint64_t bytes_ = 0;
  std::vector<Cell> table_ = std::vector<Cell>(kTableSize);
  uint32_t stamp_ = 0;
};

}  // namespace holdfast
