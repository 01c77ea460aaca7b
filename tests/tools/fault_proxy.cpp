// fault_proxy --upstream http://127.0.0.1:PORT [--fault NAME[,NAME…]|all] [--rate 0.2] [--seed N] [--latency MS] [--port N] [--remember]
// [--log FILE]
//
// Listens on 127.0.0.1, prints its port on one line, and hands every request to the upstream server, except the share of them that gets a
// fault (the names are those of tests/support/fault_server.hpp). Which ones depends on the seed and the request's number only. Several
// faults come in turn. Ends on SIGTERM or SIGINT.
#include <curl/curl.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <sstream>

#include "support/fault_server.hpp"

namespace {

using tuile::test::Fault;
using tuile::test::FaultServer;
using tuile::test::FaultSettings;
using tuile::test::ServerAnswer;
using tuile::test::ServerRequest;

struct Options {
  std::string upstream;
  std::vector<std::string> faults{"all"};
  double rate = 0.2;
  bool delay_only = false;
  std::uint32_t seed = 1;
  int latency = 0;
  int retry_after = 1;
  int slow_pause = 20;
  int port = 0;
  bool remember = false;
  std::string log;
};

std::size_t on_body(char* bytes, std::size_t, std::size_t count, void* user) {
  static_cast<ServerAnswer*>(user)->body.append(bytes, count);
  return count;
}

std::size_t on_header(char* bytes, std::size_t, std::size_t count, void* user) {
  static const std::set<std::string> hop_by_hop = {"connection", "content-length", "keep-alive", "transfer-encoding"};
  auto& answer = *static_cast<ServerAnswer*>(user);
  const std::string line(bytes, count);
  const std::size_t colon = line.find(':');
  if (line.starts_with("HTTP/")) answer.headers.clear();
  if (colon == std::string::npos) return count;
  std::string name = line.substr(0, colon), value = line.substr(colon + 1);
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const std::size_t begin = std::min(value.find_first_not_of(" \t"), value.size());
  value = value.substr(begin, value.find_last_not_of(" \t\r\n") + 1 - begin);
  if (name == "content-type") {
    answer.content_type = value;
  } else if (!hop_by_hop.contains(name)) {
    answer.headers.emplace_back(line.substr(0, colon), value);
  }
  return count;
}

/// The upstream server's answer, bytes as they come; 502 where it has none.
ServerAnswer forward(const std::string& upstream, const ServerRequest& request) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy(curl_easy_init(), &curl_easy_cleanup);
  curl_slist* headers = curl_slist_append(nullptr, "Expect:");
  for (const char* name : {"accept-encoding", "content-type", "if-range", "range"}) {
    const auto found = request.headers.find(name);
    if (found != request.headers.end() && !found->second.empty())
      headers = curl_slist_append(headers, (found->first + ": " + found->second).c_str());
  }
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> owned(headers, &curl_slist_free_all);
  ServerAnswer answer{200, "", "", {}};
  const std::string url = upstream + request.target;
  curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, headers);
  if (request.method == "POST") {
    curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDS, request.body.data());
  }
  curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, &on_body);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &answer);
  curl_easy_setopt(easy.get(), CURLOPT_HEADERFUNCTION, &on_header);
  curl_easy_setopt(easy.get(), CURLOPT_HEADERDATA, &answer);
  if (const CURLcode code = curl_easy_perform(easy.get()); code != CURLE_OK) {
    return {502, "text/plain", std::string("the upstream server gave no answer: ") + curl_easy_strerror(code), {}};
  }
  long status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  return answer;
}

