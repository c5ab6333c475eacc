// What the addon keeps for one environment: the worker that its thread is, if it is one.
//
// Threads: owner loop.
#pragma once

#include <napi.h>

#include "binding/node_worker.h"

namespace holdfast {

class EnvState {
 public:
  static EnvState& Of(Napi::Env env) {
    auto* state = env.GetInstanceData<EnvState>();
    CHECK(state != nullptr);
    return *state;
  }

  NodeWorker* node_worker() const { return node_worker_; }
  void set_node_worker(NodeWorker* worker) { node_worker_ = worker; }
  void Forget(const NodeWorker* worker) {
    if (node_worker_ == worker) node_worker_ = nullptr;
  }

 private:
  NodeWorker* node_worker_ = nullptr;  // owns itself
};

}  // namespace holdfast
