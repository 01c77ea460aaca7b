#include "tuile/core/error.hpp"

#include <cerrno>
#include <set>
#include <string>

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

TEST(Error, ANulEndsNoMessage) {
  const std::string path("a\0b", 3);
  EXPECT_STREQ(NotFound("no file " + path + " here").what(), "no file a\\0b here");
}

TEST(Error, TheTableHasEveryKindOnce) {
  std::set<std::string> names, classes;
  for (const ErrorTraits& kind : error_kinds()) {
    names.insert(kind.name);
    classes.insert(kind.python_class);
    EXPECT_EQ(&traits(kind.kind), &kind);
    EXPECT_EQ(error_kind_named(kind.name), kind.kind);
    EXPECT_STREQ(to_string(kind.kind), kind.name);
    EXPECT_EQ(Error(kind.kind, "").can_pass(), kind.kind == ErrorKind::io) << kind.name;
    try {
      throw_error(kind.kind, "m");
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind.kind);
    }
  }
  EXPECT_EQ(names.size(), 12U);
  EXPECT_EQ(classes.size(), 12U);
  EXPECT_FALSE(error_kind_named("IO"));
  EXPECT_FALSE(error_kind_named(""));
}

TEST(Error, ExitStatusesAreThoseOfTheManual) {
  const auto status = [](ErrorKind kind) { return traits(kind).exit_status; };
  EXPECT_EQ(status(ErrorKind::config), 2);
  EXPECT_EQ(status(ErrorKind::invalid_argument), 2);
  EXPECT_EQ(status(ErrorKind::backend_unavailable), 3);
  EXPECT_EQ(status(ErrorKind::cancelled), 130);
  EXPECT_EQ(status(ErrorKind::corrupt), 1);
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
