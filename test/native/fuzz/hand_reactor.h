// A reactor without a thread or a poller, and one client connection: each turn is taken by hand, so
// that an input does the same each time.
#pragma once

#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "carrier/native_carrier.h"
#include "core/inbox.h"
#include "core/sender.h"
#include "h2/fields.h"

namespace holdfast {

inline const Nghttp2Api& LibraryApi() {
  static const Nghttp2Api* const api = [] {
    CHECK(dlopen("libnghttp2.so.14", RTLD_NOW | RTLD_GLOBAL) != nullptr);
    auto* found = new Nghttp2Api;
    std::string why_not;
    CHECK(ResolveNghttp2(LookUpInProcess, 0, found, &why_not));
    return found;
  }();
  return *api;
}

class NoWaker final : public Waker {
 public:
  void Wake() override {}
  void WakeIn(uint64_t) override {}
};

inline Worker& JoinAs(WorkerKind kind) {
  static NoWaker waker;
  Options options;
  options[Option::kMaxStreamsPerWorker] = 1 << 20;
  options[Option::kMaxTotalStreams] = 1 << 20;
  options[Option::kSendBudgetBytes] = 64 << 10;
  options[Option::kMaxQueuedBytes] = 1 << 30;
  Worker* worker;
  CHECK(Registry::Get().Join(options, 0, &worker, kind) == Status::kOk);
  worker->mailbox.Open(&waker);
  return *worker;
}

class HandReactor {
 public:
  HandReactor()
      : worker(JoinAs(WorkerKind::kReactor)),
        streams_(Registry::Get(), worker, nullptr, kMarkWaitMs),
        carrier_(Registry::Get(), worker, streams_),
        inbox_(Registry::Get(), worker, carrier_),
        context_(LibraryApi(), {}, streams_) {
    context_.now_ms = 1'000'000;
    int fds[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    client_ = fds[0];
    worker.load.fetch_add(1);
    worker.connections.fetch_add(1);
    session_ = H2Session::Open(context_, fds[1]);
    CHECK(session_ != nullptr);
  }
  ~HandReactor() {
    session_.reset();
    inbox_.Discard();
    streams_.Flush();
    CHECK(close(client_) == 0);
    Registry::Get().Leave(worker, CloseReason::kManager);
  }

  void FromClient(std::string_view bytes) {
    (void)!send(client_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  // What the session wrote is read and dropped, or left to fill the socket.
  void Drain() {
    char buffer[64 << 10];
    while (recv(client_, buffer, sizeof buffer, 0) > 0) {
    }
  }
  void LetPass(uint64_t ms) {
    context_.now_ms += ms;
    if (session_ != nullptr) (void)session_->CheckTime();
  }
  void Turn() {
    Mailbox::Batch batch;
    worker.mailbox.Take(&batch);
    inbox_.Put(std::move(batch.chunks));
    while (inbox_.Deliver()) {
    }
    if (session_ != nullptr && session_->blocked()) session_->Flush();
    if (session_ != nullptr && !session_->finished()) (void)session_->Read();
    for (H2Session* session : H2Session::TakeDirty(context_)) session->Flush();
    if (session_ != nullptr && session_->finished()) session_.reset();
    streams_.Flush();
  }

  Worker& worker;

 private:
  ReactorStreams streams_;
  NativeCarrier carrier_;
  Inbox inbox_;
  H2Context context_;
  std::unique_ptr<H2Session> session_;
  int client_;
};

// What ended must have been given back, whatever happened.
inline void CheckNothingIsLeft() {
  CHECK(Registry::Get().total_streams() == 0);
  CHECK(Registry::Get().AutonomousStreams().empty());
  CHECK(Registry::Get().topics().List().empty());
}

}  // namespace holdfast
