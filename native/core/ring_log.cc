#include "core/ring_log.h"

#include <charconv>
#include <cstdio>
#include <cstring>

namespace holdfast {
namespace {

constexpr size_t kEpochDigits = RingLog::kEpochBits / 4;

// The whole of `text`, as it would be written.
bool ParseNumber(std::string_view text, int base, uint64_t* value) {
  const char* begin = text.data();
  const char* end = begin + text.size();
  const auto [read, error] = std::from_chars(begin, end, *value, base);
  return error == std::errc{} && read == end;
}

}  // namespace

RingId::RingId(uint64_t epoch, uint64_t sequence) : epoch_(epoch), sequence_(sequence) {
  const int length = std::snprintf(text_.data(), text_.size(), "%012llx-%llu",
                                   static_cast<unsigned long long>(epoch),
                                   static_cast<unsigned long long>(sequence));
  CHECK(length > 0 && static_cast<size_t>(length) < text_.size());
  size_ = static_cast<size_t>(length);
}

std::optional<RingId> RingId::Parse(std::string_view text) {
  if (text.size() <= kEpochDigits + 1 || text[kEpochDigits] != '-') return std::nullopt;
  uint64_t epoch;
  uint64_t sequence;
  if (!ParseNumber(text.substr(0, kEpochDigits), 16, &epoch) ||
      !ParseNumber(text.substr(kEpochDigits + 1), 10, &sequence)) {
    return std::nullopt;
  }
  // One of another spelling is none that we gave.
  const RingId id(epoch, sequence);
  return id.text() == text ? std::optional(id) : std::nullopt;
}

uint64_t RingLog::Append(const OutgoingMessage& message) {
  const auto event_size = static_cast<uint32_t>(message.event.size());
  const auto size = static_cast<uint32_t>(event_size + message.data.size());
  last_++;
  if (kEntryBytes + size > limits_.bytes) {
    // What is left would be older than one that is missing.
    entries_.clear();
    bytes_ = 0;
    return last_;
  }
  const auto fill = [&](uint8_t* out) {
    if (event_size > 0) std::memcpy(out, message.event.data(), event_size);
    if (!message.data.empty()) {
      std::memcpy(out + event_size, message.data.data(), message.data.size());
    }
  };
  entries_.push_back({PayloadRef::Make(size, fill), event_size, message.binary, message.has_data,
                      message.retry_ms});
  bytes_ += ChargeOf(entries_.back());
  Trim();
  return last_;
}

void RingLog::SetLimits(RingLimits limits) {
  limits_ = limits;
  Trim();
}

void RingLog::Trim() {
  while (!entries_.empty() && (entries_.size() > limits_.events || bytes_ > limits_.bytes)) {
    bytes_ -= ChargeOf(entries_.front());
    entries_.pop_front();
  }
}

RingLog::Place RingLog::Behind(std::string_view id) const {
  const std::optional<RingId> seen = RingId::Parse(id);
  const bool known = seen && seen->epoch() == epoch_ && seen->sequence() <= last_ &&
                     seen->sequence() + 1 >= first();
  return known ? Place{seen->sequence() + 1, false} : Place{first(), true};
}

RingLog::Kept::Kept(const RingLog& log, uint64_t sequence) : id_(log.IdOf(sequence)) {
  DCHECK(sequence >= log.first() && sequence <= log.last());
  const Entry& entry = log.entries_[static_cast<size_t>(sequence - log.first())];
  const auto bytes = entry.texts->bytes();
  const std::string_view texts(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  message_.event = texts.substr(0, entry.event_size);
  message_.data = texts.substr(entry.event_size);
  message_.id = id_.text();
  message_.has_id = true;
  message_.binary = entry.binary;
  message_.has_data = entry.has_data;
  message_.retry_ms = entry.retry_ms;
}

}  // namespace holdfast
