// A race on purpose: proves that a race in the tests beside it would be reported.
#include <pthread.h>

namespace {

int shared = 0;

void* PlantedRace(void*) {
  for (int i = 0; i < 1000; i++) shared++;
  return nullptr;
}

}  // namespace

int main() {
  pthread_t thread;
  if (pthread_create(&thread, nullptr, PlantedRace, nullptr) != 0) return 1;
  PlantedRace(nullptr);
  return pthread_join(thread, nullptr) == 0 && shared > 0 ? 0 : 1;
}
