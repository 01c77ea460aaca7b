#include "child_process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <thread>

#include "tuile/core/error.hpp"

namespace tuile::bench {

namespace {

/// RssAnon of a process in bytes; 0 once it is gone.
std::uint64_t anonymous_bytes(pid_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  std::string word;
  std::uint64_t kilobytes = 0;
  while (status >> word) {
    if (word == "RssAnon:") {
      status >> kilobytes;
      break;
    }
  }
  return kilobytes * 1024;
}

}  // namespace

ChildUsage run_child(const std::string& program, const std::vector<std::string>& arguments) {
  std::vector<char*> words{const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO})
    posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0);
  pid_t process = 0;
  const auto start = std::chrono::steady_clock::now();
  const int failed = ::posix_spawn(&process, program.c_str(), &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw_errno(failed, "run", program);

  ChildUsage usage;
  int status = 0;
  pid_t ended = 0;
  while ((ended = ::waitpid(process, &status, WNOHANG)) == 0 || (ended < 0 && errno == EINTR)) {
    usage.peak_anonymous = std::max(usage.peak_anonymous, anonymous_bytes(process));
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  usage.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (ended < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    std::string command = program;
    for (const std::string& argument : arguments) command += " " + argument;
    throw IoError("a run whose memory was to be measured failed; run it yourself to see why: " + command);
  }
  return usage;
}

}  // namespace tuile::bench
