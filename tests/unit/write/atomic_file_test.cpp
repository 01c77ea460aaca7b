#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tuile/core/error.hpp"
#include "tuile/write/atomic_file.hpp"
#include "write/temporary_name.hpp"
#include "write_support.hpp"

using namespace tuile;
using namespace tuile::write;
using tuile::test::TemporaryFolder;

namespace {

std::span<const std::byte> bytes(const std::string& text) { return std::as_bytes(std::span<const char>(text)); }

/// The id of a process that has ended.
pid_t dead_process() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  return child;
}

std::string name_of(const std::string& host, long process) { return ".a.npz.tmp-" + host + "-" + std::to_string(process) + "-3"; }

/// Files may not grow beyond `limit` bytes while it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t limit) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    handler_ = ::signal(SIGXFSZ, SIG_IGN);
    const rlimit now{limit, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    ::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit old_{};
  sighandler_t handler_;
};

}  // namespace

TEST(AtomicFile, AppearsCompleteOnPublish) {
  const TemporaryFolder folder;
  AtomicFile file(folder / "deep/er/a.bin");
  file.write_at(3, bytes("def"));
  EXPECT_FALSE(std::filesystem::exists(folder / "deep/er/a.bin"));
  EXPECT_TRUE(is_temporary_name(file.temporary_path().filename().string()));
  file.write_at(0, bytes("abc"));
  const WrittenFile written = file.publish();
  EXPECT_EQ(test::read_file(folder / "deep/er/a.bin"), "abcdef");
  EXPECT_EQ(written.name, "a.bin");
  EXPECT_EQ(written.size, 6U);
  EXPECT_EQ(written.checksum, file_checksum(folder / "deep/er/a.bin"));
  EXPECT_FALSE(std::filesystem::exists(file.temporary_path()));
}

TEST(AtomicFile, ChecksumIsXxh3) {
  const TemporaryFolder folder;
  AtomicFile file(folder / "empty");
  EXPECT_EQ(file.publish().checksum, "xxh3:2d06800538d394c2");  // XXH3-64 of no bytes, as the algorithm's specification lists it
}

TEST(AtomicFile, TextInOneCall) {
  const TemporaryFolder folder;
  test::write_file(folder / "run.json", "a longer text than the new one");
  write_text_atomically(folder / "run.json", "{}\n");
  EXPECT_EQ(test::read_file(folder / "run.json"), "{}\n");
  std::filesystem::create_directory(folder / "folder");
  EXPECT_THROW(write_text_atomically(folder / "folder", "{}"), Error);
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"folder", "run.json"}));
}

TEST(AtomicFile, ReplacesAndLeavesTheOldFileUntilThen) {
  const TemporaryFolder folder;
  test::write_file(folder / "a", "old");
  {
    AtomicFile dropped(folder / "a");
    dropped.write_at(0, bytes("half"));
  }
  EXPECT_EQ(test::read_file(folder / "a"), "old");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a"});
  AtomicFile file(folder / "a");
  file.write_at(0, bytes("new"));
  file.publish();
  EXPECT_EQ(test::read_file(folder / "a"), "new");
}

TEST(AtomicFile, LongNamesFit) {
  const TemporaryFolder folder;
  const std::string name(255, 'n');
  AtomicFile file(folder / name);
  file.publish();
  EXPECT_EQ(folder.names(), std::vector<std::string>{name});
}

TEST(AtomicFile, ErrorsNameThePathAndLeaveNothing) {
  const TemporaryFolder folder;
  test::write_file(folder / "file", "x");
  EXPECT_THROW(AtomicFile(folder / "file/a.npz"), Error);
  EXPECT_THROW(AtomicFile(folder.path() / ""), InvalidArgument);
  std::filesystem::create_directory(folder / "folder");
  {
    AtomicFile file(folder / "folder");
    EXPECT_THROW(file.publish(), InvalidArgument);
  }
  const FileSizeLimit limit(4096);
  {
    AtomicFile file(folder / "a.npz");
    EXPECT_THROW(file.reserve(100000), IoError);
    try {
      file.write_at(0, bytes(std::string(100000, 'x')));
      FAIL() << "the file passed its limit";
    } catch (const IoError& error) {
      EXPECT_NE(std::string(error.what()).find((folder / "a.npz")), std::string::npos) << error.what();
    }
  }
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"file", "folder"}));
}

