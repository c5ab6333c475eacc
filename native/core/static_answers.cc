#include "core/static_answers.h"

#include <utility>

namespace holdfast {

void StaticAnswers::Set(std::string path, StaticAnswer answer) {
  MutexLock lock(mu_);
  Map map = map_ == nullptr ? Map{} : *map_;
  map.insert_or_assign(std::move(path), std::move(answer));
  Publish(std::move(map));
}

void StaticAnswers::Remove(std::string_view path) {
  MutexLock lock(mu_);
  if (map_ == nullptr) return;
  Map map = *map_;
  const auto found = map.find(path);
  if (found == map.end()) return;
  map.erase(found);
  Publish(std::move(map));
}

void StaticAnswers::Publish(Map map) {
  map_ = std::make_shared<const Map>(std::move(map));
  version_.fetch_add(1, std::memory_order_release);
}

const StaticAnswer* StaticAnswers::Reader::Find(std::string_view method, std::string_view target) {
  const uint64_t version = answers_.version_.load(std::memory_order_acquire);
  if (version == 0) return nullptr;
  if (version != version_) {
    MutexLock lock(answers_.mu_);
    map_ = answers_.map_;
    version_ = version;
  }
  if (map_->empty() || (method != "GET" && method != "HEAD")) return nullptr;
  const auto found = map_->find(target.substr(0, target.find('?')));
  return found == map_->end() ? nullptr : &found->second;
}

}  // namespace holdfast
