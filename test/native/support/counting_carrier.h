// A carrier for stress loops: takes every write at once, counts it and releases its budget.
#pragma once

#include <vector>

#include "core/inbox.h"
#include "core/worker.h"

namespace holdfast::test {

class CountingCarrier final : public Carrier {
 public:
  uint32_t streams_a_turn() const override { return 128; }
  bool Prepare(uint64_t bytes, uint32_t) override {
    scratch_.resize(bytes);
    used_ = 0;
    return true;
  }
  uint8_t* Write(uint32_t, uint32_t bytes, uint32_t messages) override {
    delivered += messages;
    used_ += bytes;
    CHECK(used_ <= scratch_.size());
    return scratch_.data() + used_ - bytes;
  }
  bool PrepareMany(uint32_t, uint32_t) override { return true; }
  void WriteMany(std::span<const uint32_t> handles, const PayloadRef&, uint32_t messages) override {
    delivered += handles.size() * messages;
  }
  uint8_t* WriteAwaited(uint32_t handle, uint32_t bytes, Ticket) override {
    return Write(handle, bytes, 1);
  }
  void Settled(Ticket, Outcome) override {}
  void Gap(uint32_t) override {}
  void Slow(uint32_t) override {}
  void Close(uint32_t handle, uint32_t, CloseReason, std::string_view) override {
    closed.push_back(handle);
  }
  void TopicNews(uint64_t) override {}
  void End(uint32_t) override {}
  void WorkerExited(uint32_t, uint64_t) override {}
  void OnRequestMail(const MessageHeader&) override {}
  bool Flush() override { return true; }

  uint64_t delivered = 0;
  std::vector<uint32_t> closed;

 private:
  std::vector<uint8_t> scratch_;
  size_t used_ = 0;
};

}  // namespace holdfast::test
