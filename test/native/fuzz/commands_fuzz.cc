// The commands that enter a reactor: the input is a program of what Node threads ask, of what a
// client does meanwhile, and of threads that go, in any order and with any arguments.
#include <algorithm>
#include <array>

#include "core/subscriptions.h"
#include "fuzz/hand_reactor.h"

namespace holdfast {
namespace {

class Program {
 public:
  explicit Program(std::string_view input) : input_(input) {}
  bool done() const { return input_.empty(); }
  uint8_t Byte() {
    if (input_.empty()) return 0;
    const auto byte = static_cast<uint8_t>(input_[0]);
    input_.remove_prefix(1);
    return byte;
  }
  std::string_view Text() {
    const std::string_view text = input_.substr(0, Byte());
    input_.remove_prefix(std::min(input_.size(), text.size()));
    return text;
  }

 private:
  std::string_view input_;
};

std::string Frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
  const auto size = static_cast<uint32_t>(payload.size());
  const std::array<uint8_t, 9> head = {static_cast<uint8_t>(size >> 16),
                                       static_cast<uint8_t>(size >> 8),
                                       static_cast<uint8_t>(size),
                                       type,
                                       flags,
                                       static_cast<uint8_t>(stream >> 24),
                                       static_cast<uint8_t>(stream >> 16),
                                       static_cast<uint8_t>(stream >> 8),
                                       static_cast<uint8_t>(stream)};
  return std::string(head.begin(), head.end()).append(payload);
}

// GET or POST of "/", by entries of HPACK's static table (RFC 7541, appendix A).
std::string HeadersOf(uint32_t stream, bool end) {
  const std::string block = {static_cast<char>(end ? 0x82 : 0x83),
                             static_cast<char>(0x84),
                             static_cast<char>(0x86),
                             0x41,
                             1,
                             'h'};
  return Frame(1, end ? 5 : 4, stream, block);
}

class World {
 public:
  World() : node_(&JoinAs(WorkerKind::kNodeThread)), sender_(Registry::Get(), node_) {
    node_->takes_requests.store(true);
    reactor_.FromClient("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Frame(4, 0, 0, {}));
    reactor_.Turn();
  }
  ~World() {
    sender_.Flush();
    LeaveNode();
  }

  void Step(Program& program) {
    const uint8_t op = program.Byte();
    const uint8_t which = program.Byte();
    switch (op % 24) {
      case 0:
        reactor_.FromClient(HeadersOf(next_stream_, which % 2 == 0));
        next_stream_ += 2;
        return;
      case 1:
        return reactor_.FromClient(Frame(0, which & 1, StreamOf(program), program.Text()));
      case 2:
        return reactor_.FromClient(Frame(3, 0, StreamOf(program), std::string("\0\0\0\x08", 4)));
      case 3:
        return reactor_.FromClient(Frame(8, 0, StreamOf(program), std::string("\0\x10\0\0", 4)));
      case 4:
        return reactor_.FromClient(program.Text());
      case 5:
        return Turn();
      case 6:
        return reactor_.Drain();
      case 7:
        return reactor_.LetPass(which * 100u);
      case 8:
        return Ask(which, MessageOp::kRequestHead, {program.Byte() % 4u, 0}, Fields(program));
      case 9:
        return Ask(which, MessageOp::kRequestWrite, {program.Byte() % 2u, 0}, program.Text());
      case 10:
        return Ask(which, MessageOp::kRequestWrite, {1, 0}, std::string(30'000, 'w'));
      case 11:
        return Ask(which, MessageOp::kRequestEnd, {}, which % 2 == 0 ? "" : Fields(program));
      case 12:
        return Ask(which, MessageOp::kRequestReset, {program.Byte(), 0});
      case 13:
        return Ask(which, MessageOp::kRequestConsume, {program.Byte() * 1000u, 0});
      case 14:
        return Ask(which, which < 128 ? MessageOp::kRequestDiscard : MessageOp::kRequestGapOver);
      case 15:
        return Adopt(which, program.Byte());
      case 16:
        if (!uids_.empty()) DetachOnReactor(Registry::Get(), *node_, UidOf(which));
        return;
      case 17:
        if (!uids_.empty()) SubscribeOnReactor(Registry::Get(), UidOf(which), "topic");
        return;
      case 18:
        if (!uids_.empty()) UnsubscribeOnReactor(Registry::Get(), UidOf(which), "topic");
        return;
      case 19:
        return Send(which, program.Text());
      case 20:
        return Publish(program.Text());
      case 21:
        if (!uids_.empty()) sender_.Close(UidOf(which), program.Byte() % 16u, program.Text());
        return;
      case 22:
        sender_.Command(reactor_.worker.id, RequestId{reactor_.worker.id, 0, 0}.Pack(),
                        MessageOp::kSessionClose, {which % 4u, program.Byte() % 4u});
        return;
      case 23:
        // A thread that goes while its requests are open, and another that comes.
        if (which % 8 != 0) return sender_.Flush();
        sender_.Flush();
        LeaveNode();
        node_ = &JoinAs(WorkerKind::kNodeThread);
        node_->takes_requests.store(true);
        return;
    }
  }

  void Turn() {
    sender_.Flush();
    reactor_.Turn();
    Mailbox::Batch batch;
    node_->mailbox.Take(&batch);
    for (const ChunkPtr& chunk : batch.chunks) {
      node_->mailbox.Unreserve(chunk->charged_bytes());
      chunk->ForEach([&](const MessageHeader& message) {
        if (message.op == MessageOp::kRequest) requests_.push_back(message.uid);
      });
    }
  }

 private:
  uint32_t StreamOf(Program& program) const { return program.Byte() % 32u; }
  StreamUid UidOf(uint8_t which) const { return uids_[which % uids_.size()]; }

  std::string Fields(Program& program) {
    std::string fields;
    if (program.Byte() % 4 != 0)
      AppendField(&fields, ":status", program.Byte() % 2 ? "200" : "103");
    fields.append(program.Text());
    return fields;
  }
  void Ask(uint8_t which, MessageOp op, RequestHeader header = {}, std::string_view bytes = {}) {
    const StreamUid id = which < requests_.size()
                             ? requests_[which]
                             : RequestId{reactor_.worker.id, which % 8u, which / 8u}.Pack();
    sender_.Command(reactor_.worker.id, id, op, header, bytes);
  }
  void Adopt(uint8_t which, uint8_t how) {
    if (requests_.empty()) return;
    StreamFacts facts;
    facts.kind = static_cast<StreamKind>(how % 3);
    facts.policy = static_cast<SlowPolicy>(how / 3 % 4);
    facts.marks_gaps = how > 128;
    const RequestId id = RequestId::Unpack(requests_[which % requests_.size()]);
    if (IsOk(AdoptRequest(Registry::Get(), *node_, id, "tag", &facts))) uids_.push_back(facts.uid);
  }
  void Send(uint8_t which, std::string_view text) {
    if (uids_.empty()) return;
    OutgoingMessage message;
    message.data = text;
    message.key = which % 2 == 0 ? "even" : "odd";
    message.ticket = which > 200 ? uint64_t{node_->id} << 48 | which : 0;
    if (which % 16 == 0) {
      (void)sender_.CommandAhead(UidOf(which), message, which % 32 == 0);
    } else {
      (void)sender_.Send(UidOf(which), message, nowhere_);
    }
  }
  void Publish(std::string_view text) {
    OutgoingMessage message;
    message.data = text;
    Receivers own;
    (void)sender_.Publish("topic", message, {}, &own);
  }
  void LeaveNode() {
    node_->takes_requests.store(false);
    Registry::Get().Leave(*node_, CloseReason::kWorker);
  }

  class Nowhere final : public Sender::LocalBuffer {
    uint8_t* Allocate(uint32_t) override { CHECK(false); }
  };

  HandReactor reactor_;
  Worker* node_;
  Sender sender_;
  Nowhere nowhere_;
  uint32_t next_stream_ = 1;
  std::vector<StreamUid> requests_;
  std::vector<StreamUid> uids_;
};

void Run(std::string_view input) {
  {
    World world;
    Program program(input);
    while (!program.done()) world.Step(program);
    world.Turn();
  }
  CheckNothingIsLeft();
}

}  // namespace
}  // namespace holdfast

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 8 << 10) return 0;
  holdfast::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
