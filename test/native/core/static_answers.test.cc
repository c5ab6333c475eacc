#include "core/static_answers.h"

#include <cstring>

#include "support/doctest.h"
#include "support/threads.h"

namespace holdfast::test {
namespace {

StaticAnswer AnswerOf(std::string_view text) {
  StaticAnswer answer;
  answer.body = PayloadRef::Make(static_cast<uint32_t>(text.size()),
                                 [&](uint8_t* out) { std::memcpy(out, text.data(), text.size()); });
  return answer;
}

std::string BodyOf(const StaticAnswer* answer) {
  if (answer == nullptr) return "none";
  const auto bytes = answer->body->bytes();
  return {bytes.begin(), bytes.end()};
}

}  // namespace

TEST_CASE("a static answer is found by GET and HEAD of its path, with any query") {
  StaticAnswers answers;
  StaticAnswers::Reader reader(answers);
  EXPECT(reader.Find("GET", "/a") == nullptr);
  answers.Set("/a", AnswerOf("one"));
  EXPECT(BodyOf(reader.Find("GET", "/a")) == "one");
  EXPECT(BodyOf(reader.Find("HEAD", "/a?b=/c")) == "one");
  EXPECT(reader.Find("POST", "/a") == nullptr);
  EXPECT(reader.Find("GET", "/a/") == nullptr);
  answers.Set("/a", AnswerOf("two"));
  EXPECT(BodyOf(reader.Find("GET", "/a")) == "two");
  answers.Remove("/b");
  answers.Remove("/a");
  EXPECT(reader.Find("GET", "/a") == nullptr);
}

TEST_CASE("static answers change while others read them") {
  StaticAnswers answers;
  std::atomic<bool> done{false};
  std::atomic<uint64_t> found{0};
  const auto read = [&] {
    StaticAnswers::Reader reader(answers);
    while (!done.load()) {
      const StaticAnswer* answer = reader.Find("GET", "/x");
      if (answer != nullptr) found.fetch_add(answer->body->size() == 4 ? 1 : 1'000'000'000);
    }
  };
  const auto write = [&] {
    const Clock::time_point end = Clock::now() + StressTime();
    for (int i = 0; Clock::now() < end; i++) {
      answers.Set("/x", AnswerOf(i % 2 == 0 ? "even" : "odd!"));
      if (i % 5 == 0) answers.Remove("/x");
    }
    EXPECT(Eventually([&] { return found.load() > 0; }));
    done.store(true);
  };
  answers.Set("/x", AnswerOf("once"));
  RunTogether({read, read, write});
  EXPECT(found.load() < 1'000'000'000);
}

}  // namespace holdfast::test
