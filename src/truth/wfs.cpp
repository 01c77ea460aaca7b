#include "truth/wfs.hpp"

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "truth/wfs_capabilities.hpp"
#include "truth/wfs_layer.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::truth {

namespace {

/// Editions that services told this process, by URL and prefix. Each is asked for once: whatever number of sources and threads wants it,
/// all use the same cache keys to the end.
class EditionTable {
 public:
  /// ask() returns nothing where the service does not answer: then the next one asks anew. Throws Cancelled, and what ask() throws.
  template <class Ask>
  std::optional<std::string> get(const std::string& key, Ask&& ask, const std::stop_token& stop) {
    {
      MutexLock lock(mutex_);
      if (!changed_.wait(lock, stop, [&]() REQUIRES(mutex_) { return !asking_.contains(key); }))
        throw Cancelled("the edition of the data was not waited for");
      if (const auto found = editions_.find(key); found != editions_.end()) return found->second;
      asking_.insert(key);
    }
    std::optional<std::string> edition;
    try {
      edition = ask();
    } catch (...) {
      answered(key, std::nullopt);
      throw;
    }
    answered(key, edition);
    return edition;
  }

 private:
  void answered(const std::string& key, const std::optional<std::string>& edition) {
    {
      const MutexLock lock(mutex_);
      asking_.erase(key);
      if (edition) editions_.emplace(key, *edition);
    }
    changed_.notify_all();
  }

  Mutex mutex_;
  StoppableCondition changed_;
  std::set<std::string> asking_ GUARDED_BY(mutex_);
  std::map<std::string, std::string> editions_ GUARDED_BY(mutex_);
};

EditionTable& edition_table() {
  static EditionTable table;
  return table;
}

class Wfs final : public FeatureSource {
 public:
  Wfs(WfsOptions options, std::shared_ptr<source::HttpClient> client) : options_(std::move(options)), client_(std::move(client)) {
    if (!source::is_url(options_.url))
      throw ConfigError("ground_truth.wfs.url is '" + options_.url + "'; an http:// or https:// URL is expected");
    if (options_.page_size <= 0) {
      throw ConfigError("ground_truth.wfs.page_size is " + std::to_string(options_.page_size) + "; a number from 1 is expected");
    }
    if (client_ == nullptr) throw InvalidArgument("a WFS needs an HTTP client");
  }

  std::string name() const override { return "wfs"; }
  std::string identity() const override { return "wfs " + options_.url + " " + options_.prefix + " " + options_.sort_by; }
  bool is_remote() const override { return true; }

  std::string edition(std::stop_token stop) override {
    {
      const MutexLock lock(mutex_);
      if (edition_) return *edition_;
    }
    const auto ask = [&]() -> std::optional<std::string> {
      const std::string capabilities = fetch_capabilities(*client_, options_.url, options_.edition_folder, stop);
      if (capabilities.empty()) return std::nullopt;
      return edition_in_capabilities(capabilities, options_.prefix);
    };
    const std::optional<std::string> told = edition_table().get(options_.url + " " + options_.prefix, ask, stop);
    const MutexLock lock(mutex_);
    if (!edition_) edition_ = told.value_or("");
    return *edition_;
  }

  FetchResult fetch(const std::string& layer, const Bounds& box, int epsg, std::stop_token stop) override {
    const std::string full_name = layer.find(':') == layer.npos ? options_.prefix + layer : layer;
    return fetch_layer(*client_, options_, full_name, box, epsg, std::move(stop));
  }

 private:
  const WfsOptions options_;
  const std::shared_ptr<source::HttpClient> client_;
  Mutex mutex_;
  std::optional<std::string> edition_ GUARDED_BY(mutex_);  ///< once set it stays, so that keys do not change during a run
};

}  // namespace

std::unique_ptr<FeatureSource> make_wfs(WfsOptions options, std::shared_ptr<source::HttpClient> client) {
  return std::make_unique<Wfs>(std::move(options), std::move(client));
}

}  // namespace tuile::truth
