#include "carrier/reactor_worker.h"

#include <signal.h>
#include <unistd.h>

#include <array>

#include "base/clock.h"

namespace holdfast {

std::unique_ptr<ReactorWorker> ReactorWorker::Start(Registry& registry, const Nghttp2Api& api,
                                                    const H2Limits& limits) {
  Worker* worker;
  // With the options of the process, which is open.
  if (!IsOk(registry.Join({}, 0, &worker, WorkerKind::kReactor))) return nullptr;
  Reactor* reactor = ReactorOf(worker->id);
  std::unique_ptr<ReactorWorker> self;
  if (reactor != nullptr &&
      IsOk(reactor->poller().SetTimer(worker->options[Option::kCleanupIntervalMs]))) {
    self.reset(new ReactorWorker(registry, *worker, *reactor, api, limits));
    worker->mailbox.Open(&reactor->poller());
    // Signals are for the process's own threads.
    sigset_t all;
    sigset_t before;
    CHECK(sigfillset(&all) == 0);
    CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    const auto run = [](void* object) -> void* {
      static_cast<ReactorWorker*>(object)->Run();
      return nullptr;
    };
    const int error = pthread_create(&self->thread_, nullptr, run, self.get());
    CHECK(pthread_sigmask(SIG_SETMASK, &before, nullptr) == 0);
    if (error == 0) {
      worker->takes_sessions.store(true, std::memory_order_release);
      return self;
    }
    self->thread_ = {};
  }
  registry.Leave(*worker, CloseReason::kManager);
  return nullptr;
}

ReactorWorker::ReactorWorker(Registry& registry, Worker& worker, Reactor& reactor,
                             const Nghttp2Api& api, const H2Limits& limits)
    : registry_(registry),
      worker_(worker),
      poller_(reactor.poller()),
      streams_(registry, worker),
      carrier_(registry, worker, streams_),
      inbox_(registry, worker, carrier_),
      context_(api, limits, streams_),
      sessions_(std::make_unique<H2SessionTable>(context_, poller_)) {}

ReactorWorker::~ReactorWorker() {
  if (thread_ == pthread_t{}) return;
  stop_.store(true, std::memory_order_release);
  poller_.Wake();
  CHECK(pthread_join(thread_, nullptr) == 0);
}

void ReactorWorker::Run() {
  std::array<PollEvent, 256> events;
  int timeout_ms = -1;
  bool more = false;
  while (!stop_.load(std::memory_order_acquire)) {
    const int count = poller_.Wait(events, more ? 0 : timeout_ms);
    CHECK(count >= 0);
    sessions_->BeginTurn();
    for (int i = 0; i < count; i++) OnEvent(events[static_cast<size_t>(i)]);
    more = inbox_.Deliver();
    more = Sweep() || more;
    timeout_ms = sessions_->EndTurn();
    streams_.Flush();
    more = streams_.TakePumpWanted() || more;
  }
  Leave();
}

void ReactorWorker::OnEvent(const PollEvent& event) {
  switch (event.kind) {
    case PollEvent::Kind::kWakeup:
      return TakeMail();
    case PollEvent::Kind::kTimer:
      if (sweep_cursor_ == WorkerCache::kScanEnd) sweep_cursor_ = 0;
      return;
    case PollEvent::Kind::kSocket:
      return sessions_->OnSocket(event);
    case PollEvent::Kind::kHangup:
    case PollEvent::Kind::kReadable:
      return;  // of a socket that another thread watched under this number
  }
}

void ReactorWorker::TakeMail() {
  Mailbox::Batch batch;
  worker_.mailbox.Take(&batch);
  for (const Connection& connection : batch.connections) {
    if (!sessions_->Adopt(connection.fd)) worker_.ForgetConnection();
  }
  inbox_.Put(std::move(batch.chunks));
}

// One step of it a turn; whether there is more.
bool ReactorWorker::Sweep() {
  if (sweep_cursor_ == WorkerCache::kScanEnd) return false;
  std::vector<ExpiredStream> expired;
  sweep_cursor_ = SweepStep(worker_, sweep_cursor_, MonotonicMs(), &expired);
  for (const ExpiredStream& stream : expired) carrier_.Expire(stream);
  return sweep_cursor_ != WorkerCache::kScanEnd;
}

void ReactorWorker::Leave() {
  worker_.takes_sessions.store(false, std::memory_order_release);
  inbox_.Discard();
  sessions_->BeginTurn();
  sessions_->Shutdown();
  (void)sessions_->EndTurn();
  sessions_.reset();
  streams_.Flush();
  (void)poller_.SetTimer(0);  // a timer that goes on finds nothing to do
  registry_.Leave(worker_, CloseReason::kManager);
}

}  // namespace holdfast
