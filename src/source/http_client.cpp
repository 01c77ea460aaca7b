#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <utility>

#include "source/http_client_impl.hpp"
#include "source/http_url.hpp"

namespace tuile::source {
namespace {

constexpr int most_redirects = 5;

void check_range(bool good, const char* name, double value, const char* expected) {
  if (!good) throw InvalidArgument("HttpOptions::" + std::string(name) + " is " + std::to_string(value) + "; " + expected + " is expected");
}

HttpOptions checked(HttpOptions options) {
  const auto positive = [](double value) { return std::isfinite(value) && value > 0; };
  const auto not_negative = [](double value) { return std::isfinite(value) && value >= 0; };
  check_range(not_negative(options.requests_per_second), "requests_per_second", options.requests_per_second, "0 (no limit) or more");
  check_range(options.max_in_flight >= 1, "max_in_flight", options.max_in_flight, "1 or more");
  check_range(positive(options.timeout), "timeout", options.timeout, "a number of seconds above 0");
  check_range(positive(options.connect_timeout), "connect_timeout", options.connect_timeout, "a number of seconds above 0");
  check_range(options.retries >= 0, "retries", options.retries, "0 or more");
  check_range(not_negative(options.retry_delay), "retry_delay", options.retry_delay, "0 seconds or more");
  check_range(not_negative(options.longest_delay), "longest_delay", options.longest_delay, "0 seconds or more");
  check_range(options.breaker_failures >= 1, "breaker_failures", options.breaker_failures, "1 or more");
  check_range(not_negative(options.breaker_pause), "breaker_pause", options.breaker_pause, "0 seconds or more");
  check_range(options.largest_body >= 1, "largest_body", static_cast<double>(options.largest_body), "1 byte or more");
  return options;
}

/// The pause before the retry number `failed`, jitter included: clients that failed together must not come back together.
double retry_pause(const HttpOptions& options, int failed) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const double jitter = std::uniform_real_distribution<double>(1.0, 1.5)(random);
  return std::min(options.longest_delay, options.retry_delay * std::exp2(std::min(failed - 1, 30)) * jitter);
}

std::string two_digits(double seconds) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2f", seconds);
  return text;
}

}  // namespace

HttpClient::Impl::Impl(HttpOptions given)
    : options(checked(std::move(given))),
      rules{options.requests_per_second, options.longest_delay, options.breaker_failures,
            options.breaker_pause,       options.shared_folder, options.log},
      places(options.max_in_flight) {}

HttpAnswer HttpClient::Impl::send_once(const HttpCall& call, const BodyReader& reader, const std::stop_token& stop, bool redirected) {
  HostGate& gate = gate_of(origin_of(call.request.url));
  gate.refuse_if_open();
  const Places::Place place = places.take(stop);
  HostGate::Pass pass = gate.enter(rules, stop);
  if (!redirected) {
    requests += 1;
    if (call.retry) retries += 1;
  }
  const ChannelPool::Lease channel(channels);
  HttpAnswer answer;
  TransferResult result = channel->run(
      call.request,
      [&](const AnswerHead& head, std::span<const char> piece) {
        bytes += piece.size();
        return head.status / 100 == 2 ? reader(head, piece) : answer.page.add(piece);
      },
      stop);
  // The status of an error says more than that its page broke off.
  if (result.end == TransferEnd::no_answer && result.head.status >= 400) result.end = TransferEnd::left;
  if (result.end == TransferEnd::no_answer) pass.failed();
  if (result.end != TransferEnd::complete && result.end != TransferEnd::left) throw_no_answer(call.request.url, result);
  answer.head = std::move(result.head);
  const int status = answer.head.status;
  if (status >= 500) {
    pass.failed();
  } else {
    pass.answered();
  }
  if (status == 429) {
    throttled += 1;
    if (options.log) options.log(url_text(call.request.url) + " answered with status 429: too many requests");
  }
  if (status == 429 || status == 503) {
    if (const double seconds = retry_after_seconds(answer.head); seconds > 0) gate.close_for(seconds, rules, stop);
  }
  return answer;
}

