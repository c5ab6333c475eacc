#include <algorithm>

#include "binding/arguments.h"
#include "binding/functions.h"
#include "binding/tls_argument.h"

namespace holdfast {
namespace {

std::string Text(const Napi::Object& from, const char* name) {
  return from.Get(name).As<Napi::String>().Utf8Value();
}

template <typename Each>
void ForEach(const Napi::Value& list, const Each& each) {
  const auto array = list.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); i++) each(array.Get(i));
}

TlsIdentity IdentityOf(const Napi::Object& from) {
  TlsIdentity identity;
  ForEach(from.Get("pairs"), [&](const Napi::Value& value) {
    const auto pair = value.As<Napi::Object>();
    identity.pairs.push_back({Text(pair, "cert"), Text(pair, "key"), Text(pair, "passphrase")});
  });
  ForEach(from.Get("bundles"), [&](const Napi::Value& value) {
    const auto bundle = value.As<Napi::Object>();
    const auto bytes = bundle.Get("bytes").As<Napi::Uint8Array>();
    identity.bundles.push_back(
        {std::string(bytes.Data(), bytes.Data() + bytes.ByteLength()), Text(bundle, "passphrase")});
  });
  ForEach(from.Get("names"), [&](const Napi::Value& name) {
    identity.names.push_back(name.As<Napi::String>().Utf8Value());
  });
  return identity;
}

// reloadTls(listener, tls): '', or why it is left as it was.
Napi::Value JsReloadTls(const Napi::CallbackInfo& info) {
  std::string why_not;
  TlsPort& port = Self(info).TlsPortOf(Uint32Argument(info, 0));
  if (port.Replace(TlsArgument(info, 1), &why_not)) why_not.clear();
  return Napi::String::New(info.Env(), why_not);
}

// carrierOfTls(): '' if the native carrier can speak TLS, else why not.
Napi::Value JsCarrierOfTls(const Napi::CallbackInfo& info) {
  std::string why_not;
  (void)LoadOpenSsl(LookUpInProcess, &why_not);
  return Napi::String::New(info.Env(), why_not);
}

}  // namespace

TlsSettings TlsArgument(const Napi::CallbackInfo& info, size_t index) {
  const auto from = info[index].As<Napi::Object>();
  TlsSettings settings;
  settings.identity = IdentityOf(from.Get("identity").As<Napi::Object>());
  ForEach(from.Get("sni"), [&](const Napi::Value& value) {
    settings.others.push_back(IdentityOf(value.As<Napi::Object>()));
  });
  settings.client_certificates = static_cast<ClientCertificates>(
      from.Get("clientCertificates").As<Napi::Number>().Uint32Value());
  settings.authorities = Text(from, "ca");
  settings.revocations = Text(from, "crl");
  settings.versions =
      static_cast<TlsVersions>(from.Get("versions").As<Napi::Number>().Uint32Value());
  settings.ciphers = Text(from, "ciphers");
  settings.groups = Text(from, "groups");
  settings.signatures = Text(from, "sigalgs");
  settings.own_cipher_order = from.Get("ownCipherOrder").As<Napi::Boolean>();
  settings.session_id_context = Text(from, "sessionIdContext");
  const Napi::Value keys = from.Get("ticketKeys");
  if (keys.IsTypedArray()) {
    const auto bytes = keys.As<Napi::Uint8Array>();
    TicketKeys& taken = settings.ticket_keys.emplace();
    CHECK(bytes.ByteLength() == taken.size());
    std::copy_n(bytes.Data(), taken.size(), taken.begin());
  }
  return settings;
}

void ExportTlsFunctions(Napi::Env env, Napi::Object exports) {
  Export<JsReloadTls>(env, exports, "reloadTls");
  Export<JsCarrierOfTls>(env, exports, "carrierOfTls");
}

}  // namespace holdfast
