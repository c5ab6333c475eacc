#include "core/enumerate.h"

#include <utility>

#include "base/clock.h"

namespace holdfast {

Enumeration::Enumeration(Registry& registry, StreamFilter filter)
    : registry_(registry), filter_(std::move(filter)) {
  if (filter_.detached.value_or(false)) {
    autonomous_ = registry_.AutonomousStreams();
    return;
  }
  for (Worker* worker : registry_.LiveWorkers()) {
    if (!filter_.worker || *filter_.worker == worker->id) workers_.push_back(worker);
  }
}

bool Enumeration::Next(size_t limit, std::vector<FoundStream>* out) {
  if (filter_.detached.value_or(false)) {
    for (; position_ < autonomous_.size() && out->size() < limit; position_++) {
      const StreamUid uid = autonomous_[position_];
      Offer(*registry_.FindWorker(uid.worker_id()), uid, out);
    }
    return position_ < autonomous_.size();
  }
  while (position_ < workers_.size() && out->size() < limit) {
    const Worker& worker = *workers_[position_];
    // Never more lines than there is room for: a line found is a line kept.
    const auto lines = static_cast<uint32_t>(std::min<size_t>(kLinesAStep, limit - out->size()));
    cursor_ = worker.cache.Scan(cursor_, lines, [&](StreamUid uid) { Offer(worker, uid, out); });
    if (cursor_ == WorkerCache::kScanEnd) {
      cursor_ = 0;
      position_++;
    }
  }
  return position_ < workers_.size();
}

void Enumeration::Offer(const Worker& worker, StreamUid uid, std::vector<FoundStream>* out) const {
  FoundStream& stream = out->emplace_back();
  const StreamLine* line = worker.cache.Find(uid);
  const bool found = line != nullptr && line->Read(uid, &stream.facts) &&
                     worker.cache.Tags(stream.facts, &stream.tags) && Passes(stream);
  if (!found) out->pop_back();
}

bool Enumeration::Passes(const FoundStream& stream) const {
  const StreamFacts& facts = stream.facts;
  if (filter_.kind && facts.kind != *filter_.kind) return false;
  if (filter_.worker && facts.uid.worker_id() != *filter_.worker) return false;
  if (filter_.detached && facts.detached != *filter_.detached) return false;
  if (filter_.address && facts.peer.words != *filter_.address) return false;
  if (filter_.idle_for_ms != 0 && MonotonicMs() - facts.last_active_ms < filter_.idle_for_ms) {
    return false;
  }
  return filter_.tag.empty() || stream.tags.Contains(filter_.tag);
}

}  // namespace holdfast
