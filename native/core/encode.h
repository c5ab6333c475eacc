// The wire form a message takes, by the kind of stream it goes to.
#pragma once

#include <cstring>

#include "codec/sse.h"
#include "codec/websocket.h"
#include "core/stream_facts.h"

namespace holdfast {

// What goes to a stream. For a raw stream only `data` counts, for a WebSocket `binary` as well.
struct OutgoingMessage : SseMessage {
  bool binary = false;
  std::string_view key;  // for a stream that keeps the latest of each
  uint64_t ticket = 0;   // of the wait for its end; 0: nobody waits
};

inline size_t EncodedSize(StreamKind kind, const OutgoingMessage& message) {
  switch (kind) {
    case StreamKind::kSse:
      return SseEncodedSize(message);
    case StreamKind::kWebSocket:
      return WebSocketEncodedSize(message.data.size());
    case StreamKind::kRaw:
      break;
  }
  return message.data.size();
}

// Writes exactly EncodedSize bytes.
inline void Encode(StreamKind kind, const OutgoingMessage& message, uint8_t* out) {
  switch (kind) {
    case StreamKind::kSse:
      return SseEncode(message, out);
    case StreamKind::kWebSocket:
      return WebSocketEncode(message.data, message.binary, out);
    case StreamKind::kRaw:
      if (!message.data.empty()) std::memcpy(out, message.data.data(), message.data.size());
  }
}

}  // namespace holdfast
