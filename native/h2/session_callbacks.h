// The library's callbacks, turned into calls of the session they belong to.
#pragma once

#include "h2/nghttp2_api.h"

namespace holdfast {

class H2Callbacks {
 public:
  static void Set(const Nghttp2Api& api, ng::Callbacks* callbacks);
  // Reads the body of an answer; the source's pointer is the stream.
  static ssize_t Read(ng::Session*, int32_t, uint8_t*, size_t length, uint32_t* flags,
                      ng::DataSource* source, void* user_data);
};

}  // namespace holdfast
