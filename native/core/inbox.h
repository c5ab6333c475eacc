// Turns a worker's mail into carrier operations, a bounded piece a turn: what a turn brings for one
// stream becomes one write, in each sender's order; what goes to many streams is handed over once.
// Where they are more than a turn writes to, those of one session and kind have the same turn.
//
// Threads: the owner.
#pragma once

#include <deque>
#include <vector>

#include "core/fan_out.h"
#include "core/joined_writes.h"

namespace holdfast {

class Inbox {
 public:
  Inbox(Registry& registry, Worker& worker, Carrier& carrier)
      : registry_(registry), worker_(worker), carrier_(carrier) {}
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  // All the mail that has come, to be delivered behind what is here already.
  void Put(std::vector<ChunkPtr> chunks);
  // Delivers for one turn of the loop; true when there is more. What is left when the carrier takes
  // no more is counted as undeliverable.
  bool Deliver();
  // Counts all that is left as undeliverable.
  void Discard();

 private:
  // What one turn looks at before the loop's other work has its turn.
  static constexpr uint64_t kBytesATurn = 2 << 20;

  struct Turn {
    uint64_t bytes;    // of mail
    uint32_t streams;  // to write to, or to do something else with
  };

  // The next that is not yet dealt with, nullptr if there is none.
  const MessageHeader* Next();
  // What is before that offset is dealt with.
  void Advance(uint32_t end, Turn* turn);
  bool HasWork(const Turn& turn);
  // One message, or a piece of what goes to many streams; false when the carrier takes no more.
  bool Step(Turn* turn);
  bool WriteAwaited(const MessageHeader& message);
  bool Control(const MessageHeader& message);
  bool TellGap(StreamUid uid);
  // All that lies in what was looked at is written.
  void FinishConsumed();
  void ReleaseFinished();
  // To be woken when the next stream has something due; true if that is now.
  bool ArmAlarm();

  Registry& registry_;
  Worker& worker_;
  Carrier& carrier_;
  std::deque<ChunkPtr> chunks_;
  uint32_t offset_ = 0;             // in the first of them
  std::vector<ChunkPtr> consumed_;  // what is to be written may still lie in them
  std::vector<ChunkPtr> finished_;  // to be released
  FanOut fan_out_{registry_, worker_, carrier_};
  JoinedWrites writes_{worker_, carrier_};
  uint64_t alarm_ms_ = Alarms::kNever;  // when it will be woken, if it will
};

}  // namespace holdfast
