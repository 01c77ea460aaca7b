#include <cerrno>

#include "tuile/core/error.hpp"

namespace tuile {
namespace {

TEST(Error, SystemErrorsAreTypedAndNamePathAndRemedy) {
  EXPECT_THROW(throw_errno(ENOENT, "open", "a.laz"), NotFound);
  EXPECT_THROW(throw_errno(EACCES, "open", "a.laz"), PermissionDenied);
  EXPECT_THROW(throw_errno(ENOMEM, "read", "a.laz"), OutOfMemory);
  EXPECT_THROW(throw_errno(EISDIR, "open", "a.laz"), InvalidArgument);
  try {
    throw_errno(ENOSPC, "write", "out/a.npz");
  } catch (const IoError& error) {
    EXPECT_NE(std::string(error.what()).find("out/a.npz"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("free space"), std::string::npos);
  }
}

TEST(Error, PlaceIsAddedOnceAndTheTypeKept) {
  try {
    rethrow_at(CorruptData("truncated"), "a.laz");
  } catch (const CorruptData& error) {
    EXPECT_STREQ(error.what(), "a.laz: truncated");
    try {
      rethrow_at(error, "a.laz");
    } catch (const CorruptData& again) {
      EXPECT_STREQ(again.what(), "a.laz: truncated");
    }
  }
}

TEST(Error, EveryKindIsThrownAsItsType) {
  EXPECT_THROW(throw_error(ErrorKind::config, "m"), ConfigError);
  EXPECT_THROW(throw_error(ErrorKind::timeout, "m"), TimeoutError);
  EXPECT_THROW(throw_error(ErrorKind::unsupported, "m"), Unsupported);
  EXPECT_THROW(throw_error(ErrorKind::cancelled, "m"), Cancelled);
  EXPECT_THROW(throw_error(ErrorKind::backend_unavailable, "m"), BackendUnavailable);
  EXPECT_THROW(throw_error(ErrorKind::device, "m"), DeviceError);
  EXPECT_TRUE(IoError("m").can_pass());
  EXPECT_FALSE(CorruptData("m").can_pass());
}

}  // namespace
}  // namespace tuile
