// The bytes that enter a session: behind a good preface, whatever a peer may send, cut into reads
// by the input itself. Requests are answered, so that what a peer does to answers is reached too.
#include <algorithm>

#include "fuzz/hand_reactor.h"

namespace holdfast {
namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

void AnswerAll(Worker& node, Sender& sender) {
  Mailbox::Batch batch;
  node.mailbox.Take(&batch);
  for (const ChunkPtr& chunk : batch.chunks) {
    node.mailbox.Unreserve(chunk->charged_bytes());
    chunk->ForEach([&](const MessageHeader& message) {
      const RequestId id = RequestId::Unpack(message.uid);
      if (message.op == MessageOp::kRequest) {
        std::string fields;
        AppendField(&fields, ":status", "200");
        sender.Command(id.reactor, message.uid, MessageOp::kRequestHead, {}, fields);
        sender.Command(id.reactor, message.uid, MessageOp::kRequestWrite, {1, 0},
                       std::string(3000, 'x'));
      } else if (message.op == MessageOp::kRequestBody) {
        const auto size = static_cast<uint32_t>(RequestBytes(message).size());
        sender.Command(id.reactor, message.uid, MessageOp::kRequestConsume, {size, 0});
      } else if (message.op == MessageOp::kRequestBodyEnd) {
        sender.Command(id.reactor, message.uid, MessageOp::kRequestEnd, {});
      }
    });
  }
  sender.Flush();
}

void Run(std::string_view input) {
  Worker& node = JoinAs(WorkerKind::kNodeThread);
  node.takes_requests.store(true);
  {
    Sender sender(Registry::Get(), &node);
    HandReactor reactor;
    reactor.FromClient(kPreface);
    while (!input.empty()) {
      const size_t size = std::min<size_t>(input.size(), 1 + static_cast<uint8_t>(input[0]) * 8u);
      reactor.FromClient(input.substr(0, size));
      input.remove_prefix(size);
      reactor.Turn();
      AnswerAll(node, sender);
      reactor.Turn();
      if (size % 2 == 0) reactor.Drain();
    }
    reactor.LetPass(20'000);
    reactor.Turn();
  }
  node.takes_requests.store(false);
  CHECK(node.load.load() == 0);
  Registry::Get().Leave(node, CloseReason::kManager);
  CheckNothingIsLeft();
}

}  // namespace
}  // namespace holdfast

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 64 << 10) return 0;
  holdfast::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
