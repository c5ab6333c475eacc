// A planted read beyond the end, behind four bytes that nobody tells the fuzzer: the run must find
// and report it (.config/fuzz.mjs).
#include <cstddef>
#include <cstdint>

namespace {

[[gnu::noinline]] int PlantedOverflow(const volatile uint8_t* data, size_t size) {
  return data[size];
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size >= 4 && data[0] == 'h' && data[1] == 'o' && data[2] == 'l' && data[3] == 'd') {
    (void)PlantedOverflow(data, size);
  }
  return 0;
}
