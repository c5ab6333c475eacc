#include "h2/nghttp2_api.h"

#include <cstring>

#include "support/nghttp2_library.h"

#if __has_include(<nghttp2/nghttp2.h>)
#include <nghttp2/nghttp2.h>
#define HOLDFAST_HAS_HEADER 1
#endif

namespace holdfast::test {
namespace {

void* LookUpWithoutTrailers(const char* name) {
  return std::strcmp(name, "nghttp2_submit_trailer") == 0 ? nullptr : LookUpInLibrary(name);
}
void* LookUpWithoutVersion(const char* name) {
  return std::strcmp(name, "nghttp2_version") == 0 ? nullptr : LookUpInLibrary(name);
}
bool Resolves(uint32_t version, std::string* why_not) {
  Nghttp2Api api;
  return ResolveNghttp2(LookUpWithoutVersion, version, &api, why_not);
}

}  // namespace

TEST_CASE("every function of the library is found, and it is asked for its version itself") {
  Nghttp2Api api;
  std::string why_not;
  EXPECT(ResolveNghttp2(LookUpInLibrary, 0, &api, &why_not));
  EXPECT(why_not.empty());
}

// A name that node does not export ended the process at its first call.
TEST_CASE("a library that lacks one function is not used, and which one is said") {
  Nghttp2Api api;
  std::string why_not;
  EXPECT(!ResolveNghttp2(LookUpWithoutTrailers, kNewestNghttp2, &api, &why_not));
  EXPECT(why_not == "nghttp2_submit_trailer is not exported");
}

TEST_CASE("a library that does not tell its version is taken by what the process says, in bounds") {
  std::string why_not;
  EXPECT(Resolves(kOldestNghttp2, &why_not));
  EXPECT(Resolves(Nghttp2Version(1, 61, 0), &why_not));
  EXPECT(Resolves(Nghttp2Version(1, 70, 3), &why_not));
  EXPECT(why_not.empty());
  EXPECT(!Resolves(Nghttp2Version(1, 51, 0), &why_not));
  EXPECT(why_not == "nghttp2 1.51.0 is none of 1.52.0 to 1.70.0");
  EXPECT(!Resolves(Nghttp2Version(1, 71, 0), &why_not));
  EXPECT(!Resolves(Nghttp2Version(2, 0, 0), &why_not));
  EXPECT(!Resolves(0, &why_not));
}

#if defined(HOLDFAST_HAS_HEADER)
TEST_CASE("the layouts declared here are those of the library's own header") {
  static_assert(sizeof(ng::NameValue) == sizeof(nghttp2_nv));
  static_assert(offsetof(ng::NameValue, value_size) == offsetof(nghttp2_nv, valuelen));
  static_assert(offsetof(ng::NameValue, flags) == offsetof(nghttp2_nv, flags));
  static_assert(sizeof(ng::Frame) == sizeof(nghttp2_frame_hd));
  static_assert(offsetof(ng::Frame, stream_id) == offsetof(nghttp2_frame_hd, stream_id));
  static_assert(offsetof(ng::Frame, type) == offsetof(nghttp2_frame_hd, type));
  static_assert(offsetof(ng::Frame, flags) == offsetof(nghttp2_frame_hd, flags));
  static_assert(sizeof(ng::SettingsEntry) == sizeof(nghttp2_settings_entry));
  static_assert(sizeof(ng::DataProvider) == sizeof(nghttp2_data_provider));
  EXPECT(ng::kErrWouldBlock == NGHTTP2_ERR_WOULDBLOCK);
  EXPECT(ng::kErrDeferred == NGHTTP2_ERR_DEFERRED);
  EXPECT(ng::kErrCallbackFailure == NGHTTP2_ERR_CALLBACK_FAILURE);
  EXPECT(ng::kErrFlooded == NGHTTP2_ERR_FLOODED);
  EXPECT(ng::kDataEof == NGHTTP2_DATA_FLAG_EOF);
  EXPECT(ng::kDataNoEndStream == NGHTTP2_DATA_FLAG_NO_END_STREAM);
  EXPECT(ng::kDataNoCopy == NGHTTP2_DATA_FLAG_NO_COPY);
}
#endif

}  // namespace holdfast::test
