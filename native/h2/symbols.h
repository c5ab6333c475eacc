// Functions of the libraries that node carries, found by name.
//
// Threads: any.
#pragma once

namespace holdfast {

// Where a name is looked up; nullptr if it is nowhere.
using SymbolLookup = void* (*)(const char* name);
// In the whole process: node itself, or the library that it was linked with.
void* LookUpInProcess(const char* name);

}  // namespace holdfast
