#include "reactor/reactor_table.h"

#include <vector>

#include "base/mutex.h"

namespace holdfast {
namespace {

// Leaked, as the registry is.
struct ReactorTable {
  Mutex mu;
  std::vector<std::unique_ptr<Reactor>> reactors GUARDED_BY(mu);
};

}  // namespace

Reactor* ReactorOf(uint32_t worker_id) {
  static ReactorTable* const table = new ReactorTable;
  MutexLock lock(table->mu);
  if (table->reactors.size() <= worker_id) table->reactors.resize(worker_id + 1);
  std::unique_ptr<Reactor>& reactor = table->reactors[worker_id];
  if (reactor == nullptr) reactor = Reactor::Create();
  return reactor.get();
}

}  // namespace holdfast
