#include <errno.h>

#include "binding/arguments.h"
#include "binding/functions.h"
#include "binding/tls_argument.h"

namespace holdfast {
namespace {

// listen(host: string, port, backlog, ipv6Only, tls?): the port, and the listener's number in the
// frame's first word; below zero: the negative errno; a string: why `tls` cannot be used.
Napi::Value JsListen(const Napi::CallbackInfo& info) {
  ListenAddress address;
  address.host = info[0].As<Napi::String>().Utf8Value();
  address.port = static_cast<uint16_t>(Uint32Argument(info, 1));
  address.backlog = Int32Argument(info, 2);
  address.ipv6_only = BoolArgument(info, 3);
  std::shared_ptr<TlsPort> tls;
  if (!info[4].IsUndefined()) {
    std::string why_not;
    tls = TlsPort::Make(TlsArgument(info, 4), &why_not);
    if (tls == nullptr) return Napi::String::New(info.Env(), why_not);
  }
  std::unique_ptr<Listener> listener = Listener::Open(Registry::Get(), address, tls);
  if (listener == nullptr) return Number(info, -errno);
  const uint16_t port = listener->port();
  *Self(info).frame().As<uint32_t>() = Self(info).AddListener(std::move(listener), std::move(tls));
  return Number(info, port);
}

// unlisten(listener): it stops, and its port is closed when the call returns.
Napi::Value JsUnlisten(const Napi::CallbackInfo& info) {
  Self(info).RemoveListener(Uint32Argument(info, 0));
  return info.Env().Undefined();
}

// takeConnection(fd): JavaScript has wrapped the descriptor and owns it from here.
Napi::Value JsTakeConnection(const Napi::CallbackInfo& info) {
  Self(info).TakeConnection(Int32Argument(info, 0));
  return info.Env().Undefined();
}

// closeConnection(): one that was taken is closed.
Napi::Value JsCloseConnection(const Napi::CallbackInfo& info) {
  if (NodeWorker* self = SelfIfOpen(info)) self->CloseConnection();
  return info.Env().Undefined();
}

// unreadBytes(fd): received and not yet read; -1 if that cannot be told.
Napi::Value JsUnreadBytes(const Napi::CallbackInfo& info) {
  return Number(info, UnreadBytes(Int32Argument(info, 0)));
}

}  // namespace

void ExportListenFunctions(Napi::Env env, Napi::Object exports) {
  Export<JsListen>(env, exports, "listen");
  Export<JsUnlisten>(env, exports, "unlisten");
  Export<JsTakeConnection>(env, exports, "takeConnection");
  Export<JsCloseConnection>(env, exports, "closeConnection");
  Export<JsUnreadBytes>(env, exports, "unreadBytes");
}

}  // namespace holdfast
