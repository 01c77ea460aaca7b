#include "tuile/core/file/temporaries.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/temporary_folder.hpp"
#include "tuile/core/file/atomic_file.hpp"

using namespace tuile;
using tuile::test::TemporaryFolder;

namespace {

/// The id of a process that has ended.
pid_t dead_process() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  return child;
}

std::string name_of(const std::string& host, long process) { return ".a.npz.tmp-" + host + "-" + std::to_string(process) + "-3"; }

}  // namespace

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
    folder.write(name, "x");
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
    file.write_at(0, bytes_of("half"));
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

TEST(Temporaries, OldOnesOfAnybodyGoWhereThatIsAskedFor) {
  const TemporaryFolder folder;
  using Minutes = std::chrono::minutes;
  const auto age = [](const std::string& path, int minutes) {
    std::filesystem::last_write_time(path, std::filesystem::file_time_type::clock::now() - Minutes(minutes));
  };
  const std::string old = folder.write(name_of("elsewhere", 1), "x"), fresh = folder.write(".b" + name_of("elsewhere", 1), "x");
  const std::string held = folder.write(".c" + name_of("elsewhere", 1), "x"), other = folder.write("notes.txt", "x");
  for (const std::string& path : {old, held, other}) age(path, 61);
  age(fresh, 59);
  const Descriptor holder = open_for_reading(held);
  ASSERT_EQ(::flock(holder.get(), LOCK_EX), 0);
  EXPECT_TRUE(remove_stale_temporaries(folder.path()).empty());
  EXPECT_EQ(remove_stale_temporaries(folder.path(), Minutes(60)), std::vector<std::filesystem::path>{old});
  EXPECT_EQ(folder.names().size(), 3U);
}
