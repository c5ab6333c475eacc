// A message in a call from the typed layer: event, id, key and data lie one behind the other in the
// scratch memory; data too large for it comes as a Uint8Array.
//
// Threads: owner loop.
#pragma once

#include "binding/arguments.h"
#include "core/encode.h"

namespace holdfast {

// Reads (eventBytes, idBytes, keyBytes, dataBytes, retryMs, binary, large?) from argument `index`
// on; idBytes -1: no id; dataBytes -1: no data. The texts begin at `offset` of the scratch memory.
inline OutgoingMessage MessageArguments(const Napi::CallbackInfo& info, size_t index,
                                        size_t offset = 0) {
  NodeWorker& self = Self(info);
  const int32_t id_bytes = Int32Argument(info, index + 1);
  OutgoingMessage message;
  message.event = ScratchText(self, &offset, Uint32Argument(info, index));
  message.has_id = id_bytes >= 0;
  message.id = ScratchText(self, &offset, message.has_id ? static_cast<size_t>(id_bytes) : 0);
  message.key = ScratchText(self, &offset, Uint32Argument(info, index + 2));
  const int32_t data_bytes = Int32Argument(info, index + 3);
  message.has_data = data_bytes >= 0;
  message.retry_ms = static_cast<int64_t>(DoubleArgument(info, index + 4));
  message.binary = BoolArgument(info, index + 5);
  if (info[index + 6].IsTypedArray()) {
    const auto large = info[index + 6].As<Napi::Uint8Array>();
    message.data = {reinterpret_cast<const char*>(large.Data()), large.ByteLength()};
  } else {
    message.data =
        ScratchText(self, &offset, message.has_data ? static_cast<size_t>(data_bytes) : 0);
  }
  return message;
}

}  // namespace holdfast
