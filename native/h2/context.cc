#include "h2/context.h"

#include "base/check.h"
#include "h2/session_callbacks.h"

namespace holdfast {
namespace {

constexpr size_t kInputBytes = 64 << 10;
// A peer that sends PINGs or SETTINGS and does not read the answers is cut off by the library.
constexpr size_t kMostAcknowledgements = 200;
constexpr size_t kMostSettings = 32;

}  // namespace

H2Context::H2Context(const Nghttp2Api& functions, const H2Limits& bounds, H2Events& listener)
    : api(functions), limits(bounds), events(listener), input(kInputBytes) {
  CHECK(api.session_callbacks_new(&callbacks_) == 0);
  H2Callbacks::Set(api, callbacks_);
  CHECK(api.option_new(&option_) == 0);
  api.option_set_no_auto_window_update(option_, 1);
  api.option_set_max_outbound_ack(option_, kMostAcknowledgements);
  api.option_set_max_settings(option_, kMostSettings);
}

H2Context::~H2Context() {
  api.option_del(option_);
  api.session_callbacks_del(callbacks_);
}

}  // namespace holdfast
