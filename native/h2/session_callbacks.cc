#include "h2/session_callbacks.h"

#include "h2/session.h"

namespace holdfast {
namespace {

std::string_view Text(const uint8_t* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

// In a member, since only that may call the session's private half.
void H2Callbacks::Set(const Nghttp2Api& api, ng::Callbacks* callbacks) {
  api.session_callbacks_set_on_begin_frame_callback(
      callbacks, [](ng::Session*, const ng::Frame* frame, void* self) {
        static_cast<H2Session*>(self)->OnFrameBegin(*frame);
        return 0;
      });
  api.session_callbacks_set_on_begin_headers_callback(
      callbacks, [](ng::Session*, const ng::Frame* frame, void* self) {
        static_cast<H2Session*>(self)->OnHeadersBegin(*frame);
        return 0;
      });
  api.session_callbacks_set_on_header_callback(
      callbacks, [](ng::Session*, const ng::Frame* frame, const uint8_t* name, size_t name_size,
                    const uint8_t* value, size_t value_size, uint8_t, void* self) {
        const bool more = static_cast<H2Session*>(self)->OnField(*frame, Text(name, name_size),
                                                                 Text(value, value_size));
        return more ? 0 : static_cast<int>(ng::kErrCallbackFailure);
      });
  // A request with such a field is malformed (RFC 9113, section 8.2.1). Without this, some versions
  // reset its stream and others drop the field alone.
  api.session_callbacks_set_on_invalid_header_callback(
      callbacks, [](ng::Session*, const ng::Frame*, const uint8_t*, size_t, const uint8_t*, size_t,
                    uint8_t, void*) { return static_cast<int>(ng::kErrTemporalCallbackFailure); });
  api.session_callbacks_set_on_frame_recv_callback(
      callbacks, [](ng::Session*, const ng::Frame* frame, void* self) {
        static_cast<H2Session*>(self)->OnFrame(*frame);
        return 0;
      });
  api.session_callbacks_set_on_invalid_frame_recv_callback(
      callbacks, [](ng::Session*, const ng::Frame*, int, void* self) {
        static_cast<H2Session*>(self)->Spend(FloodMeter::kInvalid);
        return 0;
      });
  api.session_callbacks_set_on_data_chunk_recv_callback(
      callbacks,
      [](ng::Session*, uint8_t, int32_t id, const uint8_t* data, size_t size, void* self) {
        static_cast<H2Session*>(self)->OnData(id, {data, size});
        return 0;
      });
  api.session_callbacks_set_on_frame_send_callback(
      callbacks, [](ng::Session*, const ng::Frame* frame, void* self) {
        static_cast<H2Session*>(self)->OnSent(*frame);
        return 0;
      });
  api.session_callbacks_set_on_stream_close_callback(
      callbacks, [](ng::Session*, int32_t id, uint32_t code, void* self) {
        static_cast<H2Session*>(self)->OnStreamClose(id, code);
        return 0;
      });
  api.session_callbacks_set_send_data_callback(
      callbacks, [](ng::Session*, ng::Frame*, const uint8_t* header, size_t size,
                    ng::DataSource* source, void* user_data) {
        auto* self = static_cast<H2Session*>(user_data);
        // One call of the library goes on through any number of frames: this ends it.
        if (!self->context_.output.HasRoomForData()) return static_cast<int>(ng::kErrWouldBlock);
        self->SendData(*static_cast<H2Stream*>(source->pointer), {header, 9}, size);
        return 0;
      });
}

ssize_t H2Callbacks::Read(ng::Session*, int32_t, uint8_t*, size_t length, uint32_t* flags,
                          ng::DataSource* source, void* user_data) {
  return static_cast<H2Session*>(user_data)->OnRead(*static_cast<H2Stream*>(source->pointer),
                                                    length, flags);
}

}  // namespace holdfast
