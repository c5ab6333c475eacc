// A test in the place of a Node thread: it takes requests of reactors, keeps what it is told, and
// answers when the test says so.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "core/adoption.h"
#include "core/sender.h"
#include "support/h2_server.h"
#include "support/recording_carrier.h"
#include "support/test_worker.h"

namespace holdfast::test {

struct RequestTold {
  MessageOp op;
  RequestId id;
  RequestHeader header;
  std::string bytes;
};

class NodeThread {
 public:
  explicit NodeThread(const Options& options = RoomyOptions())
      : worker(options), sender(Registry::Get(), worker.get()) {
    worker->takes_requests.store(true);
  }
  ~NodeThread() { worker->takes_requests.store(false); }

  // What came since, oldest first.
  std::vector<RequestTold> Take() {
    std::vector<RequestTold> told;
    for (const ChunkPtr& chunk : worker.Take().chunks) {
      chunk->ForEach([&](const MessageHeader& message) {
        if (message.op == MessageOp::kWorkerExit || message.op == MessageOp::kSettled) {
          if (message.op == MessageOp::kSettled) settled.push_back(message.uid.value);
          return;
        }
        told.push_back({message.op, RequestId::Unpack(message.uid), RequestHeader::Of(message),
                        std::string(RequestBytes(message))});
      });
    }
    return told;
  }
  // Waits for the next mail of that kind. What was told of the same request before it is dropped: a
  // test that awaits it later finds that it came out of order. What was told of others stays.
  RequestTold Await(MessageOp op) {
    const auto is_it = [&](const RequestTold& told) { return told.op == op; };
    auto found = waiting_.end();
    REQUIRE(Eventually([&] {
      for (RequestTold& told : Take()) waiting_.push_back(std::move(told));
      found = std::find_if(waiting_.begin(), waiting_.end(), is_it);
      return found != waiting_.end();
    }));
    const RequestTold awaited = std::move(*found);
    const uint64_t id = awaited.id.Pack().value;
    const auto before = std::remove_if(waiting_.begin(), found, [&](const RequestTold& told) {
      return told.id.Pack().value == id;
    });
    waiting_.erase(before, found + 1);
    return awaited;
  }
  void Ask(RequestId id, MessageOp op, RequestHeader header = {}, std::string_view bytes = {}) {
    sender.Command(id.reactor, id.Pack(), op, header, bytes);
    sender.Flush();
  }
  void Answer(RequestId id, uint32_t flags = 0) {
    Ask(id, MessageOp::kRequestHead, {flags, 0}, FieldText({{":status", "200"}}));
  }
  StreamUid Adopt(RequestId id, StreamKind kind = StreamKind::kRaw,
                  SlowPolicy policy = SlowPolicy::kDrop, bool marks_gaps = false) {
    StreamFacts facts;
    facts.kind = kind;
    facts.policy = policy;
    facts.marks_gaps = marks_gaps;
    const Status status = AdoptRequest(Registry::Get(), *worker, id, {}, &facts);
    return IsOk(status) ? facts.uid : StreamUid{};
  }
  Sender::Result Send(StreamUid uid, std::string_view text, Ticket ticket = 0) {
    OutgoingMessage message;
    message.data = text;
    message.ticket = ticket;
    StringBuffer buffer;
    const Sender::Result result = sender.Send(uid, message, buffer);
    sender.Flush();
    return result;
  }

  TestWorker worker;
  Sender sender;
  std::vector<uint64_t> settled;

 private:
  std::vector<RequestTold> waiting_;
};

}  // namespace holdfast::test
