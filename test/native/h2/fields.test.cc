#include "h2/fields.h"

#include "support/doctest.h"

namespace holdfast::test {
namespace {

bool Allowed(std::string_view name, std::string_view value) {
  std::string text;
  AppendField(&text, name, value);
  std::vector<ng::NameValue> fields;
  return ParseFields(text, &fields);
}

}  // namespace

TEST_CASE("fields come apart as they were put together") {
  std::string text;
  AppendField(&text, ":status", "200");
  AppendField(&text, "x-empty", "");
  AppendField(&text, "x-bytes", "caf\xC3\xA9 \t ok");
  std::vector<ng::NameValue> fields;
  REQUIRE(ParseFields(text, &fields));
  REQUIRE(fields.size() == 3);
  EXPECT(fields[1].value_size == 0);
  EXPECT(fields[2].name_size == 7);
  EXPECT(FindField(text, "x-bytes") == "caf\xC3\xA9 \t ok");
  EXPECT(FindField(text, "x-none").empty());
}

// A line break in a value became a field of its own behind a proxy that speaks HTTP/1.1.
TEST_CASE("a field that somebody on the way could read otherwise is refused") {
  EXPECT(Allowed("x-good", "yes"));
  for (const std::string_view name : {"X-Upper", "", ":", "a b", "a:b", "a\nb", "a\x80"}) {
    CAPTURE(std::string(name));
    EXPECT(!Allowed(name, "v"));
  }
  for (const std::string_view value : {"a\r\nb: c", "a\nb", " a", "a ", "\ta", "a\x7F", "a\x01"}) {
    CAPTURE(std::string(value));
    EXPECT(!Allowed("x", value));
  }
  for (const std::string_view name : {"connection", "transfer-encoding", "upgrade", "keep-alive"}) {
    EXPECT(!Allowed(name, "v"));
  }
}

TEST_CASE("a text that is no list of pairs is refused") {
  std::vector<ng::NameValue> fields;
  using std::string_view_literals::operator""sv;
  for (const std::string_view text : {"name"sv, "name\0value"sv, "name\0value\0x\0"sv, "\0"sv}) {
    EXPECT(!ParseFields(text, &fields));
  }
  EXPECT(ParseFields("", &fields));
  EXPECT(fields.empty());
}

}  // namespace holdfast::test
