// Turns a worker's mail into carrier operations: what a batch brings for one stream becomes one
// write, in each sender's order.
//
// Threads: the owner.
#pragma once

#include <vector>

#include "core/carrier.h"
#include "core/worker.h"

namespace holdfast {

class Inbox {
 public:
  Inbox(Worker& worker, Carrier& carrier) : worker_(worker), carrier_(carrier) {}
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  // Delivers the chunks. Stops early when the carrier takes no more; what is left then is counted
  // as undeliverable.
  void Deliver(const std::vector<ChunkPtr>& chunks);
  // Counts its messages as undeliverable.
  void Discard(const Chunk& chunk);

 private:
  // A window is joined at a time: enough to join well, little enough to stay in cache.
  static constexpr uint32_t kWindowMessages = 4096;
  static constexpr uint32_t kWindowBytes = 256 << 10;
  static constexpr uint32_t kTableSize = 2 * kWindowMessages;

  struct Group {
    StreamUid uid;
    uint32_t handle;
    uint32_t bytes = 0;
    uint32_t messages = 0;
    uint8_t* out = nullptr;
  };
  struct Entry {
    const MessageHeader* message;
    uint32_t group;
  };

  bool Add(const MessageHeader& message);
  bool Write();
  bool Control(const MessageHeader& message);
  Group* GroupOf(const MessageHeader& message);

  Worker& worker_;
  Carrier& carrier_;
  std::vector<Entry> window_;
  std::vector<Group> groups_;
  uint64_t window_bytes_ = 0;
  // Open addressing from uid to group; emptied by advancing the stamp.
  struct Cell {
    uint32_t stamp = 0;
    uint32_t group = 0;
  };
  std::vector<Cell> table_ = std::vector<Cell>(kTableSize);
  uint32_t stamp_ = 0;
};

}  // namespace holdfast