HttpAnswer HttpClient::Impl::exchange(HttpCall call, const BodyReader& reader, const std::stop_token& stop) try {
  for (int redirects = 0; true; ++redirects) {
    HttpAnswer answer = send_once(call, reader, stop, redirects > 0);
    if (!is_redirect(answer.head.status)) return answer;
    if (redirects == most_redirects) {
      throw Unsupported(url_text(call.request.url) + " was reached after " + std::to_string(most_redirects) +
                        " redirects and redirects again; check the URL with a browser, and give the last one");
    }
    call.request.url = redirect_target(call.request.url, answer.head.location);
    if (answer.head.status == 303) call.request.body = nullptr;
  }
} catch (const BreakerOpen& open) {
  refused += 1;
  throw IoError("cannot get " + url_text(call.request.url) + ": " + open.what());
}

void HttpClient::Impl::prepare_retry(const std::string& url, int failed, int retries_allowed, const AttemptFailed& error,
                                     const std::stop_token& stop) {
  if (failed > retries_allowed) {
    throw IoError(located(error.what(), url_text(url)) + "; " + std::to_string(failed) + (failed == 1 ? " attempt" : " attempts") +
                  " failed, check the network and the service, then run the same command again");
  }
  const double pause = retry_pause(options, failed);
  if (options.log) {
    options.log("retry " + std::to_string(failed) + " of " + std::to_string(retries_allowed) + " in " + two_digits(pause) +
                " s or more: " + error.what());
  }
  wait_until(Clock::now() + from_seconds(pause), stop, "the next attempt");
}

HttpResponse HttpClient::Impl::fetch(const HttpRequest& request, const BodyCheck& check, const std::stop_token& stop) {
  static_cast<void>(origin_of(request.url));  // refused before anything is done
  const std::size_t limit = request.largest_body > 0 ? request.largest_body : options.largest_body;
  TransferRequest wire{.url = request.url, .body = &request.body, .body_type = request.body_type};
  wire.longest = from_seconds(options.timeout);
  wire.connect = from_seconds(options.connect_timeout);
  const int retries_allowed = request.retries < 0 ? options.retries : std::min(request.retries, options.retries);
  return with_retries(request.url, retries_allowed, stop, [&](bool retry) {
    HttpResponse response;
    bool too_large = false;
    const HttpAnswer answer = exchange(
        {wire, retry},
        [&](const AnswerHead& head, std::span<const char> piece) {
          too_large = piece.size() > limit - response.body.size() || head.length > static_cast<std::int64_t>(limit);
          if (!too_large) response.body.append(piece.data(), piece.size());
          return !too_large;
        },
        stop);
    if (too_large) {
      throw BodyTooLarge("the answer of " + url_text(request.url) + " is longer than the limit of " + std::to_string(limit) + " bytes" +
                         (answer.head.length > 0 ? " (" + std::to_string(answer.head.length) + " announced)" : "") +
                         "; ask for less at once, or raise the limit");
    }
    response.status = answer.head.status;
    if (response.status / 100 != 2) throw_status(request.url, response.status, answer.page);
    response.content_type = media_type(answer.head.content_type);
    if (check) {
      try {
        check(response);
      } catch (const Error& error) {
        if (error.can_pass()) throw AttemptFailed(error.what());
        throw;
      }
    }
    return response;
  });
}

HttpClient::HttpClient(HttpOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
HttpClient::~HttpClient() = default;

HttpResponse HttpClient::fetch(const HttpRequest& request, const BodyCheck& check, std::stop_token stop) try {
  return impl_->fetch(request, check, stop);
} catch (...) {
  impl_->failures += 1;
  throw;
}

std::uint64_t HttpClient::download(const std::string& url, const std::string& path,
                                   const std::function<void(std::uint64_t, std::uint64_t)>& progress, std::stop_token stop,
                                   const std::function<void()>& complete) try {
  return impl_->download(url, path, progress, stop, complete);
} catch (...) {
  impl_->failures += 1;
  throw;
}

ResourceStart HttpClient::begin_reading(const std::string& url, std::size_t wanted, std::stop_token stop) try {
  return impl_->begin_reading(url, wanted, stop);
} catch (...) {
  impl_->failures += 1;
  throw;
}

std::uint64_t HttpClient::read_range(const std::string& url, const ResourceVersion& version, std::uint64_t offset, std::span<std::byte> out,
                                     std::stop_token stop) try {
  return impl_->read_range(url, version, offset, out, stop);
} catch (...) {
  impl_->failures += 1;
  throw;
}

HttpStatistics HttpClient::statistics() const {
  return {impl_->requests, impl_->retries, impl_->failures, impl_->throttled, impl_->refused, impl_->bytes};
}

}  // namespace tuile::source
