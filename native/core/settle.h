// Word to whoever waits for one message to be taken by its stream's socket.
#pragma once

#include "core/registry.h"
#include "core/ticket.h"

namespace holdfast {

Ticket NewTicket(uint32_t worker_id);

// By mail, also to the calling thread itself; to a worker that has gone, nothing. Threads: any.
void Settle(Registry& registry, Ticket ticket, Outcome outcome);

}  // namespace holdfast
