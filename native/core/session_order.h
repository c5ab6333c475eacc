// Brings the streams of one session together, so that what a turn of the loop writes to them is one
// flush of its socket, whatever order they joined in.
//
// Threads: any; it touches nothing that is shared.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/uid.h"

namespace holdfast {

// Stable, in linear time: there may be very many. `digit(item)` is below kDigits.
template <uint32_t kDigits, typename Item, typename Digit>
void SortByDigit(std::vector<Item>& items, Digit digit) {
  const auto before = [&](const Item& a, const Item& b) { return digit(a) < digit(b); };
  if (std::is_sorted(items.begin(), items.end(), before)) return;
  std::array<uint32_t, kDigits> next{};
  for (const Item& item : items) next[digit(item)]++;
  uint32_t place = 0;
  for (uint32_t& first : next) place += std::exchange(first, place);
  std::vector<Item> sorted(items.size());
  for (Item& item : items) sorted[next[digit(item)]++] = std::move(item);
  items = std::move(sorted);
}

// `items` have the `socket` their stream lies on, by its primary esocket_uuid.
template <typename Item>
void OrderBySession(std::vector<Item>& items) {
  const auto before = [](const Item& a, const Item& b) { return a.socket < b.socket; };
  if (std::is_sorted(items.begin(), items.end(), before)) return;
  // By slot, which is its own.
  constexpr uint32_t kDigits = 1 << (kSlotBits + 1) / 2;
  SortByDigit<kDigits>(items, [](const Item& item) { return item.socket % kDigits; });
  SortByDigit<kDigits>(items, [](const Item& item) { return item.socket % kMaxSlots / kDigits; });
}

// Where a piece of them that begins at `begin` ends, if `end` is as far as it may go: not amid a
// session if half of it can be had otherwise.
template <typename Item>
size_t EndOfPiece(const std::vector<Item>& items, size_t begin, size_t end) {
  if (end >= items.size()) return items.size();
  for (size_t at = end; at > begin + (end - begin) / 2; at--) {
    if (items[at - 1].socket != items[at].socket) return at;
  }
  return end;
}

}  // namespace holdfast
