// Messages that wait for slow readers, for streams whose policy drops the oldest of them or keeps
// the latest of each key. Such a stream hands its carrier little at a time, so that what waits can
// still be replaced, and as a carrier takes far more for many small writes than is in them; all the
// rest is here, within the stream's budget.
//
// Threads: the owner.
#pragma once

#include <list>
#include <memory>
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

  // Whether reserved bytes may go to the carrier at once; they then count as in its hands. Not
  // while it still has to carry out a batch with some of what waited before them.
  bool Pass(StreamUid uid, uint64_t bytes);
  // Whether a reserved write from the mail may go to the carrier at once; else it is kept.
  bool PassOrHold(const MessageHeader& message);
  // Ahead of all that waits.
  void PassAhead(StreamUid uid, uint64_t bytes);
  // Keeps a reserved payload that stands for so many messages; what has to go for it is counted as
  // dropped.
  void Hold(StreamUid uid, PayloadRef payload, uint32_t messages, std::string_view key,
            Ticket ticket = 0);
  // A message was refused: the stream is told of it behind what waits already.
  void MarkGap(StreamUid uid);
  // Nothing goes to the carrier until Resume: the mark of a gap is asked for.
  void Pause(StreamUid uid) { queues_[uid.value].paused = true; }
  // True when Pump has something to do.
  bool Resume(StreamUid uid);
  // The stream is to end behind what waits, and takes no more: Carrier::End follows. False if
  // nothing waits.
  bool EndBehind(StreamUid uid);
  // The carrier is rid of so many bytes. True when Pump has something to do.
  bool Taken(StreamUid uid, uint64_t bytes);
  // Hands to the carrier what may go now, of as many streams as a turn may write to; false when the
  // carrier takes no more. BatchDone is called when it has carried that out.
  bool Pump(Carrier& carrier);
  void BatchDone() { batch_++; }
  bool has_ready() const { return !ready_.empty() || !turned_slow_.empty(); }
  bool Holds(StreamUid uid) const;
  // The stream is gone: what waits is counted as undeliverable.
  void Forget(StreamUid uid);

 private:
  static constexpr uint64_t kInCarrier = 16 << 10;

  // What few entries have: each byte of an entry is there once for every message that waits.
  struct Extras {
    std::string key;
    Ticket ticket;
  };
  struct Entry {
    PayloadRef payload;
    std::unique_ptr<const Extras> extras;
    uint32_t messages;
    bool gap;  // messages are missing before it

    Ticket ticket() const { return extras == nullptr ? 0 : extras->ticket; }
    // What it takes beside its bytes; many small ones would take far more than the budget.
    uint64_t overhead() const {
      return kEntryBytes + (extras == nullptr ? 0 : 2 * extras->key.size());
    }
  };
  // Of the mark of a gap: asked for, and then the last that the carrier was handed.
  enum class Mark : uint8_t { kAbsent, kAsked, kLast };
  // A list, as any of them may be replaced by a later one of its key.
  using Entries = std::list<Entry>;
  struct Queue {
    Entries entries;
    std::unordered_map<std::string, Entries::iterator> by_key;
    uint64_t held = 0;        // bytes
    uint64_t overhead = 0;    // of the entries
    uint64_t in_carrier = 0;  // bytes
    uint64_t batch = 0;       // the last one that has some of it
    bool gap_behind = false;  // messages are missing behind the last entry
    Mark mark = Mark::kAbsent;
    bool ends = false;  // with the last entry
    bool paused = false;
    bool ready = false;  // listed in ready_

    // What to do before the first entry is written.
    bool tells_gap() const { return entries.empty() ? gap_behind : entries.front().gap; }
    bool idle() const { return entries.empty() && !gap_behind && !ends && !paused; }
  };
  static constexpr uint64_t kEntryBytes = 128;

  struct Portion {
    size_t entries = 0;
    uint64_t bytes = 0;
    uint32_t messages = 0;
    Ticket ticket = 0;
  };

  Portion NextPortion(const Queue& queue) const;
  bool HasRoom(const Queue& queue, uint64_t bytes) const;
  bool TellGap(StreamUid uid, Carrier& carrier);
  void MarkReady(StreamUid uid, Queue& queue);
  bool TellSlow(Carrier& carrier);
  void Drop(StreamUid uid, Queue& queue, Entries::iterator entry);
  static void Remove(Queue& queue, Entries::iterator entry);
  Queue* QueueOf(StreamUid uid);
  void WritePortion(StreamUid uid, Queue& queue, const Portion& portion, Carrier& carrier);
  bool PumpOne(StreamUid uid, Carrier& carrier);

  Registry& registry_;
  Worker& worker_;
  std::unordered_map<uint64_t, Queue> queues_;
  std::vector<StreamUid> ready_;
  std::vector<StreamUid> turned_slow_;  // and are marked as such; their carrier is to know
  uint64_t batch_ = 1;
};

}  // namespace holdfast
