// What a port brings to its connections: its TLS context is one. The core only carries it.
//
// Threads: any; immutable once a connection has it.
#pragma once

namespace holdfast {

class PortContext {
 public:
  virtual ~PortContext() = default;
};

}  // namespace holdfast
