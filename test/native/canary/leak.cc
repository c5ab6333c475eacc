// A leak on purpose: proves that a leak in the tests beside it would be reported.
#include <cstdlib>

namespace {

[[gnu::noinline]] bool PlantedLeak() {
  void* volatile memory = std::malloc(64);
  const bool made = memory != nullptr;
  memory = nullptr;
  return made;
}

}  // namespace

int main() { return PlantedLeak() ? 0 : 1; }
