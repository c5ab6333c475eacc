#include "base/clock.h"
#include "binding/arguments.h"
#include "binding/functions.h"
#include "core/admission.h"
#include "core/adoption.h"
#include "core/heartbeat.h"

namespace holdfast {
namespace {

// openSocket(address: string, port, placed): index, or status.
Napi::Value JsOpenSocket(const Napi::CallbackInfo& info) {
  const std::string address = info[0].As<Napi::String>();
  const PeerAddress peer = ParseAddress(address, static_cast<uint16_t>(Uint32Argument(info, 1)));
  const uint32_t socket =
      Registry::Get().OpenSocket(Self(info).worker(), peer, BoolArgument(info, 2));
  return socket == kNone ? Code(info, Status::kExhausted) : Number(info, socket);
}

Napi::Value JsCloseSocket(const Napi::CallbackInfo& info) {
  NodeWorker* self = SelfIfOpen(info);
  if (self == nullptr) return info.Env().Undefined();  // its sockets went with it
  Registry::Get().CloseSocket(self->worker(), Uint32Argument(info, 0), BoolArgument(info, 1));
  return info.Env().Undefined();
}

// watchSocket(index, fd): status. The descriptor forgets itself when it is closed.
Napi::Value JsWatchSocket(const Napi::CallbackInfo& info) {
  NodeWorker& self = Self(info);
  const uint32_t socket = Uint32Argument(info, 0);
  const uint64_t token =
      static_cast<uint64_t>(self.worker().cache.SocketGeneration(socket)) << 32 | socket;
  return Code(info, self.reactor().poller().WatchHangup(Int32Argument(info, 1), token));
}

Napi::Value JsForgetSocket(const Napi::CallbackInfo& info) {
  return Code(info, Self(info).reactor().poller().Forget(Int32Argument(info, 0)));
}

// socketIds(index): the esocket_uuids its streams may carry, the primary one first.
Napi::Value JsSocketIds(const Napi::CallbackInfo& info) {
  const std::vector<uint32_t> ids = Self(info).worker().cache.SocketIds(Uint32Argument(info, 0));
  const Napi::Array result = Napi::Array::New(info.Env(), ids.size());
  for (uint32_t i = 0; i < ids.size(); i++) result.Set(i, Number(info, ids[i]));
  return result;
}

// create(socket, kind, handle, tagBytes, policy, marksGaps): uid, or status. The tags' text lies in
// the scratch memory; a policy below zero is the process's own.
Napi::Value JsCreate(const Napi::CallbackInfo& info) {
  NodeWorker& self = Self(info);
  size_t offset = 0;
  const std::string_view tags = ScratchText(self, &offset, Uint32Argument(info, 3));
  StreamFacts facts;
  facts.kind = static_cast<StreamKind>(Uint32Argument(info, 1));
  facts.handle = Uint32Argument(info, 2);
  const int32_t policy = Int32Argument(info, 4);
  facts.policy = static_cast<SlowPolicy>(policy < 0 ? self.worker().options[Option::kOnSlow]
                                                    : static_cast<uint64_t>(policy));
  facts.marks_gaps = BoolArgument(info, 5);
  const Status status =
      Registry::Get().CreateStream(self.worker(), Uint32Argument(info, 0), tags, &facts);
  if (!IsOk(status)) return Code(info, status);
  self.SetUid(facts.handle, facts.uid);
  return Napi::BigInt::New(info.Env(), facts.uid.value);
}

// destroy(uid, reason): whether it lived.
Napi::Value JsDestroy(const Napi::CallbackInfo& info) {
  const StreamUid uid = KnownUid(info, 0);
  const auto reason = static_cast<CloseReason>(Uint32Argument(info, 1));
  return Boolean(info, OwnLine(info, uid) != nullptr &&
                           Registry::Get().DestroyStream(Self(info).worker(), uid, reason));
}

// detach(uid): of a stream of the calling thread, or one on a reactor; whether it lives.
Napi::Value JsDetach(const Napi::CallbackInfo& info) {
  const StreamUid uid = KnownUid(info, 0);
  Registry& registry = Registry::Get();
  Worker& self = Self(info).worker();
  const bool lives = uid.worker_id() == self.id ? registry.Detach(self, uid)
                                                : DetachOnReactor(registry, self, uid);
  return Boolean(info, lives);
}

// markClosing(uid, behind): it takes nothing more. Where `behind` is true, whether something is
// held back for it that goes first; what says that all of it has gone follows. Of a stream on a
// reactor, which holds back by itself, never.
Napi::Value JsMarkClosing(const Napi::CallbackInfo& info) {
  const StreamUid uid = KnownUid(info, 0);
  StreamLine* line = OwnLine(info, uid);
  if (line == nullptr) {
    MarkClosingOnReactor(Registry::Get(), uid);
    return Boolean(info, false);
  }
  if (!line->owner_closes()) line->MarkClosing(MonotonicMs());
  NodeWorker& self = Self(info);
  const bool waits =
      BoolArgument(info, 1) && KeepsQueue(line->policy()) && self.worker().held_back.EndBehind(uid);
  if (waits) self.reactor().poller().Wake();
  return Boolean(info, waits);
}

// stopTaking(uid): it takes nothing more, for however long what it has takes to leave.
Napi::Value JsStopTaking(const Napi::CallbackInfo& info) {
  const StreamUid uid = KnownUid(info, 0);
  StreamLine* line = Registry::Get().FindLine(uid);
  if (line != nullptr) (void)line->StopTaking(uid);
  return info.Env().Undefined();
}

// closesByMail(uid): of a live stream of this thread, whether requestClose is to close it, as this
// thread has said something by mail that is to come before.
Napi::Value JsClosesByMail(const Napi::CallbackInfo& info) {
  const StreamUid uid = KnownUid(info, 0);
  return Boolean(info, OwnLine(info, uid) != nullptr && Self(info).sender().ClosesByMail(uid));
}

// touch(uid): a byte came or went.
Napi::Value JsTouch(const Napi::CallbackInfo& info) {
  StreamLine* line = OwnLine(info, KnownUid(info, 0));
  if (line != nullptr && !line->owner_closes()) line->Touch(MonotonicMs());
  return info.Env().Undefined();
}

// What taken() answers; src/stream-writes.ts knows them.
constexpr uint32_t kGap = 1;
constexpr uint32_t kDrained = 2;  // it was slow; now little waits, and nothing is held back
// In those of takenMany() with one of them.
constexpr uint32_t kTaken = 1u << 31;

// What the socket took, or what is not to be written after all.
uint32_t Release(NodeWorker& self, StreamLine& line, StreamUid uid, uint64_t bytes) {
  if (KeepsQueue(line.policy()) && self.worker().held_back.Taken(uid, bytes)) {
    self.reactor().poller().Wake();
  }
  // A reader that takes something is not stuck, however long its stream takes to end.
  if (line.owner_closes()) line.Touch(MonotonicMs());
  const Released released = GiveBack(Registry::Get(), &self.worker(), line, uid, bytes);
  const bool drained = line.slow() &&
                       released.queued <= self.worker().options[Option::kSendBudgetBytes] / 4 &&
                       !self.worker().held_back.Holds(uid);
  return (released.gap ? kGap : 0) | (drained ? kDrained : 0);
}

// unsend(uid, bytes): the stream's writable side had ended without our knowledge.
Napi::Value JsUnsend(const Napi::CallbackInfo& info) {
  const StreamUid uid = KnownUid(info, 0);
  StreamLine* line = OwnLine(info, uid);
  NodeWorker* self = SelfIfOpen(info);
  if (self == nullptr) return info.Env().Undefined();  // the stream's own code closed the manager
  // It was counted as sent a moment ago, and is answered as gone.
  Counters& counters = self->worker().counters;
  counters.Add(Counter::kMessagesSent, ~uint64_t{0});
  counters.Add(Counter::kMessagesGone);
  if (line == nullptr) return info.Env().Undefined();
  (void)Release(*self, *line, uid, static_cast<uint64_t>(DoubleArgument(info, 1)));
  // It takes no more; what its user has written may take its time.
  (void)line->StopTaking(uid);
  return info.Env().Undefined();
}

// release(uid, bytes): the same of what was reserved by others, and is counted by the caller.
Napi::Value JsRelease(const Napi::CallbackInfo& info) {
  const StreamUid uid = KnownUid(info, 0);
  StreamLine* line = OwnLine(info, uid);
  if (line == nullptr) return info.Env().Undefined();
  (void)Release(Self(info), *line, uid, Uint32Argument(info, 1));
  (void)line->StopTaking(uid);
  return info.Env().Undefined();
}

// taken(handle, bytes): the socket took them. 0 if the stream is gone. Once a message: a handle, as
// it costs less to read than a bigint.
Napi::Value JsTaken(const Napi::CallbackInfo& info) {
  NodeWorker* self = SelfIfOpen(info);
  if (self == nullptr) return Number(info, 0);
  const StreamUid uid = self->UidOf(Uint32Argument(info, 0));
  StreamLine* line = self->worker().cache.Find(uid);
  if (line == nullptr) return Number(info, 0);
  return Number(info, Release(*self, *line, uid, Uint32Argument(info, 1)));
}

// takenMany(pairs, count): the same of many, each a handle and bytes, but for streams that are to
// be told something: what the first of them does must come before the next has room. Their bytes
// stay in their place, for taken(); of the others 0, or what is answered. Whether any is not 0.
Napi::Value JsTakenMany(const Napi::CallbackInfo& info) {
  auto pairs = info[0].As<Napi::Uint32Array>();
  const uint32_t words = 2 * Uint32Argument(info, 1);
  CHECK(words <= pairs.ElementLength());
  NodeWorker* self = SelfIfOpen(info);
  bool any = false;
  constexpr uint32_t kAhead = 2 * WorkerCache::kFetchedAhead;
  uint32_t* const end = pairs.Data() + words;
  for (uint32_t* pair = pairs.Data(); self != nullptr && pair < end; pair += 2) {
    if (end - pair > kAhead) self->worker().cache.Fetch(self->UidOf(pair[kAhead]));
    const StreamUid uid = self->UidOf(pair[0]);
    StreamLine* line = self->worker().cache.Find(uid);
    const bool told = line != nullptr && (line->slow() || line->gap_marked());
    if (!told) {
      const uint32_t answer = line == nullptr ? 0 : Release(*self, *line, uid, pair[1]);
      pair[1] = answer == 0 ? 0 : kTaken | answer;
    }
    any = any || pair[1] != 0;
  }
  return Napi::Boolean::New(info.Env(), any);
}

// setSlow(uid, slow): whether its reader is behind.
Napi::Value JsSetSlow(const Napi::CallbackInfo& info) {
  const StreamUid uid = KnownUid(info, 0);
  if (StreamLine* line = OwnLine(info, uid); line != nullptr) {
    const bool slow = BoolArgument(info, 1);
    line->SetSlow(slow);
    Self(info).worker().slow_streams.Set(uid, slow);
  }
  return info.Env().Undefined();
}

// setHeartbeat(uid, intervalMs): of a stream of the calling thread, or one on a reactor.
Napi::Value JsSetHeartbeat(const Napi::CallbackInfo& info) {
  const StreamUid uid = KnownUid(info, 0);
  const uint32_t interval_ms = Uint32Argument(info, 1);
  if (OwnLine(info, uid) != nullptr) {
    SetHeartbeat(Self(info).worker(), uid, interval_ms);
  } else {
    SetHeartbeatOnReactor(Registry::Get(), uid, interval_ms);
  }
  return info.Env().Undefined();
}

}  // namespace

void ExportStreamFunctions(Napi::Env env, Napi::Object exports) {
  Export<JsOpenSocket>(env, exports, "openSocket");
  Export<JsCloseSocket>(env, exports, "closeSocket");
  Export<JsWatchSocket>(env, exports, "watchSocket");
  Export<JsForgetSocket>(env, exports, "forgetSocket");
  Export<JsSocketIds>(env, exports, "socketIds");
  Export<JsCreate>(env, exports, "create");
  Export<JsDestroy>(env, exports, "destroy");
  Export<JsDetach>(env, exports, "detach");
  Export<JsMarkClosing>(env, exports, "markClosing");
  Export<JsStopTaking>(env, exports, "stopTaking");
  Export<JsClosesByMail>(env, exports, "closesByMail");
  Export<JsTouch>(env, exports, "touch");
  Export<JsUnsend>(env, exports, "unsend");
  Export<JsRelease>(env, exports, "release");
  Export<JsTaken>(env, exports, "taken");
  Export<JsTakenMany>(env, exports, "takenMany");
  Export<JsSetSlow>(env, exports, "setSlow");
  Export<JsSetHeartbeat>(env, exports, "setHeartbeat");
}

}  // namespace holdfast
