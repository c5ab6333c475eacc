// How long a find takes, natively: the registry's beside the memory it must touch, a linear scan
// under locks, and std::unordered_map under one read-write lock.
//
//   native_bench --streams=N [google-benchmark's options]
//
// Two workers hold N/2 streams each, one a socket; thread i is worker i. Uids come in random order
// from a list as long as there are streams, so that nothing stays in cache that would not in use.
// Each find copies out what it found and compares it with what it asked for; a row whose answers
// were wrong, or were not counted right, ends in an error.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>

#include "core/registry.h"
#include "rivals.h"

namespace holdfast {
namespace {

constexpr uint32_t kThreads = 2;

struct Population {
  Worker* workers[kThreads];
  std::vector<StreamUid> uids[kThreads];   // live, shuffled
  std::vector<StreamUid> stale[kThreads];  // of the same lines, an earlier or later tenant's
};

Population population;
RawLines raw_lines;
LockedMap locked_map;
LinearScan linear_scan;

void Fill(size_t streams) {
  Options options;
  options[Option::kMaxStreamsPerWorker] = options[Option::kMaxTotalStreams] = uint64_t{1} << 32;
  std::mt19937_64 random(streams);
  for (uint32_t i = 0; i < kThreads; i++) {
    CHECK(IsOk(Registry::Get().Join(options, 0, &population.workers[i])));
    for (size_t n = 0; n < streams / kThreads; n++) {
      Worker& worker = *population.workers[i];
      StreamFacts facts;
      facts.kind = StreamKind::kSse;
      CHECK(IsOk(Registry::Get().CreateStream(worker, Registry::Get().OpenSocket(worker, {}, false),
                                              "", &facts)));
      population.uids[i].push_back(facts.uid);
    }
    // The rivals get them in another order than that in which they are asked for.
    std::shuffle(population.uids[i].begin(), population.uids[i].end(), random);
    for (const StreamUid uid : population.uids[i]) {
      locked_map.Insert(uid);
      linear_scan.Insert(uid);
    }
    std::shuffle(population.uids[i].begin(), population.uids[i].end(), random);
    for (const StreamUid uid : population.uids[i]) {
      population.stale[i].push_back(
          StreamUid::Of(i, uid.generation() + 1, uid.slot(), uid.stream_id()));
    }
  }
  raw_lines.Fill(streams, random);
}

struct Answer {
  uint64_t uid;   // of the stream that lies there, 0 if there is none
  uint64_t fact;  // another word of it, in which the highest bit is never set
};

// Walks a list of uids over and over. `kDependent`: the next step waits for the answer to the last,
// as when one look-up leads to the next; otherwise the processor may overlap them.
// A template, since the compiler may make a choice at run time into a dependency of both.
template <bool kDependent, typename Find>
void Walk(benchmark::State& state, const std::vector<StreamUid>& uids, bool live, Find find) {
  uint64_t wrong = 0;
  size_t at = uids.size() / kThreads * static_cast<size_t>(state.thread_index());
  uint64_t step = 0;
  for (auto _ : state) {
    if (++at >= uids.size()) at = 0;
    const StreamUid uid{uids[at].value ^ step};
    const Answer answer = find(uid);
    wrong += answer.uid != (live ? uid.value : 0);
    if constexpr (kDependent) step = answer.fact >> 63;
  }
  if (wrong != 0) state.SkipWithError("wrong answers");
  state.counters["finds"] = static_cast<double>(state.iterations());
}

enum class Where { kOwn, kOther, kMiss };

const std::vector<StreamUid>& Keys(Where where, int thread) {
  const int other = 1 - thread;
  return where == Where::kOwn     ? population.uids[thread]
         : where == Where::kOther ? population.uids[other]
                                  : population.stale[other];
}

template <bool kDependent>
void FindRegistry(benchmark::State& state, Where where) {
  Registry& registry = Registry::Get();
  Worker* self = population.workers[state.thread_index()];
  const Counter counter = where == Where::kOwn     ? Counter::kCacheHits
                          : where == Where::kOther ? Counter::kCrossWorkerLookups
                                                   : Counter::kCacheMisses;
  const uint64_t before = self->counters.Get(counter);
  Walk<kDependent>(state, Keys(where, state.thread_index()), where != Where::kMiss,
                   [&](StreamUid uid) {
                     StreamImage image;
                     const bool found = registry.Find(self, uid, &image);
                     benchmark::DoNotOptimize(image);
                     return Answer{found ? image.uid.value : 0, image.words[4]};
                   });
  if (self->counters.Get(counter) - before != static_cast<uint64_t>(state.iterations())) {
    state.SkipWithError("not every find was counted once");
  }
}

template <typename Rival>
void FindRival(benchmark::State& state, Rival& rival, Where where) {
  const auto self = static_cast<uint32_t>(state.thread_index());
  Walk<false>(state, Keys(where, state.thread_index()), where != Where::kMiss, [&](StreamUid uid) {
    RivalStream out;
    const bool found = rival.Find(self, uid, &out);
    benchmark::DoNotOptimize(out);
    return Answer{found ? out.uid.value : 0, out.facts[0]};
  });
}

template <bool kDependent>
void TouchMemory(benchmark::State& state) {
  size_t at = static_cast<size_t>(state.thread_index()) * raw_lines.order.size() / kThreads;
  uint64_t wrong = 0;
  uint64_t step = 0;
  for (auto _ : state) {
    if (++at >= raw_lines.order.size()) at = 0;
    const uint64_t index = raw_lines.order[at] ^ step;
    const uint64_t word = raw_lines.Load(index);
    wrong += word != index;
    if constexpr (kDependent) step = word >> 63;
  }
  if (wrong != 0) state.SkipWithError("wrong answers");
  state.counters["finds"] = static_cast<double>(state.iterations());
}

// 19 finds of own streams, then the stream found last is destroyed and another created.
constexpr int kFindsAWrite = 19;
constexpr size_t kStreamsASocket = 100;

template <typename Find, typename Replace>
void Mix(benchmark::State& state, std::vector<StreamUid>& uids, Find find, Replace replace) {
  size_t at = 0;
  uint64_t wrong = 0;
  int until_write = kFindsAWrite;
  for (auto _ : state) {
    if (until_write-- > 0) {
      if (++at >= uids.size()) at = 0;
      wrong += find(uids[at]) != uids[at].value;
    } else {
      uids[at] = replace(uids[at]);
      until_write = kFindsAWrite;
    }
  }
  if (wrong != 0) state.SkipWithError("wrong answers");
  state.counters["finds"] = static_cast<double>(state.iterations());
}

void MixRegistry(benchmark::State& state) {
  Registry& registry = Registry::Get();
  Worker& self = *population.workers[state.thread_index()];
  std::vector<StreamUid> uids(population.uids[state.thread_index()].size());
  std::vector<uint32_t> sockets(uids.size() / kStreamsASocket + 1);
  for (uint32_t& socket : sockets) socket = registry.OpenSocket(self, {}, false);
  StreamFacts facts;
  size_t turn = 0;
  const auto create = [&] {
    const uint32_t socket = sockets[turn++ % sockets.size()];
    facts = StreamFacts{};
    facts.kind = StreamKind::kSse;
    CHECK(IsOk(registry.CreateStream(self, socket, "", &facts)));
    return facts.uid;
  };
  for (StreamUid& uid : uids) uid = create();
  std::shuffle(uids.begin(), uids.end(), std::mt19937_64(1));
  Mix(
      state, uids,
      [&](StreamUid uid) { return registry.Find(&self, uid, &facts) ? facts.uid.value : 0; },
      [&](StreamUid uid) {
        CHECK(registry.DestroyStream(self, uid, CloseReason::kClose));
        return create();
      });
  for (const StreamUid uid : uids) registry.DestroyStream(self, uid, CloseReason::kClose);
  for (const uint32_t socket : sockets) registry.CloseSocket(self, socket, false);
}

void MixMap(benchmark::State& state) {
  const auto self = static_cast<uint32_t>(state.thread_index());
  std::vector<StreamUid> uids = population.uids[self];
  // Uids that no worker mints, so that they never meet the others' in the map.
  uint64_t next = uint64_t{0xFF00 + self} << 48;
  Mix(
      state, uids,
      [&](StreamUid uid) {
        RivalStream out;
        return locked_map.Find(self, uid, &out) ? out.uid.value : 0;
      },
      [&](StreamUid uid) {
        locked_map.Erase(uid);
        const StreamUid fresh{++next};
        locked_map.Insert(fresh);
        return fresh;
      });
  for (size_t i = 0; i < uids.size(); i++) {
    if (uids[i] == population.uids[self][i]) continue;
    locked_map.Erase(uids[i]);
    locked_map.Insert(population.uids[self][i]);
  }
}

template <typename Function>
void Add(const std::string& name, Function function, bool one_thread_only = false) {
  auto* row = benchmark::RegisterBenchmark(name.c_str(), function)->UseRealTime();
  row->Threads(1);
  if (!one_thread_only) row->Threads(static_cast<int>(kThreads));
}

void AddRows() {
  Add("memory/line", [](auto& state) { TouchMemory<false>(state); });
  Add("memory/line dependent", [](auto& state) { TouchMemory<true>(state); }, true);
  const std::pair<const char*, Where> places[] = {
      {"own", Where::kOwn}, {"other", Where::kOther}, {"miss", Where::kMiss}};
  for (const auto& [name, where] : places) {
    const std::string text(name);
    const Where place = where;
    Add("registry/" + text, [place](auto& state) { FindRegistry<false>(state, place); });
    Add("map+rwlock/" + text, [place](auto& state) { FindRival(state, locked_map, place); });
    Add("linear scan/" + text, [place](auto& state) { FindRival(state, linear_scan, place); });
  }
  Add(
      "registry/other dependent", [](auto& state) { FindRegistry<true>(state, Where::kOther); },
      true);
  Add("registry/95% find, 5% replace", MixRegistry);
  Add("map+rwlock/95% find, 5% replace", MixMap);
}

}  // namespace
}  // namespace holdfast

int main(int argc, char** argv) {
  constexpr char kStreams[] = "--streams=";
  long streams = 0;
  int kept = 1;
  for (int i = 1; i < argc; i++) {
    if (std::strncmp(argv[i], kStreams, sizeof kStreams - 1) == 0) {
      streams = std::atol(argv[i] + sizeof kStreams - 1);
    } else {
      argv[kept++] = argv[i];
    }
  }
  benchmark::Initialize(&kept, argv);
  if (streams < 2 || benchmark::ReportUnrecognizedArguments(kept, argv)) {
    std::fprintf(stderr, "usage: native_bench --streams=N [--benchmark_...]\n");
    return 2;
  }
  holdfast::Fill(static_cast<size_t>(streams));
  holdfast::AddRows();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  std::_Exit(
      0);  // the registry never goes, and the rivals' million nodes need not be freed one by one
}
