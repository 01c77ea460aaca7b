#include <optional>

#include "source/http_client_impl.hpp"
#include "source/http_partial_file.hpp"
#include "source/http_url.hpp"

namespace tuile::source {
namespace {

/// One attempt to bring the file to its end.
class DownloadAttempt {
 public:
  DownloadAttempt(const std::string& url, PartialFile& file, const std::function<void(std::uint64_t, std::uint64_t)>& progress)
      : url_(url), file_(file), progress_(progress), begin_(file.validator().empty() ? 0 : file.size()) {}

  std::vector<std::string> headers() const {
    if (begin_ == 0) return {};
    return {"Range: bytes=" + std::to_string(begin_) + "-", "If-Range: " + file_.validator()};
  }

  bool take(const AnswerHead& head, std::span<const char> piece) {
    start(head);
    file_.append(piece);
    if (progress_) progress_(file_.size(), total_);
    return true;
  }

  /// After the last byte. Throws where there should be more.
  void end(const HttpAnswer& answer);

 private:
  void start(const AnswerHead& head);
  [[noreturn]] void begin_anew(const std::string& why) {
    file_.restart({});
    throw AttemptFailed(url_text(url_) + ": " + why + "; beginning anew");
  }

  const std::string& url_;
  PartialFile& file_;
  const std::function<void(std::uint64_t, std::uint64_t)>& progress_;
  const std::uint64_t begin_;  // 0: the whole is asked for
  std::uint64_t total_ = 0;    // 0: unknown
  bool started_ = false;
};

void DownloadAttempt::start(const AnswerHead& head) {
  if (started_) return;
  if (head.status == 200) {
    file_.restart(validator_of(head));
    if (head.length > 0) total_ = static_cast<std::uint64_t>(head.length);
  } else if (head.status == 206) {
    const std::optional<ContentRange> range = parse_content_range(head.content_range);
    if (begin_ == 0 || !range || range->first != begin_) {
      begin_anew("answered with the range '" + head.content_range + "' where the bytes from " + std::to_string(begin_) + " were asked for");
    }
    if (head.etag.starts_with('"') && file_.validator().starts_with('"') && head.etag != file_.validator()) {
      begin_anew("sent a part of another version of the file");
    }
    total_ = range->total.value_or(0);
  } else {
    throw Unsupported(url_text(url_) + " answered with status " + std::to_string(head.status) + "; 200 or 206 is expected of a file");
  }
  started_ = true;
}

void DownloadAttempt::end(const HttpAnswer& answer) {
  const AnswerHead& head = answer.head;
  if (head.status == 416 && begin_ > 0) {
    const std::optional<ContentRange> range = parse_content_range(head.content_range);
    const bool same = !head.etag.starts_with('"') || head.etag == file_.validator();
    if (range && range->total == begin_ && same) return;  // all of it was there already
    begin_anew("has no bytes from " + std::to_string(begin_) + " on");
  }
  if (head.status / 100 != 2) throw_status(url_, head.status, answer.page);
  start(head);
  if (total_ > 0 && file_.size() > total_) begin_anew("sent more than the " + std::to_string(total_) + " bytes it announced");
  if (file_.size() < total_) {
    throw AttemptFailed(url_text(url_) + " sent " + std::to_string(file_.size()) + " of " + std::to_string(total_) + " bytes");
  }
}

}  // namespace

std::uint64_t HttpClient::Impl::download(const std::string& url, const std::string& path,
                                         const std::function<void(std::uint64_t, std::uint64_t)>& progress, const std::stop_token& stop,
                                         const std::function<void()>& complete) {
  static_cast<void>(origin_of(url));  // refused before a file is created
  throw_if_stopped(stop, "a download");
  PartialFile file(path, url);
  TransferRequest wire = bytes_request(url);
  std::uint64_t most = file.validator().empty() ? 0 : file.size();
  with_retries(url, options.retries, stop, [&](bool retry) {
    DownloadAttempt attempt(url, file, progress);
    wire.headers = attempt.headers();
    try {
      attempt.end(exchange(
          {wire, retry}, [&](const AnswerHead& head, std::span<const char> piece) { return attempt.take(head, piece); }, stop));
    } catch (const AttemptFailed& error) {
      // Only what the next attempt goes on from is progress.
      const bool progressed = !file.validator().empty() && file.size() > most;
      if (progressed) most = file.size();
      throw AttemptFailed(error.what(), progressed);
    }
  });
  const std::uint64_t size = file.size();
  file.finish();
  if (complete) complete();
  return size;
}

}  // namespace tuile::source
