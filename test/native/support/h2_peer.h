// A client that speaks HTTP/2 frame by frame, so that it can also speak it wrongly; through TLS or
// not.
#pragma once

#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "h2/nghttp2_abi.h"
#include "support/nghttp2_library.h"
#include "support/sockets.h"
#include "support/tls_client.h"

namespace holdfast::test {

struct PeerFrame {
  uint8_t type = 0;
  uint8_t flags = 0;
  uint32_t stream = 0;
  std::string payload;
  std::map<std::string, std::string> fields;  // of HEADERS

  uint32_t Word(size_t at) const {
    uint32_t word = 0;
    for (size_t i = 0; i < 4; i++) word = word << 8 | static_cast<uint8_t>(payload.at(at + i));
    return word;
  }
};

inline std::string Big(uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; i--) text.push_back(static_cast<char>(value >> (8 * i)));
  return text;
}

inline std::string Frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
  std::string text = Big(payload.size(), 3) + Big(type, 1) + Big(flags, 1) + Big(stream, 4);
  return text.append(payload);
}

using FieldList = std::vector<std::pair<std::string, std::string>>;

// Literals without indexing (RFC 7541, section 6.2.2), no Huffman code.
inline std::string EncodeFields(const FieldList& fields) {
  std::string block;
  const auto add = [&](std::string_view text) {
    size_t size = text.size();
    if (size < 127) {
      block.push_back(static_cast<char>(size));
    } else {
      block.push_back(127);
      for (size -= 127; size >= 128; size >>= 7) block.push_back(static_cast<char>(size | 0x80));
      block.push_back(static_cast<char>(size));
    }
    block.append(text);
  };
  for (const auto& [name, value] : fields) {
    block.push_back(0);
    add(name);
    add(value);
  }
  return block;
}

inline FieldList Request(std::string_view method = "GET", std::string_view path = "/") {
  return {{":method", std::string(method)},
          {":scheme", "http"},
          {":path", std::string(path)},
          {":authority", "localhost"}};
}

class H2Peer {
 public:
  static constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

  explicit H2Peer(Fd fd, const TlsClientOptions* tls = nullptr) : fd_(std::move(fd)) {
    LibraryApi();
    if (tls != nullptr) tls_.emplace(fd_.get(), *tls);
    const int on = 1;
    REQUIRE(setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
    const auto make = Function<int (*)(void**)>("nghttp2_hd_inflate_new");
    REQUIRE(make(&inflater_) == 0);
  }
  ~H2Peer() { Function<void (*)(void*)>("nghttp2_hd_inflate_del")(inflater_); }
  H2Peer(const H2Peer&) = delete;
  H2Peer& operator=(const H2Peer&) = delete;

  const Fd& fd() const { return fd_; }
  void Close() { fd_.Close(); }
  TlsClient& tls() { return *tls_; }

  // As much as the socket takes; how much that was. With TLS all is taken, and goes in its time.
  size_t Send(std::string_view bytes) {
    if (tls_.has_value()) {
      tls_->Write(bytes);
      return bytes.size();
    }
    size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t count =
          send(fd_.get(), bytes.data() + sent, bytes.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count <= 0) break;
      sent += static_cast<size_t>(count);
    }
    return sent;
  }
  // Whether some of it has not reached the other side yet.
  bool under_way() const {
    int bytes = 0;
    return fd_.get() >= 0 && ioctl(fd_.get(), TIOCOUTQ, &bytes) == 0 && bytes > 0;
  }
  void Greet(std::string_view settings = {}) {
    Send(std::string(kPreface) + Frame(ng::kSettings, 0, 0, settings));
  }
  void SendHeaders(uint32_t stream, const FieldList& fields, bool end = true) {
    const uint8_t flags = ng::kFlagEndHeaders | (end ? ng::kFlagEndStream : 0);
    Send(Frame(ng::kHeaders, flags, stream, EncodeFields(fields)));
  }
  void SendData(uint32_t stream, std::string_view bytes, bool end = false) {
    Send(Frame(ng::kData, end ? ng::kFlagEndStream : 0, stream, bytes));
  }

  // What has come, whole frames only.
  std::vector<PeerFrame> Receive() {
    if (tls_.has_value()) {
      tls_->Read(&input_, &ended_);
    } else {
      ReceivePlain();
    }
    std::vector<PeerFrame> frames;
    while (input_.size() >= 9) {
      const auto byte = [&](size_t i) { return static_cast<uint8_t>(input_[i]); };
      const size_t size = size_t{byte(0)} << 16 | size_t{byte(1)} << 8 | byte(2);
      if (input_.size() < 9 + size) break;
      PeerFrame frame;
      frame.type = byte(3);
      frame.flags = byte(4);
      frame.stream = static_cast<uint32_t>(byte(5) & 0x7F) << 24 | uint32_t{byte(6)} << 16 |
                     uint32_t{byte(7)} << 8 | byte(8);
      frame.payload = input_.substr(9, size);
      input_.erase(0, 9 + size);
      if (frame.type == ng::kContinuation) {
        block_.payload += frame.payload;
        if ((frame.flags & ng::kFlagEndHeaders) == 0) continue;
        frame = std::move(block_);
      } else if (frame.type == ng::kHeaders && (frame.flags & ng::kFlagEndHeaders) == 0) {
        block_ = std::move(frame);
        continue;
      }
      if (frame.type == ng::kHeaders) Decode(&frame);
      frames.push_back(std::move(frame));
    }
    return frames;
  }
  // Whether the other side has ended the connection.
  bool ended() const { return ended_; }

 private:
  template <typename Type>
  static Type Function(const char* name) {
    void* const address = LookUpInLibrary(name);
    REQUIRE(address != nullptr);
    return reinterpret_cast<Type>(address);
  }

  void ReceivePlain() {
    char buffer[16 << 10];
    for (;;) {
      const ssize_t count = recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (count == 0) ended_ = true;
      if (count <= 0) break;
      input_.append(buffer, static_cast<size_t>(count));
    }
  }

  void Decode(PeerFrame* frame) {
    const auto inflate =
        Function<ssize_t (*)(void*, ng::NameValue*, int*, const uint8_t*, size_t, int)>(
            "nghttp2_hd_inflate_hd2");
    constexpr int kFinal = 1;
    constexpr int kEmitted = 2;
    const auto* bytes = reinterpret_cast<const uint8_t*>(frame->payload.data());
    size_t left = frame->payload.size();
    for (;;) {
      ng::NameValue field;
      int flags = 0;
      const ssize_t used = inflate(inflater_, &field, &flags, bytes, left, 1);
      REQUIRE(used >= 0);
      bytes += used;
      left -= static_cast<size_t>(used);
      if ((flags & kEmitted) != 0) {
        const auto text = [](const uint8_t* data, size_t size) {
          return std::string(reinterpret_cast<const char*>(data), size);
        };
        frame->fields[text(field.name, field.name_size)] = text(field.value, field.value_size);
      }
      if ((flags & kFinal) != 0) break;
    }
    REQUIRE(Function<int (*)(void*)>("nghttp2_hd_inflate_end_headers")(inflater_) == 0);
  }

  Fd fd_;
  std::optional<TlsClient> tls_;
  void* inflater_ = nullptr;
  std::string input_;
  PeerFrame block_;  // HEADERS whose CONTINUATION is to come
  bool ended_ = false;
};

}  // namespace holdfast::test
