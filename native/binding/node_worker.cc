#include "binding/node_worker.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "binding/env_state.h"
#include "carrier/reactors.h"
#include "reactor/reactor_table.h"

namespace holdfast {

Status NodeWorker::Open(Napi::Env env, const Options& options, uint32_t explicit_options,
                        const Memory& memory, const Nghttp2Api* nghttp2, NodeWorker** out) {
  Registry& registry = Registry::Get();
  Worker* worker;
  const Status status = registry.Join(options, explicit_options, &worker);
  if (!IsOk(status)) return status;
  uv_loop_t* loop;
  Reactor* reactor = ReactorOf(worker->id);
  if (reactor == nullptr || napi_get_uv_event_loop(env, &loop) != napi_ok ||
      !IsOk(reactor->poller().SetTimer(worker->options[Option::kCleanupIntervalMs]))) {
    registry.Leave(*worker, CloseReason::kManager);
    return Status::kSystem;
  }
  auto* self = new NodeWorker(env, *worker, *reactor, memory);
  const auto hook = [](napi_async_cleanup_hook_handle, void* data) {
    static_cast<NodeWorker*>(data)->Leave(CloseReason::kWorker);
  };
  if (self->embed_.Start(loop) != 0) {
    registry.Leave(*worker, CloseReason::kManager);
    delete self;
    return Status::kSystem;
  }
  CHECK(napi_add_async_cleanup_hook(env, hook, self, &self->hook_) == napi_ok);
  worker->mailbox.Open(&reactor->poller());
  Reactors::Get().Enter();
  if (worker->options[Option::kCarrier] != 0) self->api_ = nghttp2;
  if (self->api_ != nullptr && worker->options[Option::kReactors] == 0) {
    self->EmbedReactor(*self->api_, loop);
  }
  *out = self;
  return Status::kOk;
}

NodeWorker::NodeWorker(Napi::Env env, Worker& worker, Reactor& reactor, const Memory& memory)
    : env_(env),
      worker_(&worker),
      reactor_(reactor),
      sender_(Registry::Get(), &worker),
      carrier_(env, worker.counters, memory.on_batch, memory.arena),
      inbox_(Registry::Get(), worker, carrier_),
      sweep_(worker),
      embed_(reactor, *this),
      scratch_(memory.scratch),
      local_(memory.local),
      frame_(memory.frame),
      text_(std::make_unique_for_overwrite<char[]>(scratch_.bytes().size())),
      static_answers_(Registry::Get().static_answers()) {}

// Where the system refuses, there is none, as with threads.
void NodeWorker::EmbedReactor(const Nghttp2Api& api, uv_loop_t* loop) {
  std::unique_ptr<ReactorWorker> reactor = ReactorWorker::Create(Registry::Get(), api, {}, worker_);
  if (reactor == nullptr) return;
  auto embedded = std::make_unique<EmbeddedReactor>(std::move(reactor));
  if (embedded->Start(loop) == 0) embedded_ = std::move(embedded);
}

void NodeWorker::Leave(CloseReason reason) {
  if (std::exchange(leaving_, true)) return;
  leave_reason_ = reason;
  carrier_.Stop();
  if (!processing_) LeaveNow();
}

void NodeWorker::LeaveNow() {
  EnvState::Of(env_).Forget(this);
  listeners_.clear();
  sender_.Flush();
  if (embedded_ != nullptr) embedded_->Leave();
  inbox_.Discard();
  carrier_.AbandonAwaited();
  // It was ended while it handed a publication to its own streams.
  SettleOwn(0, own_unsettled_);
  Registry& registry = Registry::Get();
  (void)reactor_.poller().SetTimer(0);  // a timer that goes on finds nothing to do
  registry.Leave(*worker_, leave_reason_);
  Listener::NotifyAll();
  Reactors::Get().Exit();
  // Both let go of their descriptors now: who opens next may be given them, in this loop or
  // another.
  closing_ = embedded_ == nullptr ? 1 : 2;
  const auto closed = [this] {
    if (--closing_ == 0) Free();
  };
  if (embedded_ != nullptr) embedded_->Close(closed);
  embed_.Close(closed);
}

void NodeWorker::Free() {
  const napi_async_cleanup_hook_handle hook = hook_;
  delete this;
  CHECK(napi_remove_async_cleanup_hook(hook) == napi_ok);
}

void NodeWorker::SetUid(uint32_t handle, StreamUid uid) {
  if (handle >= uids_.size()) uids_.resize(handle + 1);
  uids_[handle] = uid;
}

void NodeWorker::OnWakeup() {
  if (embed_.goes_on()) return;
  Napi::HandleScope scope(env_);
  processing_ = true;
  Mailbox::Batch batch;
  worker_->mailbox.Take(&batch);
  carrier_.BeginTurn();
  untaken_.insert(untaken_.end(), batch.connections.begin(), batch.connections.end());
  for (const Connection& connection : batch.connections) {
    if (!carrier_.Prepare(0, 1)) break;
    carrier_.Connection(connection.fd);
  }
  inbox_.Put(std::move(batch.chunks));
  const bool more = inbox_.Deliver();
  carrier_.EndTurn(more);
  ReturnUntaken();
  SweepATurn();
  if (more) embed_.GoOn();
  processing_ = false;
  if (leaving_) LeaveNow();
}

void NodeWorker::OnTimer() {
  Napi::HandleScope scope(env_);
  processing_ = true;
  sweep_.Start();
  SweepATurn();
  processing_ = false;
  if (leaving_) LeaveNow();
}

void NodeWorker::SweepATurn() {
  if (!sweep_.under_way()) return;
  sweep_.Look(MonotonicMs());
  for (uint32_t i = 0; i < carrier_.streams_a_turn(); i++) {
    // First, as it may run user code, and a handle may be another's then.
    if (!carrier_.Prepare(0, 1)) break;
    const std::optional<ExpiredStream> expired = sweep_.Next(MonotonicMs());
    if (!expired) break;
    carrier_.Expired(*expired);
  }
  (void)carrier_.Flush();
  if (sweep_.under_way()) embed_.GoOn();
}

void NodeWorker::OnHangup(uint64_t token) {
  const uint32_t socket = static_cast<uint32_t>(token);
  // The descriptor may have been another socket's when this happened.
  if (worker_->cache.SocketGeneration(socket) != token >> 32) return;
  Napi::HandleScope scope(env_);
  processing_ = true;
  if (carrier_.Prepare(0, 1)) carrier_.Hangup(socket);
  (void)carrier_.Flush();
  processing_ = false;
  if (leaving_) LeaveNow();
}

uint8_t* NodeWorker::Allocate(uint32_t bytes) {
  local_size_ = bytes;
  if (bytes <= local_.bytes().size()) return local_.data();
  large_local_.resize(bytes);
  return large_local_.data();
}

uint64_t NodeWorker::Publish(std::string_view topic, const OutgoingMessage& message,
                             StreamUid except) {
  if (has_own()) own_receivers_ = Receivers{};
  return CountOwn(sender_.Publish(topic, message, except, &own_receivers_));
}

uint64_t NodeWorker::Multicast(const std::vector<StreamUid>& uids, const OutgoingMessage& message) {
  if (has_own()) own_receivers_ = Receivers{};
  return CountOwn(sender_.Multicast(uids, message, &own_receivers_));
}

uint64_t NodeWorker::CountOwn(uint64_t addressed) {
  own_unsettled_ += own_receivers_.count();
  if (!has_own()) own_receivers_ = Receivers{};  // nobody takes it, and with it its payload
  return addressed;
}

void NodeWorker::SettleOwn(uint64_t delivered, uint64_t undeliverable) {
  CHECK(delivered + undeliverable <= own_unsettled_);
  own_unsettled_ -= delivered + undeliverable;
  worker_->counters.Add(Counter::kMessagesDelivered, delivered);
  worker_->counters.Add(Counter::kMessagesUndeliverable, undeliverable);
}

void NodeWorker::SetTakesRequests(bool takes) {
  if (takes && api_ != nullptr) {
    Reactors::Get().Start(Registry::Get(), *api_, worker_->options[Option::kReactors]);
  }
  worker_->takes_requests.store(takes, std::memory_order_release);
  Listener::NotifyAll();
}

void NodeWorker::SetAccepting(bool accepting) {
  worker_->accepting.store(accepting, std::memory_order_release);
  Listener::NotifyAll();
}

uint32_t NodeWorker::AddListener(std::unique_ptr<Listener> listener, std::shared_ptr<TlsPort> tls) {
  listeners_.emplace(next_listener_, Port{std::move(listener), std::move(tls)});
  return next_listener_++;
}

void NodeWorker::TakeConnection(int fd) {
  CHECK(std::erase_if(untaken_, [fd](const Connection& other) { return other.fd == fd; }) == 1);
}

void NodeWorker::ReturnUntaken() {
  if (untaken_.empty()) return;
  // A thread that is being terminated takes no more; its environment will leave soon.
  if (!carrier_.running()) worker_->accepting.store(false, std::memory_order_release);
  for (Connection& connection : std::exchange(untaken_, {})) {
    // It may have been terminated between wrapping the descriptor and saying so.
    if (embed_.LoopHas(connection.fd)) continue;
    CloseConnection();
    worker_->counters.Add(Counter::kConnectionsReturned);
    Registry::Get().Place(std::move(connection));
  }
}

void NodeWorker::CloseConnection() { worker_->ForgetConnection(); }

}  // namespace holdfast
