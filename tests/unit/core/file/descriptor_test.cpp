#include "tuile/core/file/descriptor.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <initializer_list>

#include "support/temporary_folder.hpp"
#include "tuile/core/error.hpp"

using namespace tuile;
using tuile::test::TemporaryFolder;

namespace {

/// What a child process returns that first closes the descriptors named; the test's own stay as they are.
template <class Body>
int in_child_without(std::initializer_list<int> closed, Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    for (const int number : closed) ::close(number);
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST(Descriptor, NeverOneOfTheStandardThree) {
  const TemporaryFolder folder;
  const std::string path = folder.write("a", "abc");
  EXPECT_EQ(in_child_without({2}, [&] { return open_for_reading(path).get() > 2 ? 0 : 1; }), 0);
  EXPECT_EQ(in_child_without({0, 1, 2},
                             [&] {
                               const Descriptor file = open_descriptor(path, O_RDWR);
                               const Descriptor other = open_descriptor(path, O_RDWR);
                               if (file.get() <= 2 || other.get() <= 2) return 1;
                               if (::write(2, "x", 1) != -1 || errno != EBADF) return 2;  // nothing was left on it
                               return (::fcntl(file.get(), F_GETFD) & FD_CLOEXEC) != 0 ? 0 : 3;
                             }),
            0);
  EXPECT_EQ(folder.read("a"), "abc");
}

TEST(Descriptor, TheStandardThreeAreSecured) {
  struct stat null {};
  ASSERT_EQ(::stat("/dev/null", &null), 0);
  for (const int closed : {0, 1, 2}) {
    EXPECT_EQ(in_child_without({closed},
                               [&] {
                                 secure_standard_descriptors();
                                 struct stat now {};
                                 if (::fstat(closed, &now) != 0 || now.st_rdev != null.st_rdev) return 1;
                                 return ::write(closed, "x", 1) < 0 ? 0 : 2;  // a program still learns that nobody hears it
                               }),
              0)
        << closed;
  }
  EXPECT_EQ(in_child_without({0, 1, 2},
                             [] {
                               secure_standard_descriptors();
                               for (const int number : {0, 1, 2}) {
                                 if (::fcntl(number, F_GETFD) < 0) return 1;
                               }
                               return 0;
                             }),
            0);
}

TEST(Descriptor, OpenOnesStayAsTheyAre) {
  struct stat before {
  }, after{};
  ASSERT_EQ(::fstat(1, &before), 0);
  secure_standard_descriptors();
  ASSERT_EQ(::fstat(1, &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
}

TEST(Descriptor, ANulIsNoPartOfAPath) {
  const TemporaryFolder folder;
  folder.write("a.laz", "abc");
  try {
    open_for_reading(folder / std::string("a.laz\0x", 7));
    FAIL() << "the path was cut";
  } catch (const InvalidArgument& error) {
    EXPECT_NE(std::string(error.what()).find("a.laz\\0x"), std::string::npos) << error.what();
  }
  EXPECT_THROW(open_descriptor(std::string("\0", 1), O_RDONLY), InvalidArgument);
  EXPECT_EQ(checked_path("a b"), "a b");
}

TEST(Descriptor, ErrorsAreTyped) {
  const TemporaryFolder folder;
  EXPECT_THROW(open_for_reading(folder / "nothing"), NotFound);
  errno = 0;
  EXPECT_FALSE(open_descriptor(folder / "nothing", O_RDONLY));
  EXPECT_EQ(errno, ENOENT);
}

TEST(Descriptor, ReadsAndWritesWhole) {
  const TemporaryFolder folder;
  const std::string path = folder / "a";
  Descriptor file = open_descriptor(path, O_RDWR | O_CREAT, 0666);
  ASSERT_TRUE(file);
  write_all(file.get(), bytes_of("head"), path);
  write_all_at(file.get(), 6, bytes_of("tail"), path);
  std::array<std::byte, 20> out{};
  EXPECT_EQ(read_some(file.get(), 2, out, path), 8U);
  EXPECT_TRUE(file.close());
  EXPECT_FALSE(file);
  EXPECT_TRUE(file.close());
  EXPECT_EQ(folder.read("a"), std::string("head\0\0tail", 10));
}
