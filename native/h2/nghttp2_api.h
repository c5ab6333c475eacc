// The one table of nghttp2's functions, all resolved before the first is called.
//
// Node links the library statically and exports what its own objects refer to; names that it never
// refers to are missing (nghttp2_version is one). A lazy binding to a missing name ends the process
// at the first call, so nothing here is bound by the linker: either every function is found, or
// there is no table and a reason why.
//
// Threads: immutable after construction.
#pragma once

#include <cstdint>
#include <string>

#include "h2/nghttp2_abi.h"
#include "h2/symbols.h"

namespace holdfast {

// name, result, parameters
#define HOLDFAST_NGHTTP2_FUNCTIONS(X)                                                             \
  X(session_callbacks_new, int, (ng::Callbacks**))                                                \
  X(session_callbacks_del, void, (ng::Callbacks*))                                                \
  X(session_callbacks_set_on_begin_frame_callback, void, (ng::Callbacks*, ng::FrameCallback))     \
  X(session_callbacks_set_on_frame_recv_callback, void, (ng::Callbacks*, ng::FrameCallback))      \
  X(session_callbacks_set_on_frame_send_callback, void, (ng::Callbacks*, ng::FrameCallback))      \
  X(session_callbacks_set_on_invalid_frame_recv_callback, void,                                   \
    (ng::Callbacks*, ng::InvalidFrameCallback))                                                   \
  X(session_callbacks_set_on_begin_headers_callback, void, (ng::Callbacks*, ng::FrameCallback))   \
  X(session_callbacks_set_on_header_callback, void, (ng::Callbacks*, ng::HeaderCallback))         \
  X(session_callbacks_set_on_invalid_header_callback, void, (ng::Callbacks*, ng::HeaderCallback)) \
  X(session_callbacks_set_on_data_chunk_recv_callback, void, (ng::Callbacks*, ng::ChunkCallback)) \
  X(session_callbacks_set_on_stream_close_callback, void, (ng::Callbacks*, ng::CloseCallback))    \
  X(session_callbacks_set_send_data_callback, void, (ng::Callbacks*, ng::SendDataCallback))       \
  X(option_new, int, (ng::Option**))                                                              \
  X(option_del, void, (ng::Option*))                                                              \
  X(option_set_no_auto_window_update, void, (ng::Option*, int))                                   \
  X(option_set_max_outbound_ack, void, (ng::Option*, size_t))                                     \
  X(option_set_max_settings, void, (ng::Option*, size_t))                                         \
  X(session_server_new3, int,                                                                     \
    (ng::Session**, const ng::Callbacks*, void*, const ng::Option*, const ng::Memory*))           \
  X(session_del, void, (ng::Session*))                                                            \
  X(session_mem_recv, ssize_t, (ng::Session*, const uint8_t*, size_t))                            \
  X(session_mem_send, ssize_t, (ng::Session*, const uint8_t**))                                   \
  X(session_want_read, int, (ng::Session*))                                                       \
  X(session_want_write, int, (ng::Session*))                                                      \
  X(session_resume_data, int, (ng::Session*, int32_t))                                            \
  X(session_consume_connection, int, (ng::Session*, size_t))                                      \
  X(session_consume_stream, int, (ng::Session*, int32_t, size_t))                                 \
  X(session_get_stream_user_data, void*, (ng::Session*, int32_t))                                 \
  X(session_set_stream_user_data, int, (ng::Session*, int32_t, void*))                            \
  X(session_set_local_window_size, int, (ng::Session*, uint8_t, int32_t, int32_t))                \
  X(session_get_last_proc_stream_id, int32_t, (ng::Session*))                                     \
  X(session_get_outbound_queue_size, size_t, (ng::Session*))                                      \
  X(session_terminate_session, int, (ng::Session*, uint32_t))                                     \
  X(submit_settings, int, (ng::Session*, uint8_t, const ng::SettingsEntry*, size_t))              \
  X(submit_headers, int32_t,                                                                      \
    (ng::Session*, uint8_t, int32_t, const void*, const ng::NameValue*, size_t, void*))           \
  X(submit_response, int,                                                                         \
    (ng::Session*, int32_t, const ng::NameValue*, size_t, const ng::DataProvider*))               \
  X(submit_trailer, int, (ng::Session*, int32_t, const ng::NameValue*, size_t))                   \
  X(submit_rst_stream, int, (ng::Session*, uint8_t, int32_t, uint32_t))                           \
  X(submit_ping, int, (ng::Session*, uint8_t, const uint8_t*))                                    \
  X(submit_shutdown_notice, int, (ng::Session*))                                                  \
  X(submit_goaway, int, (ng::Session*, uint8_t, int32_t, uint32_t, const uint8_t*, size_t))

struct Nghttp2Api {
// NOLINTNEXTLINE(bugprone-macro-parentheses): a declaration takes none.
#define HOLDFAST_DECLARE(name, result, parameters) result(*name) parameters;
  HOLDFAST_NGHTTP2_FUNCTIONS(HOLDFAST_DECLARE)
#undef HOLDFAST_DECLARE
};

// 0xMMmmpp.
constexpr uint32_t Nghttp2Version(uint32_t major, uint32_t minor, uint32_t patch) {
  return major << 16 | minor << 8 | patch;
}
// Outside of these it was not tried, and is not used.
inline constexpr uint32_t kOldestNghttp2 = Nghttp2Version(1, 52, 0);
inline constexpr uint32_t kNewestNghttp2 = Nghttp2Version(1, 70, 255);

// False with a reason when a function is missing or the version is outside of what was tested.
// `version` is what the process says of its library; one that exports its version is asked itself.
bool ResolveNghttp2(SymbolLookup look_up, uint32_t version, Nghttp2Api* out, std::string* why_not);

}  // namespace holdfast
