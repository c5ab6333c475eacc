// One publication on its way to many streams of this worker, a bounded piece at a time.
//
// Threads: the owner.
#pragma once

#include <vector>

#include "core/carrier.h"
#include "core/message.h"
#include "core/receivers.h"

namespace holdfast {

class FanOut {
 public:
  FanOut(Registry& registry, Worker& worker, Carrier& carrier)
      : registry_(registry), worker_(worker), carrier_(carrier) {}
  FanOut(const FanOut&) = delete;
  FanOut& operator=(const FanOut&) = delete;

  // Begins with the publication at `offset`, and those behind it that can be written with it.
  // Returns the offset behind them. The last one has to be finished.
  uint32_t Begin(const Chunk& chunk, uint32_t offset);
  bool finished() const { return next_ == members_.size(); }
  // The next piece, of up to `*streams`, and leaves how many more the turn may write to; false when
  // the carrier takes no more: then the rest is counted as undeliverable.
  bool Step(uint32_t* streams);
  void Abandon();

 private:
  void BeginGap(const Publication& gap);
  bool IsOwed(const TopicMember& member) const;
  size_t NextPiece(uint32_t* streams) const;
  bool StepGap(uint32_t* streams);
  void BreakOff();
  void TellGaps();

  // Publications to one topic become one write a stream, up to here.
  static constexpr uint32_t kJoinedBytes = 16 << 10;

  Registry& registry_;
  Worker& worker_;
  Carrier& carrier_;
  std::array<PayloadRef, kStreamKinds> forms_;
  uint32_t messages_ = 0;  // that the forms stand for; 0: members are told that some are missing
  std::string key_;
  TopicId topic_ = 0;                 // 0: it is for a list
  uint64_t sequence_ = 0;             // of the first, as in the publication
  uint64_t removals_ = 0;             // when the members were looked up
  std::vector<TopicMember> members_;  // by kind, and by session if they are many
  size_t next_ = 0;
  std::vector<uint32_t> handles_;
  std::vector<StreamUid> slow_;    // to be broken off
  std::vector<StreamUid> untold_;  // to be told of a gap
};

}  // namespace holdfast
