#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string_view>

#include "source/http_client_impl.hpp"
#include "source/http_url.hpp"

namespace tuile::source {
namespace {

constexpr std::uint64_t most_dropped = std::uint64_t{1} << 30;  // bytes before a range that a server sends unasked

constexpr const char* as_it_is = "Accept-Encoding: identity";

std::string range_header(std::uint64_t first, std::uint64_t last) {
  return "Range: bytes=" + std::to_string(first) + "-" + std::to_string(last);
}

/// What services and proxies send in place of a file when something is wrong.
bool is_page(const AnswerHead& head) {
  constexpr std::array<std::string_view, 5> pages{"text/html", "application/xhtml+xml", "text/xml", "application/xml", "application/json"};
  const std::string type = media_type(head.content_type);
  return std::find(pages.begin(), pages.end(), type) != pages.end();
}

[[noreturn]] void throw_no_file(const std::string& url, const AnswerHead& head) {
  throw AttemptFailed(url_text(url) + " sent a page (" + media_type(head.content_type) + ") in place of a file");
}

[[noreturn]] void throw_odd_status(const std::string& url, int status) {
  throw Unsupported(url_text(url) + " answered with status " + std::to_string(status) + "; 200 or 206 is expected of a file");
}

/// Not retried: a part of another version fits nothing that was read before. The next run reads all of it again.
[[noreturn]] void throw_changed(const std::string& url, const std::string& what, const std::string& before, const std::string& now) {
  throw IoError(url_text(url) + " changed while it was read: its " + what + " was " + before + " and is " + now +
                " now; run the same command again");
}

/// Parts of a compressed file are no parts of the file.
void refuse_encoding(const std::string& url, const AnswerHead& head) {
  if (head.content_encoding.empty() || media_type(head.content_encoding) == "identity") return;
  throw Unsupported(
      url_text(url) + " is sent with the Content-Encoding '" + head.content_encoding +
      "' although the bytes as they are were asked for; have the server send the file as it is, or download it and give its path");
}

/// A file's server may refuse for reasons that pass (an expired token, a lock): a tile that fails so is tried again by the next run.
[[noreturn]] void throw_file_status(const std::string& url, int status, const Excerpt& page) {
  try {
    throw_status(url, status, page);
  } catch (const Unsupported& error) {
    if (status / 100 != 4) throw;
    throw IoError(error.what());
  }
}

/// The version that the first answer describes.
ResourceVersion version_of(const std::string& url, const AnswerHead& head) {
  refuse_encoding(url, head);
  ResourceVersion version{0, head.etag, head.last_modified, validator_of(head), head.status == 206};
  if (head.status == 206) {
    const std::optional<ContentRange> range = parse_content_range(head.content_range);
    if (!range || range->first != std::uint64_t{0}) {
      throw AttemptFailed(url_text(url) + " answered with the range '" + head.content_range + "' where the bytes from 0 were asked for");
    }
    if (!range->total)
      throw AttemptFailed(url_text(url) + " does not tell how long the file is (Content-Range " + head.content_range + ")");
    version.size = *range->total;
  } else if (head.status == 200) {
    if (is_page(head)) throw_no_file(url, head);
    if (head.length < 0) throw AttemptFailed(url_text(url) + " neither takes ranges nor tells how long the file is");
    if (head.length == 0 && head.etag.empty() && head.last_modified.empty()) throw AttemptFailed(url_text(url) + " sent an empty answer");
    version.size = static_cast<std::uint64_t>(head.length);
  } else {
    throw_odd_status(url, head.status);
  }
  return version;
}

/// For servers that send all of a file from its beginning.
void refuse_waste(const std::string& url, std::uint64_t offset) {
  if (offset <= most_dropped) return;
  throw Unsupported(url_text(url) + " ignores ranges, so that " + std::to_string(offset) +
                    " bytes would have to be received for nothing; download the file and give its path");
}

/// One attempt to fill a range.
class RangeAttempt {
 public:
  RangeAttempt(const std::string& url, const ResourceVersion& version, std::uint64_t offset, std::span<std::byte> out)
      : url_(url), version_(version), offset_(offset), out_(out) {}

