#include "carrier/reactor_worker.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/clock.h"

namespace holdfast {
namespace {

// For requests and answers that are no managed streams, of all connections of a reactor.
constexpr uint64_t kUnmanagedBytes = 64 << 20;
// More than a full mailbox needs, and no wait for streams that hold something back.
constexpr int kLastTurns = 1000;

// With what the process was opened with.
H2Limits LimitsOf(H2Limits limits, const Options& options) {
  limits.ping_interval_ms = options[Option::kPingIntervalMs];
  limits.ping_timeout_ms = options[Option::kPingTimeoutMs];
  // Managed streams have bounds of their own, within it.
  limits.max_held_bytes = options[Option::kMaxQueuedBytes] + kUnmanagedBytes;
  return limits;
}

}  // namespace

std::unique_ptr<ReactorWorker> ReactorWorker::Create(Registry& registry, const Nghttp2Api& api,
                                                     const H2Limits& limits, Worker* home,
                                                     uint64_t mark_wait_ms) {
  Worker* worker;
  // With the options of the process, which is open.
  if (!IsOk(registry.Join({}, 0, &worker, WorkerKind::kReactor))) return nullptr;
  Reactor* reactor = ReactorOf(worker->id);
  if (reactor == nullptr ||
      !IsOk(reactor->poller().SetTimer(worker->options[Option::kCleanupIntervalMs]))) {
    registry.Leave(*worker, CloseReason::kManager);
    return nullptr;
  }
  std::unique_ptr<ReactorWorker> self(
      new ReactorWorker(registry, *worker, home, *reactor, api, limits, mark_wait_ms));
  worker->mailbox.Open(&reactor->poller());
  return self;
}

ReactorWorker::ReactorWorker(Registry& registry, Worker& worker, Worker* home, Reactor& reactor,
                             const Nghttp2Api& api, const H2Limits& limits, uint64_t mark_wait_ms)
    : registry_(registry),
      worker_(worker),
      poller_(reactor.poller()),
      streams_(registry, worker, home, mark_wait_ms),
      carrier_(registry, worker, streams_),
      inbox_(registry, worker, carrier_),
      sweep_(worker),
      context_(api, LimitsOf(limits, worker.options), streams_),
      sessions_(std::make_unique<H2SessionTable>(context_, poller_)) {}

ReactorWorker::~ReactorWorker() { CHECK(sessions_ == nullptr); }

void ReactorWorker::TakeSessions() {
  worker_.takes_sessions.store(true, std::memory_order_release);
}

int ReactorWorker::Turn(int timeout_ms) {
  std::array<PollEvent, 256> events;
  const int count = poller_.Wait(events, timeout_ms);
  CHECK(count >= 0);
  sessions_->BeginTurn();
  for (int i = 0; i < count; i++) OnEvent(events[static_cast<size_t>(i)]);
  bool more = inbox_.Deliver();
  more = SweepATurn() || more;
  const int next_ms = sessions_->EndTurn();
  const int late_ms = streams_.EndLateGaps();
  streams_.Flush();
  more = streams_.TakePumpWanted() || more;
  if (more) return 0;
  return next_ms < 0 || late_ms < 0 ? std::max(next_ms, late_ms) : std::min(next_ms, late_ms);
}

void ReactorWorker::OnEvent(const PollEvent& event) {
  switch (event.kind) {
    case PollEvent::Kind::kWakeup:
      return TakeMail();
    case PollEvent::Kind::kTimer:
      sweep_.Start();
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
  for (Connection& connection : batch.connections) {
    // It may be for the Node thread that had this number before.
    if (connection.destination != Destination::kSessions) {
      Return(std::move(connection));
    } else if (!sessions_->Adopt(connection.fd, connection.port)) {
      worker_.ForgetConnection();
    }
  }
  inbox_.Put(std::move(batch.chunks));
}

// To another worker.
void ReactorWorker::Return(Connection connection) {
  worker_.ForgetConnection();
  worker_.counters.Add(Counter::kConnectionsReturned);
  registry_.Place(std::move(connection));
}

// Whether there is more.
bool ReactorWorker::SweepATurn() {
  if (!sweep_.under_way()) return false;
  const uint64_t now_ms = MonotonicMs();
  sweep_.Look(now_ms);
  for (uint32_t i = 0; i < carrier_.streams_a_turn(); i++) {
    const std::optional<ExpiredStream> expired = sweep_.Next(now_ms);
    if (!expired) break;
    carrier_.Expire(*expired);
  }
  return sweep_.under_way();
}

void ReactorWorker::Leave() {
  worker_.takes_sessions.store(false, std::memory_order_release);
  sessions_->BeginTurn();
  // What it was told before it was to leave is still written: the farewells of WebSockets above
  // all. Of connections that it has not begun with, others can.
  Mailbox::Batch batch;
  worker_.mailbox.Take(&batch);
  for (Connection& connection : batch.connections) Return(std::move(connection));
  inbox_.Put(std::move(batch.chunks));
  for (int turns = 0; turns < kLastTurns && inbox_.Deliver();) turns++;
  inbox_.Discard();
  sessions_->Shutdown();
  (void)sessions_->EndTurn();
  sessions_.reset();
  streams_.Flush();
  (void)poller_.SetTimer(0);  // a timer that goes on finds nothing to do
  registry_.Leave(worker_, CloseReason::kManager);
}

}  // namespace holdfast
