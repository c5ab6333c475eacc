// Frames that cost the peer nothing and us something: an allowance that time and requests fill up,
// and that idle chatter spends; what answers our DATA is counted apart. The
// library bounds CONTINUATION and its queue of acknowledgements; the rest it takes without end.
#pragma once

#include <algorithm>
#include <cstdint>

namespace holdfast {

class FloodMeter {
 public:
  static constexpr uint32_t kMost = 2000;
  static constexpr uint32_t kEachSecond = 100;

  // What a frame costs.
  static constexpr uint32_t kChatter = 1;  // empty DATA, PRIORITY, PING, WINDOW_UPDATE unasked for
  static constexpr uint32_t kSettings = 5;
  static constexpr uint32_t kOurReset = 5;
  static constexpr uint32_t kInvalid = 20;
  static constexpr uint32_t kPast = 3;         // HEADERS and resets of streams that are gone
  static constexpr uint32_t kLateReset = 2;    // of a stream that was answered
  static constexpr uint32_t kRapidReset = 10;  // of one that was not (CVE-2023-44487)
  // What brings some back.
  static constexpr uint32_t kRequestEarns = 4;
  // A peer may answer each DATA of ours with two WINDOW_UPDATE, and hold them back until much has
  // come: those are not of the allowance.
  static constexpr uint32_t kUpdatesADataFrame = 2;
  static constexpr uint32_t kMostUpdatesOwed = 100'000;

  explicit FloodMeter(uint64_t now_ms) : filled_ms_(now_ms) {}

  // False when the peer has overdone it.
  bool Spend(uint32_t cost, uint64_t now_ms) {
    const uint64_t earned = (now_ms - filled_ms_) * kEachSecond / 1000;
    if (earned > 0) {
      Earn(static_cast<uint32_t>(std::min<uint64_t>(earned, kMost)));
      filled_ms_ = now_ms;
    }
    if (left_ < cost) return false;
    left_ -= cost;
    return true;
  }
  bool SpendUpdate(uint64_t now_ms) {
    if (updates_owed_ == 0) return Spend(kChatter, now_ms);
    updates_owed_--;
    return true;
  }
  void DataSent() {
    updates_owed_ = std::min(updates_owed_ + kUpdatesADataFrame, kMostUpdatesOwed);
  }
  void Earn(uint32_t n) { left_ = std::min(left_ + n, kMost); }

 private:
  uint64_t filled_ms_;
  uint32_t left_ = kMost;
  uint32_t updates_owed_ = 0;
};

}  // namespace holdfast
