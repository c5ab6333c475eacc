// Answers that are the same for everybody, by path: held natively and given by whoever reads the
// request, without a Node thread.
//
// A reader keeps the map it has seen last and asks by one atomic load whether there is a newer one.
//
// Threads: any. mu_ is a leaf.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "core/payload.h"

namespace holdfast {

struct StaticAnswer {
  std::string fields;  // as h2/fields.h, `:status` first
  bool dated = false;  // a date is among them
  PayloadRef body;     // none: it has no body
};

class StaticAnswers {
 public:
  using Map = std::map<std::string, StaticAnswer, std::less<>>;

  void Set(std::string path, StaticAnswer answer) EXCLUDES(mu_);
  void Remove(std::string_view path) EXCLUDES(mu_);

  class Reader {
   public:
    explicit Reader(StaticAnswers& answers) : answers_(answers) {}
    // The answer to GET and HEAD of that target, whatever query it has; nullptr if there is none.
    // Valid until the next call.
    const StaticAnswer* Find(std::string_view method, std::string_view target);

   private:
    StaticAnswers& answers_;
    uint64_t version_ = 0;
    std::shared_ptr<const Map> map_;
  };

 private:
  void Publish(Map map) REQUIRES(mu_);

  Mutex mu_;
  std::shared_ptr<const Map> map_ GUARDED_BY(mu_);
  // Written under mu_, release, behind the map; read by any, acquire. 0: never was any.
  std::atomic<uint64_t> version_{0};
};

}  // namespace holdfast
