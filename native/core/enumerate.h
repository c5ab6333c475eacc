// Enumeration of the streams of the process by filter, in steps of bounded time.
//
// A stream that lives during the whole walk is found once, one that was dead throughout never; of
// births and deaths meanwhile either may be seen.
//
// Threads: any; one Enumeration belongs to one thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/registry.h"

namespace holdfast {

struct StreamFilter {
  std::optional<StreamKind> kind;
  std::optional<uint32_t> worker;
  std::optional<bool> detached;
  std::optional<std::array<uint64_t, 2>> address;
  uint64_t idle_for_ms = 0;
  std::string tag;  // empty: any
};

struct FoundStream {
  StreamFacts facts;
  TagText tags;
};

class Enumeration {
 public:
  Enumeration(Registry& registry, StreamFilter filter);

  // Appends the next streams that pass, at most `limit`; false when there are no more to come.
  bool Next(size_t limit, std::vector<FoundStream>* out);

 private:
  static constexpr uint32_t kLinesAStep = 4096;

  void Offer(const Worker& worker, StreamUid uid, std::vector<FoundStream>* out) const;
  bool Passes(const FoundStream& stream) const;

  Registry& registry_;
  const StreamFilter filter_;
  // Detached streams are listed by the registry; only a walk over all looks at every line.
  std::vector<StreamUid> autonomous_;
  std::vector<Worker*> workers_;
  size_t position_ = 0;
  uint64_t cursor_ = 0;
};

}  // namespace holdfast
