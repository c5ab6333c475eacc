// What is to be done for streams at a time of their own: an event stream that has been quiet is
// sent a comment, so that nothing on its way takes it for dead.
#pragma once

#include "core/carrier.h"
#include "core/worker.h"

namespace holdfast {

class Registry;

// A comment whenever nothing was sent for so long (WHATWG HTML, section 9.2.7); 0: none any more.
// Threads: as Alarms::Set.
void SetHeartbeat(Worker& worker, StreamUid uid, uint32_t interval_ms);

// Does what is due, to as many streams as a turn may write to. False when the carrier takes no
// more. Threads: the owner.
bool RunAlarms(Registry& registry, Worker& worker, Carrier& carrier);

}  // namespace holdfast
