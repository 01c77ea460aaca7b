#include "tuile/core/file/atomic_file.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/temporary_folder.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/file/temporaries.hpp"

using namespace tuile;
using tuile::test::TemporaryFolder;

namespace {

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
  file.write_at(3, bytes_of("def"));
  EXPECT_FALSE(std::filesystem::exists(folder / "deep/er/a.bin"));
  EXPECT_TRUE(is_temporary_name(file.temporary_path().filename().string()));
  file.write_at(0, bytes_of("abc"));
  file.publish();
  EXPECT_EQ(folder.read("deep/er/a.bin"), "abcdef");
  EXPECT_FALSE(std::filesystem::exists(file.temporary_path()));
}

TEST(AtomicFile, TextInOneCall) {
  const TemporaryFolder folder;
  folder.write("run.json", "a longer text than the new one");
  write_text_atomically(folder / "run.json", "{}\n");
  EXPECT_EQ(folder.read("run.json"), "{}\n");
  std::filesystem::create_directory(folder / "folder");
  EXPECT_THROW(write_text_atomically(folder / "folder", "{}"), Error);
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"folder", "run.json"}));
}

TEST(AtomicFile, ReplacesAndLeavesTheOldFileUntilThen) {
  const TemporaryFolder folder;
  folder.write("a", "old");
  {
    AtomicFile dropped(folder / "a");
    dropped.write_at(0, bytes_of("half"));
  }
  EXPECT_EQ(folder.read("a"), "old");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a"});
  AtomicFile file(folder / "a");
  file.write_at(0, bytes_of("new"));
  file.publish();
  EXPECT_EQ(folder.read("a"), "new");
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
  folder.write("file", "x");
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
      file.write_at(0, bytes_of(std::string(100000, 'x')));
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

TEST(AtomicFile, AppendsAfterWhatWasAppended) {
  const TemporaryFolder folder;
  AtomicFile file(folder / "a");
  file.append(bytes_of("ab"));
  file.append(bytes_of("cd"));
  file.publish(Durability::process);
  EXPECT_EQ(folder.read("a"), "abcd");
}

TEST(AtomicFile, FoldersAreMadeOrExpected) {
  const TemporaryFolder folder;
  EXPECT_THROW(AtomicFile(folder / "nowhere/a", Folders::expect), NotFound);
  EXPECT_FALSE(std::filesystem::exists(folder / "nowhere"));
  create_folders(folder.path() / "x/./y/../z/");
  EXPECT_TRUE(std::filesystem::is_directory(folder / "x/z"));
  create_folders(folder / "x/z");
  folder.write("file", "");
  EXPECT_THROW(create_folders(folder / "file/below"), Error);
}

TEST(AtomicFile, AWriterMayCreateTheFileItself) {
  const TemporaryFolder folder;
  {
    AtomicFile file(folder / "a");
    file.leave_creation_to_writer();
    EXPECT_TRUE(folder.names().empty());
    EXPECT_THROW(file.publish(), NotFound);
    std::ofstream(file.temporary_path()) << "theirs";
    file.publish();
  }
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a"});
  EXPECT_EQ(folder.read("a"), "theirs");
  {
    AtomicFile dropped(folder / "b");
    dropped.leave_creation_to_writer();
    std::ofstream(dropped.temporary_path()) << "half";
  }
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a"});
}

TEST(AtomicFile, ANulIsRefusedWhereverItStands) {
  const TemporaryFolder folder;
  // What the system would take for the whole is there already: names beside it were found taken for ever.
  std::filesystem::create_directory(folder / "nul");
  const std::string file = folder / std::string("a\0x", 3), in_folder = folder / std::string("nul\0x/a", 7);
  for (const std::string& path : {file, in_folder}) {
    EXPECT_THROW(AtomicFile{path}, InvalidArgument);
    EXPECT_THROW(AtomicFile(path, Folders::expect), InvalidArgument);
    EXPECT_THROW(write_text_atomically(path, "x"), InvalidArgument);
    EXPECT_THROW(create_folders(path), InvalidArgument);
    EXPECT_THROW(publish_file(folder / "none", path), InvalidArgument);
  }
  EXPECT_EQ(folder.names(), std::vector<std::string>{"nul"});
}

TEST(AtomicFile, NamesThatAreTakenAreNotTriedForEver) {
  const TemporaryFolder folder;
  // The next names of this process, of an earlier life: the first few are passed over, more than there can be are an error.
  const std::string next = temporary_name("a");
  const std::size_t dash = next.rfind('-');
  const unsigned long first = std::stoul(next.substr(dash + 1)) + 1;
  const auto take = [&](unsigned long from, unsigned long count) {
    for (unsigned long i = from; i < from + count; ++i) folder.write(next.substr(0, dash + 1) + std::to_string(i), "");
  };
  take(first, 3);
  { AtomicFile passes(folder / "a"); }
  take(first, 2100);
  EXPECT_THROW(AtomicFile(folder / "a"), IoError);
}