/// Which request gets which fault: a function of the seed and the request's number, whatever the threads.
class Plan {
 public:
  Plan(const Options& options) : rate_(options.delay_only ? 0 : options.rate), seed_(options.seed) {
    for (const std::string& name : options.faults) {
      if (name == "all") {
        for (const Fault fault : tuile::test::all_faults()) {
          // These end what they meet, as they should; who wants them names them.
          const bool ends = fault == Fault::gone || fault == Fault::bad_request || fault == Fault::forbidden || fault == Fault::not_found ||
                            fault == Fault::redirect_loop || fault == Fault::redirect_scheme;
          if (!ends) faults_.push_back(fault);
        }
      } else if (const auto fault = tuile::test::fault_named(name)) {
        faults_.push_back(*fault);
      } else {
        std::string names;
        for (const Fault known : tuile::test::all_faults()) names += std::string(" ") + to_string(known);
        throw CLI::ValidationError("--fault", "'" + name + "' is unknown; all, none or one of" + names);
      }
    }
  }
  Fault operator()(std::uint64_t number) const {
    std::seed_seq sequence{seed_, static_cast<std::uint32_t>(number)};
    std::array<std::uint32_t, 2> drawn{};
    sequence.generate(drawn.begin(), drawn.end());
    return drawn[0] < rate_ * 4294967296.0 ? faults_[drawn[1] % faults_.size()] : Fault::none;
  }

 private:
  const double rate_;
  const std::uint32_t seed_;
  std::vector<Fault> faults_;
};

int run(const Options& options) {
  const Plan plan(options);
  std::ofstream log;
  if (!options.log.empty()) log.open(options.log);
  if (!options.log.empty() && !log) throw CLI::FileError::Missing(options.log);
  std::mutex log_mutex;
  const auto rule = [&](const ServerRequest& request) {
    const Fault fault = plan(request.number);
    if (log.is_open()) {
      const auto now = std::chrono::system_clock::now();
      const double seconds = std::chrono::duration<double>(now.time_since_epoch()).count();
      std::array<char, 40> time{};
      std::snprintf(time.data(), time.size(), "%.3f", seconds);
      const std::lock_guard lock(log_mutex);
      log << time.data() << " " << request.method << " " << request.target << " " << (fault == Fault::none ? "ok" : to_string(fault))
          << std::endl;
    }
    return fault;
  };
  FaultSettings settings;
  settings.latency = std::chrono::milliseconds(options.latency);
  settings.retry_after = options.retry_after;
  settings.port = options.port;
  settings.slow_pause = std::chrono::milliseconds(options.slow_pause);
  // Blocked before any thread starts, so that all inherit it and only sigwait sees it.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  std::mutex known_mutex;
  std::map<std::string, ServerAnswer> known;
  const auto answer = [&](const ServerRequest& request) {
    if (!options.remember) return forward(options.upstream, request);
    {
      const std::lock_guard lock(known_mutex);
      if (const auto found = known.find(request.target); found != known.end()) return found->second;
    }
    ServerAnswer fresh = forward(options.upstream, request);
    const std::lock_guard lock(known_mutex);
    return known.insert_or_assign(request.target, std::move(fresh)).first->second;
  };
  const FaultServer server(answer, rule, settings);
  std::cout << server.port() << std::endl;
  int signal = 0;
  sigwait(&ends, &signal);
  std::cout.flush();
  log.flush();
  // Threads that wait for a slow upstream server are not waited for.
  std::_Exit(0);
}

}  // namespace

int main(int count, char** arguments) {
  Options options;
  CLI::App app("A proxy that puts faults between a client and a server.");
  app.add_option("--upstream", options.upstream, "URL before the target, e.g. http://127.0.0.1:8080")->required();
  app.add_option("--fault", options.faults, "names of faults, or all (those that pass)")->delimiter(',');
  app.add_option("--rate", options.rate, "share of requests that get a fault, 0 to 1")->check(CLI::Range(0.0, 1.0));
  app.add_flag("--delay-only", options.delay_only, "no faults, only the latency");
  app.add_option("--seed", options.seed, "of the choice");
  app.add_option("--latency", options.latency, "milliseconds before every answer")->check(CLI::NonNegativeNumber);
  app.add_option("--retry-after", options.retry_after, "seconds in the header Retry-After")->check(CLI::NonNegativeNumber);
  app.add_option("--slow-pause", options.slow_pause, "milliseconds between two of the ten pieces of a slow body")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--port", options.port, "to listen on (default: any that is free)")->check(CLI::Range(0, 65535));
  app.add_flag("--remember", options.remember, "ask the upstream once for each target: what is measured is the latency, not the server");
  app.add_option("--log", options.log, "file for one line per request: time, method, target, ok or the fault");
  try {
    app.parse(count, arguments);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    return run(options);
  } catch (const CLI::Error& error) {
    return app.exit(error);
  }
}
