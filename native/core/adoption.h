// Requests of reactors as streams of the registry. The stream's owner is the reactor; that it is
// one at all is for a Node thread to say, at once and without waiting for the reactor.
#pragma once

#include <string_view>

#include "core/registry.h"
#include "core/request_mail.h"
#include "core/resume.h"

namespace holdfast {

// The reactor. Where the request is put.
RequestId OpenRequest(Worker& reactor, uint32_t socket);
// The reactor. Frees the place; a request that was adopted is un-registered with it. Returns its
// uid, 0 if it had none.
StreamUid CloseRequest(Registry& registry, Worker& reactor, uint32_t slot, CloseReason reason);

// These by any Node thread; `self` is its worker.

// `out` says kind, policy and whether it marks gaps. kGone if the request is over.
Status AdoptRequest(Registry& registry, Worker& self, RequestId request, std::string_view tags,
                    StreamFacts* out);
// As for streams of the own thread (core/registry.h, core/subscriptions.h, core/resume.h,
// core/heartbeat.h). False also if it is gone, or no reactor's; where nothing is answered, nothing
// is to be done then.
bool DetachOnReactor(Registry& registry, Worker& self, StreamUid uid);
bool SubscribeOnReactor(Registry& registry, StreamUid uid, std::string_view topic);
bool UnsubscribeOnReactor(Registry& registry, StreamUid uid, std::string_view topic);
Resumption ResumeOnReactor(Registry& registry, Worker& self, StreamUid uid, std::string_view topic,
                           std::string_view after, bool gap_told);
void MarkClosingOnReactor(Registry& registry, StreamUid uid);
void SetHeartbeatOnReactor(Registry& registry, StreamUid uid, uint32_t interval_ms);

}  // namespace holdfast
