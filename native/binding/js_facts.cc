#include <algorithm>
#include <cstring>
#include <ctime>

#include "base/clock.h"
#include "binding/arguments.h"
#include "binding/enumeration_argument.h"
#include "binding/functions.h"

namespace holdfast {
namespace {

// One stream in the frame memory; src/stream-info.ts reads it.
struct FactsRecord {
  uint64_t uid;
  double created_at_ms;   // since the Unix epoch
  double detached_at_ms;  // the same; 0 while attached
  double idle_ms;
  double queued_bytes;
  uint32_t kind;
  uint32_t detached;
  uint32_t closing;
  uint32_t socket;
  uint32_t port;
  uint32_t handle;
  uint32_t address_size;
  uint32_t tags_size;
  char address[48];
  char tags[256];
};
static_assert(sizeof(FactsRecord) == 376);

// Added to the monotonic clock gives the time of day; taken once, so that a stream's times never
// move against each other.
double WallOffsetMs() {
  static const double offset = [] {
    timespec now;
    CHECK(clock_gettime(CLOCK_REALTIME, &now) == 0);
    const int64_t now_ms = int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
    return static_cast<double>(now_ms) - static_cast<double>(MonotonicMs());
  }();
  return offset;
}

void Fill(FactsRecord* record, const StreamFacts& facts, const TagText& tags) {
  record->uid = facts.uid.value;
  record->created_at_ms = WallOffsetMs() + static_cast<double>(facts.created_ms);
  record->detached_at_ms =
      facts.detached ? WallOffsetMs() + static_cast<double>(facts.detached_ms) : 0;
  const uint64_t now_ms = MonotonicMs();
  record->idle_ms =
      now_ms > facts.last_active_ms ? static_cast<double>(now_ms - facts.last_active_ms) : 0;
  record->queued_bytes = static_cast<double>(facts.queued_bytes);
  record->kind = static_cast<uint32_t>(facts.kind);
  record->detached = facts.detached ? 1 : 0;
  record->closing = facts.closing ? 1 : 0;
  record->socket = facts.socket;
  record->port = facts.peer.port;
  record->handle = facts.handle;
  const std::string address = FormatAddress(facts.peer);
  record->address_size = static_cast<uint32_t>(address.size());
  std::memcpy(record->address, address.data(), address.size());
  record->tags_size = tags.size;
  std::memcpy(record->tags, tags.bytes, tags.size);
}

// find(uid, counted): status; the facts are the frame's first record. `counted`: as a hit,
// cross-worker look-up or miss, which is for the application's own finds.
Napi::Value JsFind(const Napi::CallbackInfo& info) {
  NodeWorker& self = Self(info);
  const std::optional<StreamUid> uid = UidArgument(info, 0);
  if (!uid) return Code(info, Status::kInvalid);
  Registry& registry = Registry::Get();
  FoundStream found;
  const bool lives = BoolArgument(info, 1) ? registry.Find(&self.worker(), *uid, &found.facts)
                                           : registry.Read(*uid, &found.facts);
  if (!lives || !registry.FindWorker(uid->worker_id())->cache.Tags(found.facts, &found.tags)) {
    return Code(info, Status::kGone);
  }
  Fill(self.frame().As<FactsRecord>(), found.facts, found.tags);
  return Code(info, Status::kOk);
}

// has(uid): status. Counts nothing.
Napi::Value JsHas(const Napi::CallbackInfo& info) {
  const std::optional<StreamUid> uid = UidArgument(info, 0);
  if (!uid) return Code(info, Status::kInvalid);
  return Code(info, Registry::Get().FindLine(*uid) != nullptr ? Status::kOk : Status::kGone);
}

// handleOf(uid): the own table's index of a stream of the calling thread, or a Status.
Napi::Value JsHandleOf(const Napi::CallbackInfo& info) {
  const std::optional<StreamUid> uid = UidArgument(info, 0);
  if (!uid) return Code(info, Status::kInvalid);
  const Worker& worker = Self(info).worker();
  const StreamLine* line = uid->worker_id() == worker.id ? worker.cache.Find(*uid) : nullptr;
  return line == nullptr ? Code(info, Status::kGone) : Number(info, line->handle());
}

// enumerate(kind, worker, detached, address, idleForMs, tag): an enumeration, or a Status. Numbers
// below zero and empty texts filter nothing.
Napi::Value JsEnumerate(const Napi::CallbackInfo& info) {
  StreamFilter filter;
  const int32_t kind = Int32Argument(info, 0);
  const int32_t worker = Int32Argument(info, 1);
  const int32_t detached = Int32Argument(info, 2);
  const std::string address = info[3].As<Napi::String>();
  if (kind >= 0) filter.kind = static_cast<StreamKind>(kind);
  if (worker >= 0) filter.worker = static_cast<uint32_t>(worker);
  if (detached >= 0) filter.detached = detached != 0;
  if (!address.empty()) {
    filter.address = ParseAddress(address, 0).words;
    if (*filter.address == PeerAddress{}.words) return Code(info, Status::kInvalid);
  }
  filter.idle_for_ms = static_cast<uint64_t>(DoubleArgument(info, 4));
  filter.tag = info[5].As<Napi::String>().Utf8Value();
  auto enumeration = std::make_unique<Enumeration>(Registry::Get(), std::move(filter));
  auto external = Napi::External<Enumeration>::New(
      info.Env(), enumeration.get(), [](Napi::Env, Enumeration* done) { delete done; });
  if (external.IsEmpty()) return info.Env().Undefined();  // the thread is being terminated
  (void)enumeration.release();
  external.TypeTag(&kEnumerationTag);
  return external;
}

// enumerateNext(enumeration): how many records the frame holds now; -1 when there are no more.
Napi::Value JsEnumerateNext(const Napi::CallbackInfo& info) {
  Enumeration* enumeration = EnumerationArgument(info, 0);
  if (enumeration == nullptr) return Number(info, -1);
  NodeWorker* self = SelfIfOpen(info);
  if (self == nullptr) return Number(info, -1);
  const SharedMemory& frame = self->frame();
  std::vector<FoundStream> found;
  const bool more = enumeration->Next(frame.bytes().size() / sizeof(FactsRecord), &found);
  if (!more && found.empty()) return Number(info, -1);
  auto* record = frame.As<FactsRecord>();
  for (const FoundStream& stream : found) Fill(record++, stream.facts, stream.tags);
  return Number(info, static_cast<double>(found.size()));
}

// totals(): every counter, in the order of core/counters.h.
Napi::Value JsTotals(const Napi::CallbackInfo& info) {
  const std::array<uint64_t, kCounters> totals = Registry::Get().Totals();
  auto result = Napi::Float64Array::New(info.Env(), kCounters);
  if (result.IsEmpty()) return info.Env().Undefined();  // the thread is being terminated
  for (uint32_t i = 0; i < kCounters; i++) result.Data()[i] = static_cast<double>(totals[i]);
  return result;
}

// slowest(n): uids and queued bytes, in turn, of the streams that have most waiting among those
// whose readers are behind.
Napi::Value JsSlowest(const Napi::CallbackInfo& info) {
  Registry& registry = Registry::Get();
  std::vector<StreamUid> slow;
  for (Worker* worker : registry.LiveWorkers()) worker->slow_streams.AppendTo(&slow);
  std::vector<std::pair<uint64_t, StreamUid>> queued;
  for (const StreamUid uid : slow) {
    StreamFacts facts;
    if (registry.Read(uid, &facts)) queued.emplace_back(facts.queued_bytes, uid);
  }
  const size_t count = std::min<size_t>(Uint32Argument(info, 0), queued.size());
  std::partial_sort(queued.begin(), queued.begin() + static_cast<ptrdiff_t>(count), queued.end(),
                    [](const auto& a, const auto& b) { return a.first > b.first; });
  auto result = Napi::BigUint64Array::New(info.Env(), count * 2);
  if (result.IsEmpty()) return info.Env().Undefined();  // the thread is being terminated
  for (size_t i = 0; i < count; i++) {
    result[2 * i] = queued[i].second.value;
    result[2 * i + 1] = queued[i].first;
  }
  return result;
}

// queuedBytes(): of all streams of the process.
Napi::Value JsQueuedBytes(const Napi::CallbackInfo& info) {
  return Number(info, static_cast<double>(Registry::Get().queued_bytes()));
}

// workers(): eleven numbers a live worker; src/stats.ts names them.
Napi::Value JsWorkers(const Napi::CallbackInfo& info) {
  const std::vector<Worker*> workers = Registry::Get().LiveWorkers();
  constexpr size_t kColumns = 11;
  auto result = Napi::Float64Array::New(info.Env(), workers.size() * kColumns);
  if (result.IsEmpty()) return info.Env().Undefined();  // the thread is being terminated
  double* row = result.Data();
  for (Worker* worker : workers) {
    const CacheUsage usage = worker->cache.Usage();
    const bool accepting = worker->accepting.load(std::memory_order_acquire) ||
                           worker->takes_sessions.load(std::memory_order_acquire);
    const double columns[kColumns] = {
        static_cast<double>(worker->id),
        accepting ? 1.0 : 0.0,
        static_cast<double>(worker->load.load(std::memory_order_relaxed)),
        static_cast<double>(worker->connections.load(std::memory_order_relaxed)),
        static_cast<double>(worker->live_streams.load(std::memory_order_relaxed)),
        static_cast<double>(usage.sockets),
        static_cast<double>(usage.slots_live),
        static_cast<double>(usage.slots_quarantined),
        static_cast<double>(usage.slots_retired),
        static_cast<double>(worker->mailbox.reserved()),
        static_cast<double>(worker->kind()),
    };
    row = std::copy(std::begin(columns), std::end(columns), row);
  }
  return result;
}

}  // namespace

void ExportFactFunctions(Napi::Env env, Napi::Object exports) {
  Export<JsFind>(env, exports, "find");
  Export<JsHas>(env, exports, "has");
  Export<JsHandleOf>(env, exports, "handleOf");
  Export<JsEnumerate>(env, exports, "enumerate");
  Export<JsEnumerateNext>(env, exports, "enumerateNext");
  Export<JsTotals>(env, exports, "totals");
  Export<JsWorkers>(env, exports, "workers");
  Export<JsSlowest>(env, exports, "slowest");
  Export<JsQueuedBytes>(env, exports, "queuedBytes");
}

}  // namespace holdfast
