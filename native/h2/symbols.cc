#include "h2/symbols.h"

#include <dlfcn.h>

namespace holdfast {

void* LookUpInProcess(const char* name) { return dlsym(RTLD_DEFAULT, name); }

}  // namespace holdfast
