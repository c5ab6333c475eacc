// Turns a worker's mail into carrier operations, a bounded piece a turn: what a turn brings for one
// stream becomes one write, in each sender's order; what goes to many streams is handed over once.
//
// Threads: the owner.
#pragma once

#include <deque>
#include <vector>

#include "core/fan_out.h"

namespace holdfast {

class Inbox {
 public:
  Inbox(Registry& registry, Worker& worker, Carrier& carrier)
      : registry_(registry), worker_(worker), carrier_(carrier) {}
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  // To be delivered behind what is here already.
  void Put(std::vector<ChunkPtr> chunks);
  // Delivers for one turn of the loop; true when there is more. What is left when the carrier takes
  // no more is counted as undeliverable.
  bool Deliver();
  // Counts all that is left as undeliverable.
  void Discard();

 private:
  // A window is joined at a time: enough to join well, little enough to stay in cache.
  static constexpr uint32_t kWindowMessages = 4096;
  static constexpr uint32_t kWindowBytes = 256 << 10;
  static constexpr uint32_t kTableSize = 2 * kWindowMessages;
  // What one turn delivers before the loop's other work has its turn. A receiver of a publication
  // costs as much as some bytes.
  static constexpr uint64_t kBytesATurn = 2 << 20;
  static constexpr uint64_t kReceiverBytes = 512;

  struct Group {
    StreamUid uid;
    uint32_t handle;
    uint32_t bytes = 0;
    uint32_t messages = 0;
    bool keeps_queue;
    uint8_t* out = nullptr;
  };
  struct Entry {
    const MessageHeader* message;
    uint32_t offset;  // of its bytes, behind a key
    uint32_t group;
  };
  bool Add(const MessageHeader& message);
  bool Write();
  bool WriteAwaited(const MessageHeader& message, std::span<const uint8_t> bytes, Ticket ticket);
  bool Control(const MessageHeader& message);
  bool TellGap(StreamUid uid);
  Group* GroupOf(const MessageHeader& message);
  // To be woken when the next stream has something due; true if that is now.
  bool ArmAlarm();
  // One message, or piece of a publication; false when the carrier takes no more.
  bool Step(uint64_t* spent);

  Registry& registry_;
  Worker& worker_;
  Carrier& carrier_;
  std::deque<ChunkPtr> chunks_;
  uint32_t offset_ = 0;             // in the first of them
  std::vector<ChunkPtr> consumed_;  // the window may still refer to them
  FanOut fan_out_{registry_, worker_, carrier_};
  std::vector<Entry> window_;
  std::vector<Group> groups_;
  uint64_t window_bytes_ = 0;
  uint64_t alarm_ms_ = Alarms::kNever;  // when it will be woken, if it will
  // Open addressing from uid to group; emptied by advancing the stamp.
  struct Cell {
    uint32_t stamp = 0;
    uint32_t group = 0;
  };
  std::vector<Cell> table_ = std::vector<Cell>(kTableSize);
  uint32_t stamp_ = 0;
};

}  // namespace holdfast
