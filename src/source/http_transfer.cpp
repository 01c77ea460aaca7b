#include "source/http_transfer.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <exception>
#include <string_view>

#include "tuile/core/error.hpp"
#include "tuile/core/mutex.hpp"
#include "tuile/core/version.hpp"

namespace tuile::source {
namespace {

constexpr const char* stopped_while = "an answer";

void start_curl_once() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
      throw OutOfMemory("libcurl cannot start; free memory and run the same command again");
  });
}

struct ListFree {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, ListFree>;

void append(List& list, const std::string& line) {
  curl_slist* const longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) throw OutOfMemory("no memory for the headers of a request");
  static_cast<void>(list.release());
  list.reset(longer);
}

/// libcurl checks the types of options in a macro; setting one fails only for want of memory or of the feature.
template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  if (const CURLcode code = curl_easy_setopt(easy, option, value); code != CURLE_OK) {
    throw_error(code == CURLE_OUT_OF_MEMORY ? ErrorKind::out_of_memory : ErrorKind::unsupported,
                std::string("libcurl refuses an option: ") + curl_easy_strerror(code) + "; update libcurl");
  }
}

long milliseconds(Clock::duration time) {
  return static_cast<long>(std::clamp<std::int64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count(), 1, 2'000'000'000));
}

/// What the callbacks of one transfer work on.
struct Transfer {
  CURL* easy;
  const BodyReader& reader;
  AnswerHead head{};
  bool left = false;
  std::exception_ptr thrown{};
  Clock::time_point last_byte = Clock::now();
};

bool named(std::string_view line, std::string_view name, std::string_view& value) {
  if (line.size() <= name.size() || line[name.size()] != ':') return false;
  const bool same = std::equal(name.begin(), name.end(), line.begin(),
                               [](char want, char is) { return want == static_cast<char>(std::tolower(static_cast<unsigned char>(is))); });
  if (!same) return false;
  value = line.substr(name.size() + 1);
  const std::size_t begin = std::min(value.find_first_not_of(" \t"), value.size());
  value = value.substr(begin, value.find_last_not_of(" \t\r\n") + 1 - begin);
  return true;
}

void read_header(AnswerHead& head, std::string_view line) {
  if (line.starts_with("HTTP/")) {
    // Of a 100 Continue before, or of a proxy's.
    head = {};
    return;
  }
  const std::pair<std::string_view, std::string*> fields[] = {{"content-type", &head.content_type},
                                                              {"location", &head.location},
                                                              {"retry-after", &head.retry_after},
                                                              {"date", &head.date},
                                                              {"etag", &head.etag},
                                                              {"last-modified", &head.last_modified},
                                                              {"content-range", &head.content_range},
                                                              {"content-encoding", &head.content_encoding}};
  std::string_view value;
  for (const auto& [name, field] : fields) {
    if (named(line, name, value)) *field = value;
  }
  if (named(line, "content-length", value)) {
    if (std::from_chars(value.data(), value.data() + value.size(), head.length).ec != std::errc()) head.length = -1;
  }
}

// No exception may cross the frames of libcurl.
template <class Function>
std::size_t guarded(Transfer& transfer, std::size_t size, Function&& function) noexcept {
  transfer.last_byte = Clock::now();
  try {
    if (function()) return size;
  } catch (...) {
    transfer.thrown = std::current_exception();
  }
  return size == 0 ? 1 : 0;  // anything but `size` ends the transfer
}

std::size_t on_header(char* bytes, std::size_t, std::size_t count, void* user) noexcept {
  auto& transfer = *static_cast<Transfer*>(user);
  return guarded(transfer, count, [&] {
    read_header(transfer.head, {bytes, count});
    return true;
  });
}

std::size_t on_body(char* bytes, std::size_t, std::size_t count, void* user) noexcept {
  auto& transfer = *static_cast<Transfer*>(user);
  return guarded(transfer, count, [&] {
    long status = 0;
    curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
    transfer.head.status = static_cast<int>(status);
    transfer.left = !transfer.reader(transfer.head, {bytes, count});
    return !transfer.left;
  });
}

TransferEnd end_of(CURLcode code) {
  switch (code) {
    case CURLE_OK: return TransferEnd::complete;
    case CURLE_URL_MALFORMAT: return TransferEnd::bad_url;
    case CURLE_OUT_OF_MEMORY: return TransferEnd::no_memory;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS: return TransferEnd::untrusted;
    default: return TransferEnd::no_answer;
  }
}

}  // namespace

struct Channel::Handles {
  CURLM* multi = nullptr;
  CURL* easy = nullptr;
  std::array<char, CURL_ERROR_SIZE> message{};

  Handles() {
    start_curl_once();
    multi = curl_multi_init();
    easy = curl_easy_init();
    if (multi == nullptr || easy == nullptr) {
      release();
      throw OutOfMemory("libcurl cannot open a channel; free memory and run the same command again");
    }
  }
  ~Handles() { release(); }
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;

