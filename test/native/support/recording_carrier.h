// A carrier that keeps what it was told, holds the core to its promises, and can be closed midway.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "core/carrier.h"
#include "core/sender.h"
#include "support/doctest.h"

namespace holdfast::test {

class RecordingCarrier final : public Carrier {
 public:
  struct Operation {
    enum { kWrite, kClose, kExit, kGap, kEnd, kNews } what;
    uint64_t whom;  // a handle, or the number of a worker or ring
    uint32_t messages = 0;
    uint32_t code = 0;
    uint64_t streams = 0;
    size_t buffer = 0;  // of a write: where in `buffers` its bytes are
    std::string text;
  };

  uint32_t streams_a_turn() const override { return streams; }
  bool Prepare(uint64_t bytes, uint32_t operations) override {
    prepares++;
    room_bytes_ = bytes;
    room_operations_ = operations;
    if (on_prepare) on_prepare();
    return open;
  }
  uint8_t* Write(uint32_t handle, uint32_t bytes, uint32_t messages) override {
    Take(bytes);
    buffers_.emplace_back(bytes, '?');
    operations_.push_back({Operation::kWrite, handle, messages, 0, 0, buffers_.size() - 1, {}});
    return reinterpret_cast<uint8_t*>(buffers_.back().data());
  }
  bool PrepareMany(uint32_t bytes, uint32_t handles) override {
    room_handles_ = handles;
    return Prepare(bytes, 1);
  }
  void WriteMany(std::span<const uint32_t> handles, const PayloadRef& payload,
                 uint32_t messages) override {
    Take(payload->size());
    EXPECT(handles.size() <= room_handles_);
    fan_outs++;
    const auto bytes = payload->bytes();
    for (const uint32_t handle : handles) {
      buffers_.emplace_back(bytes.begin(), bytes.end());
      operations_.push_back({Operation::kWrite, handle, messages, 0, 0, buffers_.size() - 1, {}});
    }
  }
  uint8_t* WriteAwaited(uint32_t handle, uint32_t bytes, Ticket ticket) override {
    awaited.push_back(ticket);
    return Write(handle, bytes, 1);
  }
  void Settled(Ticket ticket, Outcome outcome) override {
    Take(0);
    settled.emplace_back(ticket, outcome);
  }
  void Gap(uint32_t handle) override {
    Take(0);
    operations_.push_back({Operation::kGap, handle, 0, 0, 0, 0, "gap"});
  }
  void Slow(uint32_t handle) override {
    Take(0);
    slow.push_back(handle);
  }
  void Close(uint32_t handle, uint32_t code, CloseReason reason, std::string_view text) override {
    Take(text.size());
    reasons.push_back(reason);
    operations_.push_back({Operation::kClose, handle, 0, code, 0, 0, std::string(text)});
  }
  void TopicNews(uint64_t ring) override {
    Take(0);
    operations_.push_back({Operation::kNews, ring, 0, 0, 0, 0, {}});
  }
  void End(uint32_t handle) override {
    Take(0);
    operations_.push_back({Operation::kEnd, handle, 0, 0, 0, 0, "end"});
  }
  void WorkerExited(uint32_t worker_id, uint64_t streams) override {
    Take(0);
    operations_.push_back({Operation::kExit, worker_id, 0, 0, streams, 0, {}});
  }
  void OnRequestMail(const MessageHeader& message) override {
    Take(0);
    request_mail.push_back(message.op);
  }
  bool Flush() override {
    flushes++;
    if (on_flush) on_flush();
    return open;
  }

  // The operations so far, writes with their bytes.
  std::vector<Operation> operations() const {
    std::vector<Operation> copy = operations_;
    for (Operation& operation : copy) {
      if (operation.what == Operation::kWrite) operation.text = buffers_[operation.buffer];
    }
    return copy;
  }
  // What was made room for last, and not used.
  uint64_t room_left() const { return room_bytes_; }
  size_t operation_count() const { return operations_.size(); }
  std::string Written(uint32_t handle) const {
    std::string text;
    for (const Operation& operation : operations_) {
      if (operation.what != Operation::kWrite || operation.whom != handle) continue;
      text += buffers_[operation.buffer];
    }
    return text;
  }

  bool open = true;
  uint32_t streams = 4096;  // a turn
  std::function<void()> on_prepare;
  std::function<void()> on_flush;
  int prepares = 0;
  int flushes = 0;
  int fan_outs = 0;
  std::vector<Ticket> awaited;
  std::vector<std::pair<Ticket, Outcome>> settled;
  std::vector<uint32_t> slow;  // the handles of those that were told of
  std::vector<CloseReason> reasons;
  std::vector<MessageOp> request_mail;

 private:
  void Take(size_t bytes) {
    EXPECT(open);
    EXPECT(bytes <= room_bytes_);
    EXPECT(room_operations_ > 0);
    room_bytes_ -= std::min<uint64_t>(room_bytes_, bytes);
    room_operations_--;
  }

  uint64_t room_bytes_ = 0;
  uint32_t room_operations_ = 0;
  uint32_t room_handles_ = 0;
  std::vector<Operation> operations_;
  std::deque<std::string> buffers_;
};

// For sends to streams of the sender's own thread.
class StringBuffer final : public Sender::LocalBuffer {
 public:
  uint8_t* Allocate(uint32_t bytes) override {
    text.assign(bytes, '?');
    return reinterpret_cast<uint8_t*>(text.data());
  }
  std::string text;
};

inline OutgoingMessage Text(std::string_view data) {
  OutgoingMessage message;
  message.data = data;
  return message;
}

}  // namespace holdfast::test
