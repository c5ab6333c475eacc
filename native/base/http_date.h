// The value of a date field (RFC 9110, section 6.6.1), made once a second.
//
// Threads: one.
#pragma once

#include <cstdio>
#include <ctime>
#include <string_view>

namespace holdfast {

class HttpDate {
 public:
  // Valid until the next call.
  std::string_view Now() {
    const time_t now = time(nullptr);
    if (now != second_) Write(now);
    return text_;
  }

 private:
  void Write(time_t now) {
    // Not strftime: its names are those of the process's locale.
    static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    tm utc{};
    gmtime_r(&now, &utc);
    const int size = std::snprintf(memory_, sizeof memory_, "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                   kDays[utc.tm_wday], utc.tm_mday, kMonths[utc.tm_mon],
                                   utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
    text_ = {memory_, static_cast<size_t>(size)};
    second_ = now;
  }

  time_t second_ = -1;
  char memory_[64];
  std::string_view text_;
};

}  // namespace holdfast