TEST(AtomicFile, UnwritableFolder) {
  const TemporaryFolder folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0555));
  const bool root = ::geteuid() == 0;
  if (root && ::seteuid(65534) != 0) GTEST_SKIP() << "cannot become another user";
  std::string message;
  try {
    AtomicFile file(folder / "a.npz");
  } catch (const PermissionDenied& error) {
    message = error.what();
  }
  const bool back = !root || ::seteuid(0) == 0;
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
  ASSERT_TRUE(back);
  EXPECT_NE(message.find((folder / "a.npz")), std::string::npos) << message;
}

TEST(AtomicFile, FullDisk) {
  const TemporaryFolder folder;
  if (::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=1m") != 0) GTEST_SKIP() << "mounting a small tmpfs is not permitted here";
  const test::SampleTile tile(50000);
  Executor executor(1);
  std::string message;
  try {
    const std::unique_ptr<Sink> sink = make_npz_sink(folder / "a.npz", tile.layout, Compression::none, executor);
    sink->write(tile.rows(0, 50000));
    sink->finish();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::io);
    message = error.what();
  }
  const bool clean = std::filesystem::is_empty(folder.path());
  ::umount(folder.path().c_str());
  EXPECT_NE(message.find("a.npz"), std::string::npos) << message;
  EXPECT_NE(message.find("free space"), std::string::npos) << message;
  EXPECT_TRUE(clean);
}

TEST(Temporaries, NamesTellTheirOwner) {
  const std::optional<TemporaryOwner> owner = temporary_owner(temporary_name("a-1.tmp-x.npz"));
  ASSERT_TRUE(owner);
  EXPECT_EQ(owner->host, host_name());
  EXPECT_EQ(owner->process, static_cast<long>(::getpid()));
  EXPECT_EQ(temporary_owner(".a.tmp-host-with-dashes-12-3")->host, "host-with-dashes");
  for (const char* name : {"", "a.npz", ".a.npz", "a.tmp-h-1-2", ".a.tmp-h-1", ".a.tmp--1-2", ".a.tmp-h-x-2", ".a.tmp-h-1-", ".tmp-h-1-2",
                           ".a.tmp-h-99999999999999999999-1"})
    EXPECT_FALSE(is_temporary_name(name)) << name;
}

TEST(Temporaries, OnlyAbandonedOnesOfThisHostAreRemoved) {
  const TemporaryFolder folder;
  AtomicFile live(folder / "live.npz");
  const pid_t dead = dead_process();
  const std::string host = host_name();
  const std::string stale = name_of(host, dead), own = name_of(host, ::getpid());
  const std::string other_host = name_of(host + "x", dead), running = name_of(host, ::getppid()), locked = ".locked" + name_of(host, dead);
  for (const std::string& name : {stale, own, other_host, running, locked, std::string("a.npz"), std::string(".hidden")})
    test::write_file(folder / name, "x");
  std::filesystem::create_directory(folder / (".folder" + stale));
  const int holder = ::open((folder / locked).c_str(), O_RDONLY);
  ASSERT_EQ(::flock(holder, LOCK_EX), 0);

  std::vector<std::filesystem::path> removed = remove_stale_temporaries(folder.path());
  std::sort(removed.begin(), removed.end());
  std::vector<std::filesystem::path> expected{folder / stale, folder / own};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(removed, expected);
  for (const std::string& name : {other_host, running, locked, std::string("a.npz"), std::string(".hidden"), ".folder" + stale})
    EXPECT_TRUE(std::filesystem::exists(folder / name)) << name;
  EXPECT_TRUE(std::filesystem::exists(live.temporary_path()));
  ::close(holder);
  EXPECT_EQ(remove_stale_temporaries(folder.path()).size(), 1U);
  EXPECT_TRUE(remove_stale_temporaries(folder / "nowhere").empty());
}

TEST(Temporaries, KilledWriterLeavesOneThatTheNextRunRemoves) {
  const TemporaryFolder folder;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    AtomicFile file(folder / "a.npz");
    file.write_at(0, bytes("half"));
    (void)!::write(ready[1], "x", 1);
    ::pause();
    ::_exit(0);
  }
  char letter = 0;
  ASSERT_EQ(::read(ready[0], &letter, 1), 1);
  EXPECT_TRUE(remove_stale_temporaries(folder.path()).empty());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(folder.names().size(), 1U);
  EXPECT_EQ(remove_stale_temporaries(folder.path()).size(), 1U);
  EXPECT_TRUE(folder.names().empty());
  ::close(ready[0]);
  ::close(ready[1]);
}
