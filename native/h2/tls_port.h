// A port's TLS, through all the certificates that it is given in the course of time.
//
// Threads: any.
#pragma once

#include <memory>
#include <string>

#include "base/mutex.h"
#include "core/port_context.h"
#include "h2/tls_context.h"

namespace holdfast {

class TlsPort final : public PortContext {
 public:
  // nullptr and a reason, as TlsContext::Make gives it.
  static std::shared_ptr<TlsPort> Make(const TlsSettings& settings, std::string* why_not);

  // For a connection that begins now.
  std::shared_ptr<const TlsContext> Current() const EXCLUDES(mu_);
  // For connections from now on; false with a reason, and nothing changed. Ticket keys that are not
  // given stay as they are.
  bool Replace(TlsSettings settings, std::string* why_not) EXCLUDES(mu_);

 private:
  explicit TlsPort(std::shared_ptr<const TlsContext> first) : current_(std::move(first)) {}

  mutable Mutex mu_;
  std::shared_ptr<const TlsContext> current_ GUARDED_BY(mu_);
};

}  // namespace holdfast
