// In which turns of the loop an inbox has its carrier write, and to whom.
#pragma once

#include <map>
#include <set>

#include "core/inbox.h"
#include "support/recording_carrier.h"

namespace holdfast::test {

// Delivers all, and says in which turns each handle was written to, or what else was done with it.
inline std::map<uint64_t, std::set<uint32_t>> DeliverByTurn(Inbox& inbox,
                                                            const RecordingCarrier& carrier) {
  std::map<uint64_t, std::set<uint32_t>> turns;
  size_t before = carrier.operation_count();
  bool more = true;
  for (uint32_t turn = 0; more; turn++) {
    more = inbox.Deliver();
    const auto operations = carrier.operations();
    EXPECT(operations.size() - before <= carrier.streams);
    for (; before < operations.size(); before++) turns[operations[before].whom].insert(turn);
  }
  return turns;
}

}  // namespace holdfast::test