  std::vector<std::string> headers() const {
    std::vector<std::string> lines{as_it_is};
    if (version_.ranges) lines.push_back(range_header(offset_, offset_ + out_.size() - 1));
    if (version_.ranges && !version_.validator.empty()) lines.push_back("If-Range: " + version_.validator);
    return lines;
  }

  /// False once nothing more is wanted.
  bool take(const AnswerHead& head, std::span<const char> piece) {
    start(head);
    received_ += piece.size();
    const auto dropped = static_cast<std::size_t>(std::min<std::uint64_t>(to_drop_, piece.size()));
    to_drop_ -= dropped;
    piece = piece.subspan(dropped);
    const std::size_t count = std::min(piece.size(), out_.size() - taken_);
    if (count > 0) std::memcpy(out_.data() + taken_, piece.data(), count);
    taken_ += count;
    const bool fits = !is_whole_ || offset_ + out_.size() == version_.size;  // else the end is not waited for
    return taken_ < out_.size() || (count == piece.size() && fits);
  }

  /// After the last byte. Throws where there should be more.
  void end(const HttpAnswer& answer) {
    const AnswerHead& head = answer.head;
    if (head.status == 416) {
      const std::optional<ContentRange> range = parse_content_range(head.content_range);
      if (range && range->total) check_size(*range->total);
      throw AttemptFailed(url_text(url_) + " says that it has no bytes from " + std::to_string(offset_) + " on");
    }
    if (head.status / 100 != 2) throw_file_status(url_, head.status, answer.page);
    start(head);
    if (taken_ < out_.size()) {
      throw AttemptFailed(url_text(url_) + " sent " + std::to_string(taken_) + " of the " + std::to_string(out_.size()) +
                          " bytes that were asked for");
    }
  }

  std::size_t taken() const noexcept { return taken_; }
  std::uint64_t received() const noexcept { return received_; }

 private:
  void start(const AnswerHead& head) {
    if (started_) return;
    refuse_encoding(url_, head);
    if (head.status == 206) {
      check_validators(head);
      const std::optional<ContentRange> range = parse_content_range(head.content_range);
      if (range && range->total) check_size(*range->total);
      if (!range || range->first != offset_) {
        throw AttemptFailed(url_text(url_) + " answered with the range '" + head.content_range + "' where the bytes from " +
                            std::to_string(offset_) + " were asked for");
      }
    } else if (head.status == 200) {
      start_whole(head);
    } else {
      throw_odd_status(url_, head.status);
    }
    started_ = true;
  }

  /// The server sends all of it: the file has changed (If-Range), or ranges are ignored.
  void start_whole(const AnswerHead& head) {
    if (is_page(head)) throw_no_file(url_, head);
    check_validators(head);
    if (head.length >= 0) check_size(static_cast<std::uint64_t>(head.length));
    refuse_waste(url_, offset_);
    is_whole_ = true;
    to_drop_ = offset_;
  }

  /// What the version was known by must be there and the same. A part sent for an If-Range need not name it: the server has compared.
  void check_validators(const AnswerHead& head) const {
    const bool vouched = head.status == 206 && !version_.validator.empty();
    const bool both_etags = !version_.etag.empty() && !head.etag.empty();
    if (both_etags && head.etag != version_.etag) throw_changed(url_, "ETag", version_.etag, head.etag);
    if (both_etags && head.etag.starts_with('"')) return;  // strong: a backend may differ in the date it gives to the same bytes
    const bool both_dates = !version_.last_modified.empty() && !head.last_modified.empty();
    if (both_dates && head.last_modified != version_.last_modified) throw_changed(url_, "date", version_.last_modified, head.last_modified);
    const bool is_named = !version_.etag.empty() || !version_.last_modified.empty();
    if (is_named && !vouched && ((!version_.etag.empty() && !both_etags) || (version_.etag.empty() && !both_dates))) {
      throw AttemptFailed(url_text(url_) + " sent something that it does not call a version of the file: its " +
                          (version_.etag.empty() ? "date " + version_.last_modified : "ETag " + version_.etag) + " is missing");
    }
  }

