// The part of nghttp2's binary interface that is used (soname 14, stable since 1.0), declared anew:
// node carries the library and exports it, but ships no header of it. A test compares the layouts
// with the library's own header where that is installed.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace holdfast::ng {

struct Session;
struct Callbacks;
struct Option;

// Where the library takes its memory from; it copies this.
struct Memory {
  void* user_data;
  void* (*allocate)(size_t size, void* user_data);
  void (*release)(void* memory, void* user_data);
  void* (*allocate_zeroed)(size_t count, size_t size, void* user_data);
  void* (*reallocate)(void* memory, size_t size, void* user_data);
};

struct NameValue {
  uint8_t* name;
  uint8_t* value;
  size_t name_size;
  size_t value_size;
  uint8_t flags;
};

// Each frame of the library's union begins with it, and nothing behind it is read here.
struct Frame {
  size_t length;
  int32_t stream_id;
  uint8_t type;
  uint8_t flags;
  uint8_t reserved;
};

struct SettingsEntry {
  int32_t id;
  uint32_t value;
};

union DataSource {
  int fd;
  void* pointer;
};

using ReadCallback = ssize_t (*)(Session*, int32_t stream_id, uint8_t* buffer, size_t length,
                                 uint32_t* data_flags, DataSource*, void* user_data);

struct DataProvider {
  DataSource source;
  ReadCallback read;
};

using FrameCallback = int (*)(Session*, const Frame*, void* user_data);
using InvalidFrameCallback = int (*)(Session*, const Frame*, int error, void* user_data);
using HeaderCallback = int (*)(Session*, const Frame*, const uint8_t* name, size_t name_size,
                               const uint8_t* value, size_t value_size, uint8_t flags,
                               void* user_data);
using ChunkCallback = int (*)(Session*, uint8_t flags, int32_t stream_id, const uint8_t* data,
                              size_t size, void* user_data);
using CloseCallback = int (*)(Session*, int32_t stream_id, uint32_t error_code, void* user_data);
using SendDataCallback = int (*)(Session*, Frame*, const uint8_t* frame_header, size_t length,
                                 DataSource*, void* user_data);

// Frame types and flags, settings and error codes: RFC 9113; RFC 8441 for extended CONNECT.
enum : uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kRstStream = 3,
  kSettings = 4,
  kPing = 6,
  kGoaway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};
enum : uint8_t { kFlagEndStream = 1, kFlagAck = 1, kFlagEndHeaders = 4 };
enum : int32_t {
  kSettingsMaxConcurrentStreams = 3,
  kSettingsInitialWindowSize = 4,
  kSettingsMaxHeaderListSize = 6,
  kSettingsEnableConnectProtocol = 8,
};
enum : uint32_t {
  kNoError = 0,
  kProtocolError = 1,
  kInternalError = 2,
  kSettingsTimeout = 4,
  kRefusedStream = 7,
  kCancel = 8,
  kEnhanceYourCalm = 11,
};

// The library's own.
enum : int {
  kErrInvalidArgument = -501,
  kErrWouldBlock = -504,
  kErrDeferred = -508,
  kErrTemporalCallbackFailure = -521,
  kErrCallbackFailure = -902,
  kErrFlooded = -904,
};
enum : uint32_t { kDataEof = 1, kDataNoEndStream = 2, kDataNoCopy = 4 };

}  // namespace holdfast::ng
