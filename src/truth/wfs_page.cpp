#include "truth/wfs_page.hpp"

#include <functional>
#include <new>

#include "truth/exception_report.hpp"
#include "tuile/core/utf8.hpp"

namespace tuile::truth {

namespace {

/// The first characters of an answer, for messages.
std::string beginning(std::string_view body) {
  std::string out;
  for (const char c : body.substr(0, 60)) out.push_back(c >= ' ' && c <= '~' ? c : ' ');
  return "'" + out + (body.size() > 60 ? "…'" : "'");
}

/// Looks at answers until one is a page.
class PageCheck {
 public:
  PageCheck(const PageRequest& request, const std::string& id_attribute) : request_(request), id_attribute_(id_attribute) {}

  /// Throws IoError where another try may help.
  void operator()(const source::HttpResponse& response) {
    answer_ = {};
    const std::string_view body = response.body;
    const std::size_t start = body.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
    if (start == body.npos) throw IoError("the answer is empty; a FeatureCollection was expected");
    std::string damage;
    if (body[start] == '{') {
      try {
        answer_.page = parse_geojson(body, id_attribute_);
        answer_.status = PageAnswer::Status::page;
        if (is_utf8(body)) return;
        ++times_unclean_;
        damage = "it holds bytes that are no UTF-8; if every answer does, U+FFFD stands for them";
      } catch (const CorruptData& error) {
        damage = error.what();
      }
    }
    if (answer_.status == PageAnswer::Status::page) throw IoError("the answer may be damaged: " + damage);
    if (const auto report = read_exception_report(body)) refuse(*report);
    if (!damage.empty()) throw IoError("the answer is no whole FeatureCollection: " + damage);
    if (body[start] == '<' && body.substr(start, 500).find("FeatureCollection") != body.npos) {
      decided_ = true;
      throw Unsupported("the service answers in GML, not in GeoJSON (application/json); use a service that offers it, or a file");
    }
    throw IoError("the answer (" + (response.content_type.empty() ? "no content type" : response.content_type) + ", " +
                  std::to_string(body.size()) + " bytes) begins with " + beginning(body.substr(start)) + "; GeoJSON was expected");
  }

  PageAnswer& answer() { return answer_; }
  /// Whether what was thrown last was said by the service itself, in an answer of status 2xx.
  bool decided() const { return decided_; }
  /// Whether the page at hand, though not UTF-8, is what the service gives whenever it is asked.
  bool is_always_unclean() const { return answer_.status == PageAnswer::Status::page && times_unclean_ > 1; }

 private:
  [[noreturn]] void refuse(const ExceptionReport& report) {
    decided_ = true;
    if (request_.start >= 0 && report.is_unsortable()) {  // also of paging without a key, which needs an order
      answer_.status = PageAnswer::Status::unsortable;
      throw Unsupported("the service cannot sort by '" + request_.sort_by + "': " + report.message());
    }
    if (report.is_unknown_layer()) throw NotFound("the service does not know the layer '" + request_.layer + "': " + report.message());
    if (report.is_final()) throw Unsupported("the service refuses the request: " + report.message());
    decided_ = false;
    throw IoError("the service reports: " + report.message());
  }

  const PageRequest& request_;
  const std::string& id_attribute_;
  PageAnswer answer_;
  bool decided_ = false;
  int times_unclean_ = 0;
};

}  // namespace

PageAnswer get_page(source::HttpClient& client, const std::string& service, const PageRequest& request, const std::string& id_attribute,
                    std::stop_token stop) {
  PageCheck check(request, id_attribute);
  PageAnswer& answer = check.answer();
  try {
    client.fetch({.url = feature_url(service, request)}, std::ref(check), stop);
    return std::move(answer);
  } catch (const source::BodyTooLarge& error) {
    answer = {.status = PageAnswer::Status::too_large, .reason = error.what(), .kind = error.kind()};
  } catch (const InvalidArgument& error) {
    throw ConfigError(error.what());
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::cancelled || error.kind() == ErrorKind::out_of_memory) throw;
    if (check.is_always_unclean()) return std::move(answer);  // the data hold texts in another encoding
    const bool unsortable = answer.status == PageAnswer::Status::unsortable;
    const bool refused = !check.decided() && error.kind() == ErrorKind::unsupported;  // the client's word for 4xx
    answer = {.status = unsortable ? PageAnswer::Status::unsortable
                        : refused  ? PageAnswer::Status::refused
                                   : PageAnswer::Status::failed,
              .reason = error.what(),
              .kind = error.kind()};
  } catch (const std::bad_alloc&) {
    throw OutOfMemory("no memory for the features of '" + request.layer + "'; lower ground_truth.wfs.page_size");
  }
  return std::move(answer);
}

}  // namespace tuile::truth
