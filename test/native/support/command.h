// Other programs, as peers and as tools.
#pragma once

#include <cstdio>
#include <string>

#include "support/doctest.h"

namespace holdfast::test {

// What it printed, both ways.
inline std::string RunCommand(const std::string& command) {
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string output;
  char buffer[4096];
  for (size_t count; (count = fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    output.append(buffer, count);
  }
  (void)pclose(pipe);
  return output;
}

inline std::string ReadFile(const std::string& path) {
  FILE* file = fopen(path.c_str(), "r");
  REQUIRE(file != nullptr);
  std::string text;
  char buffer[4096];
  for (size_t count; (count = fread(buffer, 1, sizeof buffer, file)) > 0;) {
    text.append(buffer, count);
  }
  REQUIRE(fclose(file) == 0);
  return text;
}

}  // namespace holdfast::test
