#include "core/ring_log.h"

#include <string>
#include <vector>

#include "support/doctest.h"
#include "support/random.h"
#include "support/recording_carrier.h"

namespace holdfast::test {
namespace {

constexpr uint64_t kEpoch = 0xabc;
constexpr RingLimits kRoomy{1000, 1 << 20};

std::string IdText(uint64_t sequence) { return std::string(RingId(kEpoch, sequence).text()); }

OutgoingMessage Event(std::string_view event, std::string_view data) {
  OutgoingMessage message = Text(data);
  message.event = event;
  return message;
}

}  // namespace

TEST_CASE("an id is read back as it was written, and nothing else is one") {
  EXPECT(IdText(7) == "000000000abc-7");
  for (const uint64_t sequence : {uint64_t{0}, uint64_t{1}, ~uint64_t{0}}) {
    const auto id = RingId::Parse(IdText(sequence));
    REQUIRE(id.has_value());
    EXPECT(id->epoch() == kEpoch);
    EXPECT(id->sequence() == sequence);
  }
  for (const char* text :
       {"", "-", "7", "000000000abc", "000000000abc-", "000000000ABC-7", "000000000abc-07",
        "000000000abc--7", "000000000abc-+7", "000000000abc-7 ", "00000000abc-7", "0000000000abc-7",
        "000000000abc-18446744073709551616", "000000000abg-7"}) {
    EXPECT(!RingId::Parse(text));
  }
}

TEST_CASE("what is kept comes back as it was published, with its id") {
  RingLog log(kEpoch, 41, kRoomy);
  OutgoingMessage message = Event("tick", "a\nb");
  message.binary = true;
  message.retry_ms = 9;
  EXPECT(log.Append(message) == 42);
  EXPECT(log.Append(Text({})) == 43);
  const RingLog::Kept kept(log, 42);
  EXPECT(kept.message().event == "tick");
  EXPECT(kept.message().data == "a\nb");
  EXPECT(kept.message().id == IdText(42));
  EXPECT(kept.message().has_id);
  EXPECT(kept.message().binary);
  EXPECT(kept.message().retry_ms == 9);
  EXPECT(RingLog::Kept(log, 43).message().data.empty());
}

TEST_CASE("who has had a message goes on behind it; one of another log has missed something") {
  RingLog log(kEpoch, 10, {3, 1 << 20});
  // Nothing was published, so nothing can have been missed.
  EXPECT(!log.Behind(IdText(10)).gap);
  for (int i = 0; i < 5; i++) (void)log.Append(Text("x"));
  EXPECT(log.first() == 13);
  EXPECT(log.last() == 15);
  struct Case {
    std::string id;
    uint64_t next;
    bool gap;
  };
  for (const Case& one :
       {Case{IdText(15), 16, false}, Case{IdText(13), 14, false}, Case{IdText(12), 13, false},
        Case{IdText(11), 13, true}, Case{IdText(16), 13, true},
        Case{IdText(~uint64_t{0}), 13, true},
        Case{std::string(RingId(kEpoch + 1, 14).text()), 13, true}, Case{"nonsense", 13, true}}) {
    const RingLog::Place place = log.Behind(one.id);
    EXPECT(place.next == one.next);
    EXPECT(place.gap == one.gap);
  }
}

TEST_CASE("a log keeps as much of the last messages as it may, and no more") {
  Random random("ring log");
  RingLimits limits{20, 4000};
  RingLog log(kEpoch, 0, limits);
  std::vector<std::string> all;
  uint64_t first = 1;
  const auto charge = [&](uint64_t sequence) {
    return RingLog::kEntryBytes + 1 + all[sequence - 1].size();
  };
  const auto bytes_from = [&](uint64_t sequence) {
    uint64_t bytes = 0;
    for (; sequence <= all.size(); sequence++) bytes += charge(sequence);
    return bytes;
  };
  for (int i = 0; i < 3000; i++) {
    if (random.OneIn(100)) {
      limits = {1 + random.Below(40), 1000 + random.Below(8000)};
      log.SetLimits(limits);
    } else {
      all.push_back(std::to_string(i) +
                    std::string(random.OneIn(50) ? 9000 : random.Below(300), 'x'));
      REQUIRE(log.Append(Event("e", all.back())) == all.size());
    }
    while (all.size() + 1 - first > limits.events || bytes_from(first) > limits.bytes) first++;
    REQUIRE(log.first() == first);
    REQUIRE(log.last() == all.size());
    REQUIRE(log.bytes() == bytes_from(first));
    for (uint64_t sequence = first; sequence <= all.size(); sequence++) {
      REQUIRE(RingLog::Kept(log, sequence).message().data == all[sequence - 1]);
    }
  }
}

}  // namespace holdfast::test
