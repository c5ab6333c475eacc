#include "h2/openssl_api.h"

namespace holdfast {
namespace {

// Written once, before LoadOpenSsl returns for the first time.
OpenSslApi process_table;

}  // namespace

bool ResolveOpenSsl(SymbolLookup look_up, OpenSslApi* out, std::string* why_not) {
  // First, as another library lacks this or that, which says less. 0xMNN00PP0L; BoringSSL says
  // 1.1.1 of itself and LibreSSL 2.0.0, whatever they can.
  constexpr unsigned long kMajor = 3;
  const auto number = reinterpret_cast<unsigned long (*)()>(look_up("OpenSSL_version_num"));
  const auto text = reinterpret_cast<const char* (*)(int)>(look_up("OpenSSL_version"));
  if (number != nullptr && text != nullptr && number() >> 28 != kMajor) {
    *why_not = std::string(text(0)) + " is not OpenSSL 3";
    return false;
  }
#define HOLDFAST_RESOLVE(name, result, parameters)                   \
  out->name = reinterpret_cast<decltype(out->name)>(look_up(#name)); \
  if (out->name == nullptr) {                                        \
    *why_not = #name " is not exported";                             \
    return false;                                                    \
  }
  HOLDFAST_OPENSSL_FUNCTIONS(HOLDFAST_RESOLVE)
#undef HOLDFAST_RESOLVE
  return true;
}

bool LoadOpenSsl(SymbolLookup look_up, std::string* why_not) {
  struct Found {
    bool resolved;
    std::string why_not;
  };
  static const Found* const found = [look_up] {
    auto* made = new Found{};
    made->resolved = ResolveOpenSsl(look_up, &process_table, &made->why_not);
    return made;
  }();
  *why_not = found->why_not;
  return found->resolved;
}

const OpenSslApi& OpenSsl() { return process_table; }

std::string TakeOpenSslReason() {
  const OpenSslApi& api = OpenSsl();
  const unsigned long first = api.ERR_get_error();
  const char* reason = first == 0 ? nullptr : api.ERR_reason_error_string(first);
  std::string text = reason == nullptr ? "no reason given" : reason;
  api.ERR_clear_error();
  return text;
}

}  // namespace holdfast
