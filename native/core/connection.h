// An accepted connection on its way to a worker, and where it is to go.
#pragma once

#include <cstdint>
#include <memory>

#include "core/port_context.h"

namespace holdfast {

enum class Destination : uint8_t {
  kSockets,   // a Node thread, whose own server reads it
  kSessions,  // a worker that speaks HTTP/2 itself
};

struct Connection {
  int fd = -1;                              // owned by whoever holds this; not closed by itself
  std::shared_ptr<const PortContext> port;  // null: no TLS
  Destination destination = Destination::kSockets;
};

}  // namespace holdfast