  void check_size(std::uint64_t size) const {
    if (size != version_.size) throw_changed(url_, "size", std::to_string(version_.size), std::to_string(size));
  }

  const std::string& url_;
  const ResourceVersion& version_;
  const std::uint64_t offset_;
  const std::span<std::byte> out_;
  std::size_t taken_ = 0;
  std::uint64_t received_ = 0, to_drop_ = 0;
  bool started_ = false, is_whole_ = false;
};

}  // namespace

ResourceStart HttpClient::Impl::begin_reading(const std::string& url, std::size_t wanted, const std::stop_token& stop) {
  static_cast<void>(origin_of(url));  // refused before anything is done
  TransferRequest wire = bytes_request(url);
  wire.headers = {as_it_is, range_header(0, std::max<std::size_t>(wanted, 1) - 1)};
  return with_retries(url, options.retries, stop, [&](bool retry) {
    std::optional<ResourceVersion> version;
    Buffer<std::byte> head_bytes;
    std::size_t taken = 0;
    const auto start = [&](const AnswerHead& head) {
      if (version) return;
      version = version_of(url, head);
      head_bytes = Buffer<std::byte>(static_cast<std::size_t>(std::min<std::uint64_t>(version->size, wanted)));
    };
    const HttpAnswer answer = exchange(
        {wire, retry},
        [&](const AnswerHead& head, std::span<const char> piece) {
          start(head);
          const std::size_t count = std::min(piece.size(), head_bytes.size() - taken);
          if (count > 0) std::memcpy(head_bytes.data() + taken, piece.data(), count);
          taken += count;
          const bool fits = version->ranges || version->size == head_bytes.size();  // else the end is not waited for
          return taken < head_bytes.size() || (count == piece.size() && fits);
        },
        stop);
    if (answer.head.status == 416) {
      // No byte satisfies a range of an empty file.
      const std::optional<ContentRange> range = parse_content_range(answer.head.content_range);
      if (range && range->total == std::uint64_t{0})
        return ResourceStart{{0, answer.head.etag, answer.head.last_modified, validator_of(answer.head), true}, {}};
    }
    if (answer.head.status / 100 != 2) throw_file_status(url, answer.head.status, answer.page);
    start(answer.head);
    if (taken < head_bytes.size()) {
      throw AttemptFailed(url_text(url) + " sent " + std::to_string(taken) + " of the " + std::to_string(head_bytes.size()) +
                          " bytes that were asked for");
    }
    return ResourceStart{std::move(*version), std::move(head_bytes)};
  });
}

std::uint64_t HttpClient::Impl::read_range(const std::string& url, const ResourceVersion& version, std::uint64_t offset,
                                           std::span<std::byte> out, const std::stop_token& stop) {
  static_cast<void>(origin_of(url));
  if (offset > version.size || out.size() > version.size - offset) {
    throw InvalidArgument("read_range: " + std::to_string(out.size()) + " bytes at " + std::to_string(offset) + " of " + url_text(url) +
                          ", which has " + std::to_string(version.size) + "; a range inside is expected");
  }
  if (out.empty()) return 0;
  if (!version.ranges) refuse_waste(url, offset);
  TransferRequest wire = bytes_request(url);
  std::uint64_t received = 0;
  std::size_t done = 0;
  with_retries(url, options.retries, stop, [&](bool retry) {
    RangeAttempt attempt(url, version, offset + done, out.subspan(done));
    wire.headers = attempt.headers();
    try {
      const HttpAnswer answer = exchange(
          {wire, retry}, [&](const AnswerHead& head, std::span<const char> piece) { return attempt.take(head, piece); }, stop);
      attempt.end(answer);
    } catch (const AttemptFailed& error) {
      received += attempt.received();
      done += attempt.taken();
      if (done == out.size()) return;
      throw AttemptFailed(error.what(), attempt.taken() > 0);
    }
    received += attempt.received();
  });
  return received;
}

}  // namespace tuile::source
