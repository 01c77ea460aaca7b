// The bucket that processes share through a folder.
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "http_fixture.hpp"
#include "source/host_gate.hpp"
#include "source/http_shared_bucket.hpp"
#include "support/temporary_folder.hpp"

namespace tuile::source {
namespace {

constexpr double rate = 20;

ServerAnswer hello(const ServerRequest&) { return {200, "text/plain", "hello", {}}; }

std::int64_t wall_clock() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}
constexpr std::int64_t second = 1'000'000'000;

HttpOptions shared_options(const std::string& folder) {
  HttpOptions options = quick_options();
  options.requests_per_second = rate;
  options.shared_folder = folder;
  return options;
}

std::string bucket_file(const std::string& folder) {
  std::string only;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    EXPECT_TRUE(only.empty()) << "one file is enough for one host";
    only = entry.path();
  }
  return only;
}

// What the processes of the next test run.
TEST(SharedBucketProcess, DISABLED_Fetches) {
  const char* const url = std::getenv("TUILE_TEST_URL");
  const char* const folder = std::getenv("TUILE_TEST_FOLDER");
  if (url == nullptr || folder == nullptr) GTEST_SKIP() << "for the test of several processes";
  HttpClient client(shared_options(folder));
  for (int i = 0; i < 10; ++i) client.fetch({.url = url}, {}, {});
}

TEST(SharedBucket, ProcessesThatNameTheFolderKeepTheRateTogether) {
  const test::TemporaryFolder folder;
  const FaultServer server(hello);
  const std::string url = "TUILE_TEST_URL=" + server.url("/"), place = "TUILE_TEST_FOLDER=" + (folder / "bucket");
  std::vector<char*> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.push_back(*entry);
  environment.push_back(const_cast<char*>(url.c_str()));
  environment.push_back(const_cast<char*>(place.c_str()));
  environment.push_back(nullptr);
  const std::string program = std::filesystem::read_symlink("/proc/self/exe");
  const char* const arguments[] = {program.c_str(), "--gtest_filter=SharedBucketProcess.*", "--gtest_also_run_disabled_tests",
                                   "--gtest_brief=1", nullptr};
  const auto start = TestClock::now();
  std::vector<pid_t> children(3);
  for (pid_t& child : children) {
    ASSERT_EQ(::posix_spawn(&child, program.c_str(), nullptr, nullptr, const_cast<char**>(arguments), environment.data()), 0);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  const std::vector<ServerRequest> requests = server.requests();
  ASSERT_EQ(requests.size(), 30U);
  for (std::size_t k = 0; k < requests.size(); ++k) {
    const double earliest = (static_cast<double>(k) + 1 - HostGate::burst(rate)) / rate;
    EXPECT_GT(std::chrono::duration<double>(requests[k].at - start).count(), earliest - 0.01) << "request " << k;
  }
  EXPECT_FALSE(bucket_file(folder / "bucket").empty());
}

TEST(SharedBucket, HoldsTheRetryAfterForTheOthers) {
  const test::TemporaryFolder folder;
  const FaultServer server(hello, [](const ServerRequest& request) { return request.number == 0 ? Fault::throttled : Fault::none; });
  HttpOptions options = shared_options(folder.path());
  options.longest_delay = 10;
  options.retries = 0;
  HttpClient client(options);
  const std::int64_t before = wall_clock();
  EXPECT_THROW(client.fetch({.url = server.url("/")}, {}, {}), IoError);
  SharedTimes seen;
  const std::string origin = "http://127.0.0.1:" + std::to_string(server.port());
  EXPECT_EQ(update_shared_times(folder.path(), origin, [&](SharedTimes& times) { seen = times; }, {}), "");
  EXPECT_GT(seen.closed_until, before + second - second / 100);
  EXPECT_LT(seen.closed_until, wall_clock() + second + second / 100);
}

TEST(SharedBucket, ObeysWhatOthersWrote) {
  const test::TemporaryFolder folder;
  const FaultServer server(hello);
  const std::string origin = "http://127.0.0.1:" + std::to_string(server.port());
  const auto start = TestClock::now();
  EXPECT_EQ(update_shared_times(folder.path(), origin, [](SharedTimes& times) { times.closed_until = wall_clock() + second / 2; }, {}), "");
  HttpClient client(shared_options(folder.path()));
  client.fetch({.url = server.url("/")}, {}, {});
  EXPECT_GT(std::chrono::duration<double>(server.requests().at(0).at - start).count(), 0.49);
}

TEST(SharedBucket, NonsenseIsIgnoredAndRewritten) {
  for (const std::string nonsense :
       {"far", "", "rubbish", "tuile-bucket 1 99999999999999999999 00000000000000000000\n",
        "tuile-bucket 1 -0000000000000000001 00000000000000000000\n", "tuile-bucket 1 0x000000000000000001 00000000000000000000\n"}) {
    const test::TemporaryFolder folder;
    const FaultServer server(hello);
    const std::string origin = "http://127.0.0.1:" + std::to_string(server.port());
    const std::int64_t far = wall_clock() + 600 * second;
    EXPECT_EQ(update_shared_times(folder.path(), origin, [&](SharedTimes& times) { times = {far, far}; }, {}), "");
    const std::string file = bucket_file(folder.path());
    if (nonsense != "far")
      std::ofstream(file, std::ios::binary | std::ios::trunc) << nonsense << std::string(nonsense == "rubbish" ? 500 : 0, 'x');
    HttpClient client(shared_options(folder.path()));
    client.fetch({.url = server.url("/")}, {}, {});
    SharedTimes seen;
    EXPECT_EQ(update_shared_times(folder.path(), origin, [&](SharedTimes& times) { seen = times; }, {}), "");
    EXPECT_GT(seen.next_due, wall_clock() - 60 * second) << nonsense;
    EXPECT_LT(seen.next_due, wall_clock() + 60 * second) << nonsense;
    EXPECT_LT(seen.closed_until, wall_clock() + second) << nonsense;
    EXPECT_EQ(std::filesystem::file_size(file), 57U) << nonsense;
  }
}

TEST(SharedBucket, AFolderThatCannotBeWrittenMeansThisProcessOnlyAndOneLine) {
  const test::TemporaryFolder folder;
  const std::string file = folder.write("file", "no folder");
  const FaultServer server(hello);
  HttpOptions options = shared_options(file + "/below");
  LogBook log;
  options.log = log.writer();
  HttpClient client(options);
  const auto start = TestClock::now();
  for (int i = 0; i < 8; ++i) client.fetch({.url = server.url("/")}, {}, {});
  EXPECT_EQ(log.count("is not shared with other processes"), 1);
  EXPECT_EQ(log.lines().size(), 1U);
  EXPECT_GT(std::chrono::duration<double>(TestClock::now() - start).count(), 3 / rate - 0.001);  // five at once
}

}  // namespace
}  // namespace tuile::source
