#include "codec/sse.h"

#include <string>
#include <vector>

#include "support/doctest.h"
#include "support/random.h"

namespace holdfast::test {
namespace {

// Encodes between guard bytes: one byte more or less than announced shows.
std::string Encoded(const SseMessage& message) {
  const size_t size = SseEncodedSize(message);
  std::vector<uint8_t> memory(size + 16, 0xA5);
  SseEncode(message, memory.data() + 8);
  for (size_t i = 0; i < 8; i++) {
    EXPECT(memory[i] == 0xA5);
    EXPECT(memory[8 + size + i] == 0xA5);
  }
  return {reinterpret_cast<const char*>(memory.data()) + 8, size};
}

std::string Data(std::string_view data) {
  SseMessage message;
  message.data = data;
  return Encoded(message);
}

// What a client dispatches for the text, by the parsing rules of WHATWG HTML, section 9.2.6.
struct Dispatched {
  std::string data;
  std::string event;
  std::string id;
  std::string retry;
  int times = 0;
};

Dispatched Parse(const std::string& text) {
  Dispatched result;
  std::string line;
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] != '\n' && text[i] != '\r') {
      line += text[i];
      continue;
    }
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') i++;
    if (line.empty()) result.times++;
    const size_t colon = line.find(':');
    const std::string name = line.substr(0, colon);
    std::string value = colon == std::string::npos ? "" : line.substr(colon + 1);
    if (!value.empty() && value[0] == ' ') value.erase(0, 1);
    if (name == "data") (result.data += value) += '\n';
    if (name == "event") result.event = value;
    if (name == "id") result.id = value;
    if (name == "retry") result.retry = value;
    line.clear();
  }
  EXPECT(line.empty());
  if (!result.data.empty()) result.data.pop_back();
  return result;
}

std::string WithLineFeeds(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    result += text[i] == '\r' ? '\n' : text[i];
  }
  return result;
}

}  // namespace

TEST_CASE("fields without data are told, and no event comes of them") {
  SseMessage message;
  message.has_data = false;
  message.id = "7";
  message.has_id = true;
  message.retry_ms = 3000;
  EXPECT(Encoded(message) == "id: 7\nretry: 3000\n\n");
}

TEST_CASE("sse: one line, many lines, CR, LF, CRLF and no data at all") {
  EXPECT(Data("hello") == "data: hello\n\n");
  EXPECT(Data("") == "data: \n\n");
  EXPECT(Data("a\nb") == "data: a\ndata: b\n\n");
  EXPECT(Data("a\rb") == "data: a\ndata: b\n\n");
  EXPECT(Data("a\r\nb") == "data: a\ndata: b\n\n");
  EXPECT(Data("a\n\rb") == "data: a\ndata: \ndata: b\n\n");
  EXPECT(Data("a\n") == "data: a\ndata: \n\n");
  EXPECT(Data("a\r\n") == "data: a\ndata: \n\n");
  EXPECT(Data("\n") == "data: \ndata: \n\n");
  EXPECT(Data("\r") == "data: \ndata: \n\n");
}

TEST_CASE("sse: event, id and retry stand before the data, an empty id is sent") {
  SseMessage message;
  message.data = "x";
  message.event = "tick";
  message.id = "7";
  message.has_id = true;
  message.retry_ms = 1500;
  EXPECT(Encoded(message) == "event: tick\nid: 7\nretry: 1500\ndata: x\n\n");
  message = {};
  message.has_id = true;
  EXPECT(Encoded(message) == "id: \ndata: \n\n");
  message = {};
  message.retry_ms = INT64_MAX;
  EXPECT(Encoded(message) == "retry: 9223372036854775807\ndata: \n\n");
  message.retry_ms = 0;
  EXPECT(Encoded(message) == "retry: 0\ndata: \n\n");
}

TEST_CASE("sse: data that looks like a field or an end of message reaches the client as data") {
  Random random("sse");
  const std::string_view pieces[] = {"\n",       "\r",      "\r\n", "event: evil", "id: 1",
                                     "retry: 1", "data:",   "\n\n", ":",           " ",
                                     "text",     "data: x", "",     "\r\r\n\n"};
  for (int round = 0; round < 2000; round++) {
    std::string data;
    for (uint32_t i = random.Below(8); i-- > 0;) data += pieces[random.Below(std::size(pieces))];
    SseMessage message;
    message.data = data;
    message.event = "good";
    const Dispatched got = Parse(Encoded(message));
    CAPTURE(data);
    REQUIRE(got.times == 1);
    REQUIRE(got.data == WithLineFeeds(data));
    REQUIRE(got.event == "good");
    REQUIRE(got.id == "");
    REQUIRE(got.retry == "");
  }
}

}  // namespace holdfast::test