 private:
  void release() noexcept {
    if (easy != nullptr) curl_easy_cleanup(easy);
    if (multi != nullptr) curl_multi_cleanup(multi);
  }
};

namespace {

void prepare(CURL* easy, const TransferRequest& request, const List& headers, Transfer& transfer, char* message) {
  set(easy, CURLOPT_ERRORBUFFER, message);
  set(easy, CURLOPT_URL, request.url.c_str());
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  set(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_OPTIONAL));
  set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  // A libcurl without HTTP/2 refuses the wish, and speaks HTTP/1.1.
  static_cast<void>(curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS)));
  const std::string agent = std::string("tuile/") + version();
  set(easy, CURLOPT_USERAGENT, agent.c_str());
  if (request.compressed) set(easy, CURLOPT_ACCEPT_ENCODING, "");  // all that libcurl can undo
  if (request.longest > Clock::duration::zero()) set(easy, CURLOPT_TIMEOUT_MS, milliseconds(request.longest));
  if (request.connect > Clock::duration::zero()) set(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request.connect));
  if (request.body != nullptr && !request.body->empty()) {
    set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body->size()));
    set(easy, CURLOPT_POSTFIELDS, request.body->data());
  }
  set(easy, CURLOPT_HTTPHEADER, headers.get());
  set(easy, CURLOPT_HEADERFUNCTION, &on_header);
  set(easy, CURLOPT_HEADERDATA, static_cast<void*>(&transfer));
  set(easy, CURLOPT_WRITEFUNCTION, &on_body);
  set(easy, CURLOPT_WRITEDATA, static_cast<void*>(&transfer));
}

/// The easy handle among those that the multi handle drives, until the end of the scope.
class Attached {
 public:
  Attached(CURLM* multi, CURL* easy) : multi_(multi), easy_(easy) {
    if (curl_multi_add_handle(multi, easy) != CURLM_OK) throw OutOfMemory("libcurl cannot start a transfer; free memory");
  }
  ~Attached() { curl_multi_remove_handle(multi_, easy_); }
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;

 private:
  CURLM* multi_;
  CURL* easy_;
};

}  // namespace

Channel::Channel() : handles_(std::make_unique<Handles>()) {}
Channel::~Channel() = default;

TransferResult Channel::run(const TransferRequest& request, const BodyReader& reader, const std::stop_token& stop) {
  throw_if_stopped(stop, stopped_while);
  CURL* const easy = handles_->easy;
  CURLM* const multi = handles_->multi;
  curl_easy_reset(easy);  // keeps the connections
  handles_->message[0] = '\0';
  List headers;
  for (const std::string& line : request.headers) append(headers, line);
  if (request.body != nullptr && !request.body->empty()) {
    append(headers, "Content-Type: " + request.body_type);
    append(headers, "Expect:");  // no round trip before the body
  }
  Transfer transfer{easy, reader};
  prepare(easy, request, headers, transfer, handles_->message.data());

  CURLcode code = CURLE_OK;
  bool stalled = false;
  {
    const Attached attached(multi, easy);
    const std::stop_callback wake(stop, [multi] { curl_multi_wakeup(multi); });
    int running = 1;
    while (true) {
      if (const CURLMcode failed = curl_multi_perform(multi, &running); failed != CURLM_OK) throw IoError(curl_multi_strerror(failed));
      if (running == 0) break;
      if (stop.stop_requested()) {
#if LIBCURL_VERSION_NUM >= 0x075700
        curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // does not wait for a name server
#endif
        throw_if_stopped(stop, stopped_while);
      }
      stalled = request.stall > Clock::duration::zero() && Clock::now() - transfer.last_byte > request.stall;
      if (stalled) break;
      curl_multi_poll(multi, nullptr, 0, 100, nullptr);
    }
    int left = 0;
    while (const CURLMsg* const message = curl_multi_info_read(multi, &left)) {
      if (message->msg == CURLMSG_DONE) code = message->data.result;
    }
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    transfer.head.status = static_cast<int>(status);
  }
  if (transfer.thrown) std::rethrow_exception(transfer.thrown);
  TransferResult result{end_of(code), std::move(transfer.head), {}};
  if (transfer.left) {
    result.end = TransferEnd::left;
  } else if (stalled) {
    result.end = TransferEnd::no_answer;
    result.problem = "not a byte came for " + std::to_string(milliseconds(request.stall)) + " ms";
  } else if (code != CURLE_OK) {
    result.problem = handles_->message[0] != '\0' ? handles_->message.data() : curl_easy_strerror(code);
  }
  return result;
}

ChannelPool::Lease::Lease(ChannelPool& pool) : pool_(pool) {
  {
    const MutexLock lock(pool_.mutex_);
    if (!pool_.idle_.empty()) {
      channel_ = std::move(pool_.idle_.back());
      pool_.idle_.pop_back();
    }
  }
  if (!channel_) channel_ = std::make_unique<Channel>();
}

ChannelPool::Lease::~Lease() {
  const MutexLock lock(pool_.mutex_);
  pool_.idle_.push_back(std::move(channel_));
}

}  // namespace tuile::source
