#include "core/tag_store.h"

#include <map>
#include <string>

#include "support/doctest.h"
#include "support/kept.h"
#include "support/random.h"

namespace holdfast::test {
namespace {

std::string TextOf(const TagStore& store, uint32_t block) {
  TagText text;
  store.Read(block, &text);
  return std::string(text.view());
}

TagText Tags(std::string_view view) {
  TagText text;
  std::copy(view.begin(), view.end(), text.bytes);
  text.size = static_cast<uint32_t>(view.size());
  return text;
}

}  // namespace

TEST_CASE("tags come back as they were stored, up to the last byte") {
  const auto store = MakeKept<TagStore>();
  for (const size_t size : {0, 1, 7, 8, 9, 127, 254, 255}) {
    const std::string text(size, static_cast<char>('a' + size % 26));
    EXPECT(TextOf(*store, store->Allocate(text)) == text);
  }
}

TEST_CASE("a shorter text in a used block shows nothing of the longer one before") {
  const auto store = MakeKept<TagStore>();
  const uint32_t block = store->Allocate(std::string(255, 'x'));
  store->Free(block);
  REQUIRE(store->Allocate("short") == block);
  EXPECT(TextOf(*store, block) == "short");
}

TEST_CASE("no two streams share a block of tags") {
  Random random("tag store");
  const auto store = MakeKept<TagStore>();
  std::map<uint32_t, std::string> model;
  for (int round = 0; round < 5000; round++) {
    if (model.empty() || !random.OneIn(3)) {
      const std::string text = std::to_string(round);
      const uint32_t block = store->Allocate(text);
      REQUIRE(model.emplace(block, text).second);
    } else {
      const auto gone = std::next(model.begin(), random.Below(model.size()));
      store->Free(gone->first);
      model.erase(gone);
    }
  }
  for (const auto& [block, text] : model) EXPECT(TextOf(*store, block) == text);
}

TEST_CASE("a tag is found whole, never as a part of another") {
  const TagText text = Tags(std::string_view("room:1\0user:42\0", 15));
  EXPECT(text.Contains("room:1"));
  EXPECT(text.Contains("user:42"));
  EXPECT(!text.Contains("room:"));
  EXPECT(!text.Contains("room:12"));
  EXPECT(!text.Contains("ser:42"));
  EXPECT(!text.Contains("room:1user:42"));
  EXPECT(!Tags("").Contains("a"));
}

}  // namespace holdfast::test
