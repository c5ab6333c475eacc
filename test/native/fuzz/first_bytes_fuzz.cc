#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string_view>

#include "base/check.h"
#include "listener/first_bytes.h"

namespace holdfast {
namespace {

bool Contains(std::span<const uint8_t> bytes, std::string_view text) {
  return std::search(bytes.begin(), bytes.end(), text.begin(), text.end()) != bytes.end();
}

// A block of its own, so that one byte too far is seen.
FirstBytes ReadPart(FirstBytes (*read)(std::span<const uint8_t>), std::span<const uint8_t> bytes) {
  const std::unique_ptr<uint8_t[]> copy(new uint8_t[bytes.size()]);
  std::copy(bytes.begin(), bytes.end(), copy.get());
  return read({copy.get(), bytes.size()});
}

void Check(std::span<const uint8_t> bytes) {
  const size_t cut = bytes.empty() ? 0 : bytes.back() * 257u % (bytes.size() + 1);
  for (const auto read : {ReadClearText, ReadClientHello}) {
    const FirstBytes told = read(bytes);
    // What was told once stays so, and more than the bound is never asked for.
    const FirstBytes early = ReadPart(read, bytes.first(cut));
    CHECK(early == told || early == FirstBytes::kNeedMore);
    CHECK(told != FirstBytes::kNeedMore || bytes.size() < kMostClientHello);
  }
  if (ReadClearText(bytes) == FirstBytes::kHttp2) {
    CHECK(bytes.size() >= 12 && std::memcmp(bytes.data(), "PRI * HTTP/2", 12) == 0);
  }
  if (ReadClientHello(bytes) == FirstBytes::kHttp2) CHECK(Contains(bytes, "\x02h2"));
}

}  // namespace
}  // namespace holdfast

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  holdfast::Check({data, size});
  return 0;
}
