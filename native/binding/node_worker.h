// A Node thread as a worker, from open to close: everything that must be taken down with it.
//
// It leaves once, by manager.close() or by the environment's clean-up hook, whichever comes first,
// and frees itself when the loop has closed its handle.
//
// Threads: owner loop.
#pragma once

#include <napi.h>

#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "binding/node_carrier.h"
#include "core/inbox.h"
#include "core/sender.h"
#include "core/static_answers.h"
#include "h2/nghttp2_api.h"
#include "h2/tls_port.h"
#include "listener/listener.h"
#include "loop/embedded_reactor.h"
#include "loop/reactor_embed.h"

namespace holdfast {

class NodeWorker final : private ReactorHandler, private Sender::LocalBuffer {
 public:
  struct Memory {
    Napi::Function on_batch;
    Napi::Uint8Array arena;    // batches in
    Napi::Uint8Array scratch;  // text of a call out
    Napi::Uint8Array local;    // an encoded message for a stream of this thread
    Napi::Uint8Array frame;    // results of a call
  };

  // `nghttp2`: what the native carrier is to run on; nullptr where it cannot.
  static Status Open(Napi::Env env, const Options& options, uint32_t explicit_options,
                     const Memory& memory, const Nghttp2Api* nghttp2, NodeWorker** out);
  // Un-registers its streams, flushes what it had to say, gives back its connections.
  void Leave(CloseReason reason);

  Worker& worker() { return *worker_; }
  Sender& sender() { return sender_; }
  const SharedMemory& scratch() const { return scratch_; }
  const SharedMemory& frame() const { return frame_; }
  // Where sendText puts its text, and finds that of the call before; and publishText its own.
  std::span<char> text_memory() const { return {text_.get(), scratch_.bytes().size()}; }
  std::string_view text() const { return {text_.get(), text_size_}; }
  void set_text_size(size_t bytes) { text_size_ = bytes; }

  Sender::Result Send(StreamUid uid, const OutgoingMessage& message) {
    return sender_.Send(uid, message, *this);
  }
  bool SendAhead(StreamUid uid, const OutgoingMessage& message) {
    return sender_.SendAhead(uid, message, *this);
  }
  // Of the last message that Send answered with kSent.
  uint32_t local_size() const { return local_size_; }
  // The same when it was larger than the `local` memory.
  std::vector<uint8_t> TakeLargeLocal() { return std::move(large_local_); }

  uint64_t Publish(std::string_view topic, const OutgoingMessage& message, StreamUid except);
  uint64_t Multicast(const std::vector<StreamUid>& uids, const OutgoingMessage& message);
  // Whether the last of these reaches own streams.
  bool has_own() const { return own_receivers_.count() > 0; }
  // What the last of these reaches of the own streams; taken before JavaScript does anything with
  // it, as that may publish again.
  Receivers TakeOwn() { return std::exchange(own_receivers_, {}); }
  // JavaScript says what became of so many of them.
  void SettleOwn(uint64_t delivered, uint64_t undeliverable);

  // The stream that JavaScript knows by this handle, or knew: a look-up tells whether it lives.
  void SetUid(uint32_t handle, StreamUid uid);
  StreamUid UidOf(uint32_t handle) const { return uids_.at(handle); }

  StaticAnswers::Reader& static_answers() { return static_answers_; }
  NodeCarrier& carrier() { return carrier_; }
  Reactor& reactor() { return reactor_; }
  void SetRef(bool ref) { embed_.SetRef(ref); }
  void SetAccepting(bool accepting);
  void SetTakesRequests(bool takes);
  // JavaScript has wrapped the descriptor and owns it from here.
  void TakeConnection(int fd);
  void CloseConnection();

  // The number it is known by. `tls`: its port's, if it has any.
  uint32_t AddListener(std::unique_ptr<Listener> listener, std::shared_ptr<TlsPort> tls);
  TlsPort& TlsPortOf(uint32_t number) { return *listeners_.at(number).tls; }
  void RemoveListener(uint32_t number) { listeners_.erase(number); }

 private:
  struct Port {
    std::unique_ptr<Listener> listener;
    std::shared_ptr<TlsPort> tls;
  };

  NodeWorker(Napi::Env env, Worker& worker, Reactor& reactor, const Memory& memory);
  ~NodeWorker() = default;
  void EmbedReactor(const Nghttp2Api& api, uv_loop_t* loop);

  void OnWakeup() override;
  void OnTimer() override;
  void OnHangup(uint64_t token) override;
  bool running() const override { return carrier_.running(); }
  uint8_t* Allocate(uint32_t bytes) override;

  uint64_t CountOwn(uint64_t addressed);
  void SweepATurn();
  // Places again what JavaScript was told of and did not take.
  void ReturnUntaken();
  void LeaveNow();
  void Free();

  const Napi::Env env_;
  Worker* const worker_;
  Reactor& reactor_;
  Sender sender_;
  NodeCarrier carrier_;
  Inbox inbox_;
  Sweep sweep_;
  ReactorEmbed embed_;
  const Nghttp2Api* api_ = nullptr;            // of the native carrier, where it is to run
  std::unique_ptr<EmbeddedReactor> embedded_;  // where the native carrier has no threads
  SharedMemory scratch_;
  SharedMemory local_;
  SharedMemory frame_;
  std::unique_ptr<char[]> text_;  // as large as the scratch memory
  size_t text_size_ = 0;
  uint32_t local_size_ = 0;
  std::vector<uint8_t> large_local_;
  StaticAnswers::Reader static_answers_;
  std::vector<StreamUid> uids_;  // by handle
  Receivers own_receivers_;
  uint64_t own_unsettled_ = 0;  // messages to own streams that JavaScript has yet to tell of

  std::vector<Connection> untaken_;  // JavaScript is being told of them; ours until taken
  std::map<uint32_t, Port> listeners_;
  uint32_t next_listener_ = 0;
  napi_async_cleanup_hook_handle hook_ = nullptr;

  int closing_ = 0;          // handles of the loop
  bool processing_ = false;  // inside a callback of the reactor: leaving waits for its end
  bool leaving_ = false;
  CloseReason leave_reason_ = CloseReason::kWorker;
};

}  // namespace holdfast
