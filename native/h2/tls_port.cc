#include "h2/tls_port.h"

#include <utility>

namespace holdfast {

std::shared_ptr<TlsPort> TlsPort::Make(const TlsSettings& settings, std::string* why_not) {
  std::shared_ptr<const TlsContext> first = TlsContext::Make(settings, why_not);
  if (first == nullptr) return nullptr;
  return std::shared_ptr<TlsPort>(new TlsPort(std::move(first)));
}

std::shared_ptr<const TlsContext> TlsPort::Current() const {
  const MutexLock lock(mu_);
  return current_;
}

bool TlsPort::Replace(TlsSettings settings, std::string* why_not) {
  if (!settings.ticket_keys.has_value()) settings.ticket_keys = Current()->ticket_keys();
  std::shared_ptr<const TlsContext> next = TlsContext::Make(settings, why_not);
  if (next == nullptr) return false;
  {
    const MutexLock lock(mu_);
    current_.swap(next);
  }
  // What was there before goes here, outside of the lock, if no connection holds it.
  return true;
}

}  // namespace holdfast
