// Messages that wait for slow readers, for streams whose policy drops the oldest of them or keeps
// the latest of each key. Such a stream hands its carrier little at a time, so that what waits can
// still be replaced; all the rest is here, within the stream's budget.
//
// Threads: the owner.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/carrier.h"
#include "core/payload.h"
#include "core/stream_line.h"

namespace holdfast {

class Registry;
struct Worker;

class HeldBack {
 public:
  HeldBack(Registry& registry, Worker& worker) : registry_(registry), worker_(worker) {}
  HeldBack(const HeldBack&) = delete;
  HeldBack& operator=(const HeldBack&) = delete;

  // Whether reserved bytes may go to the carrier at once; they then count as in its hands.
  bool Pass(StreamUid uid, uint64_t bytes);
  // Ahead of all that waits.
  void PassAhead(StreamUid uid, uint64_t bytes) { queues_[uid.value].in_carrier += bytes; }
  // Keeps a reserved payload that stands for so many messages; what has to go for it is counted as
  // dropped.
  void Hold(StreamUid uid, PayloadRef payload, uint32_t messages, std::string_view key,
            Ticket ticket = 0);
  // The carrier is rid of so many bytes. True when Pump has something to do.
  bool Taken(StreamUid uid, uint64_t bytes);
  // Hands to the carrier what may go now; false when the carrier takes no more.
  bool Pump(Carrier& carrier);
  // The stream is gone: what waits is counted as undeliverable.
  void Forget(StreamUid uid);

 private:
  static constexpr uint64_t kInCarrier = 64 << 10;

  struct Entry {
    PayloadRef payload;  // empty: was replaced by a later one of its key
    uint32_t messages;
    std::string key;
    Ticket ticket;
  };
  struct Queue {
    std::deque<Entry> entries;
    uint64_t first = 0;                                // the number of the front entry
    std::unordered_map<std::string, uint64_t> by_key;  // to an entry's number
    uint64_t held = 0;                                 // bytes
    uint64_t in_carrier = 0;                           // bytes
    bool gap = false;  // something was dropped before the front entry
  };

  struct Portion {
    size_t entries = 0;
    uint64_t bytes = 0;
    uint32_t messages = 0;
    Ticket ticket = 0;
  };

  Portion NextPortion(const Queue& queue) const;
  bool HasRoom(const Queue& queue, uint64_t bytes) const;
  void DropFront(StreamUid uid, Queue& queue);
  void Drop(StreamUid uid, Queue& queue, Entry& entry);
  static void PopFront(Queue& queue);
  bool PumpOne(StreamUid uid, Carrier& carrier);

  Registry& registry_;
  Worker& worker_;
  std::unordered_map<uint64_t, Queue> queues_;
  std::vector<StreamUid> ready_;
};

}  // namespace holdfast
