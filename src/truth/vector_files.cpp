#include "truth/vector_files.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <optional>

#include "gdal_vector.hpp"
#include "tuile/core/file/descriptor.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::truth {

namespace {

namespace fs = std::filesystem;
using ogr::Envelope;
using ogr::Reader;

constexpr std::size_t idle_readers = 8;  // of one file: more threads than that read one file at once only in tests

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

/// The name of a layer without what services and exports put before it: "BDTOPO_V3:batiment", "BDTOPO_V3_batiment" and "BATIMENT" are one.
std::string plain_name(const std::string& name) {
  std::string plain = lower(name);
  if (const std::size_t colon = plain.rfind(':'); colon != std::string::npos) plain.erase(0, colon + 1);
  constexpr std::string_view prefix = "bdtopo_v3_";
  if (plain.starts_with(prefix)) plain.erase(0, prefix.size());
  return plain;
}

/// Without the number that fetching tools put behind it: "batiment_-3396667416691710227" is "batiment".
std::string without_number(const std::string& plain) {
  const std::size_t digits = plain.find_last_not_of("0123456789");
  if (digits == std::string::npos || plain.size() - digits < 7) return plain;
  const std::size_t end = plain[digits] == '-' && digits > 0 ? digits - 1 : digits;
  return plain[end] == '_' ? plain.substr(0, end) : plain;
}

std::string text_of(const Bounds& box) {
  return fmt::format("[{:.2f}, {:.2f}] to [{:.2f}, {:.2f}]", box.min_x, box.min_y, box.max_x, box.max_y);
}

bool inside(const Bounds& box, const Bounds& outer) {
  return box.min_x >= outer.min_x && box.max_x <= outer.max_x && box.min_y >= outer.min_y && box.max_y <= outer.max_y;
}

/// One file and the open handles on it that nobody uses at the moment: a handle is for one thread at a time, and opening can be dear.
class File {
 public:
  explicit File(std::string path) : path_(std::move(path)) {}
  const std::string& path() const noexcept { return path_; }

  /// Runs `use(reader)` with a handle of its own. One that threw is not used again.
  template <class Use>
  auto with(const Use& use) {
    std::unique_ptr<Reader> reader = take();
    auto result = use(*reader);
    give_back(std::move(reader));
    return result;
  }

 private:
  std::unique_ptr<Reader> take() {
    {
      const MutexLock lock(mutex_);
      if (!idle_.empty()) {
        std::unique_ptr<Reader> reader = std::move(idle_.back());
        idle_.pop_back();
        return reader;
      }
    }
    return std::make_unique<Reader>(path_);
  }

  void give_back(std::unique_ptr<Reader> reader) {
    const MutexLock lock(mutex_);
    if (idle_.size() < idle_readers) idle_.push_back(std::move(reader));
  }

  std::string path_;
  Mutex mutex_;
  std::vector<std::unique_ptr<Reader>> idle_ GUARDED_BY(mutex_);
};

/// A layer of one of the files.
struct FileLayer {
  std::shared_ptr<File> file;
  std::size_t index = 0;           ///< in the file
  std::string name;                ///< as messages show it
  std::vector<std::string> names;  ///< plain; the one that counts most first

  /// The boxes of all features, read through once where the file has no index of its own.
  Mutex mutex;
  StoppableCondition read;
  bool reading GUARDED_BY(mutex) = false;
  std::shared_ptr<const std::vector<Envelope>> envelopes GUARDED_BY(mutex);

  std::shared_ptr<const std::vector<Envelope>> get_envelopes(Reader& reader, const std::stop_token& stop) {
    MutexLock lock(mutex);
    if (!read.wait(lock, stop, [&]() REQUIRES(mutex) { return !reading; }))
      throw Cancelled("waiting for " + file->path() + " was cancelled");
    if (envelopes) return envelopes;
    reading = true;
    lock.unlock();
    std::shared_ptr<const std::vector<Envelope>> made;
    try {
      made = std::make_shared<const std::vector<Envelope>>(reader.envelopes(index, stop));
    } catch (...) {
      lock.lock();
      reading = false;
      read.notify_all();
      throw;
    }
    lock.lock();
    reading = false;
    envelopes = made;
    read.notify_all();
    return made;
  }
};

class VectorFiles : public FeatureSource {
 public:
  explicit VectorFiles(const std::string& path) : path_(path) {
    std::error_code error;
    const fs::path absolute = fs::weakly_canonical(path, error);
    identity_ = "file:" + (error ? path : absolute.string());
    name_ = absolute.filename().string();
    struct stat status {};
    if (::stat(checked_path(path).c_str(), &status) != 0) throw_errno(errno, "open", path);
    if (S_ISDIR(status.st_mode)) {
      open_folder();
    } else {
      open_file(path);
    }
    if (layers_.empty())
      throw ConfigError(path +
                        " holds no vector layer; a file with layers, or a folder of <layer>.gpkg, .fgb, .geojson or .shp, is expected");
  }

  std::string name() const override { return name_; }
  std::string identity() const override { return identity_; }
  std::string edition(std::stop_token) override { return {}; }
  bool is_remote() const override { return false; }

  FetchResult fetch(const std::string& name, const Bounds& box, int epsg, std::stop_token stop) override {
    FetchResult result;
    try {
      FileLayer* layer = find(name, result);
      if (layer == nullptr) return result;
      const Bounds covered = extent(epsg, stop);
      if (!inside(box, covered)) {
        result.kind = ErrorKind::not_found;
        result.reason =
            covered.empty()
                ? fmt::format("{} holds no features", name_)
                : fmt::format(
                      "the box {} is not inside what {} covers, {} (EPSG:{}), so nothing is known of the rest; give data that cover it",
                      text_of(box), name_, text_of(covered), epsg);
        return result;
      }
      read(*layer, box, epsg, stop, result);
      // The index knows of objects here that cannot be read: what is missing must not look as if nothing stood there.
      if (result.invalid > 0)
        throw CorruptData(
            fmt::format("{} objects of layer {} in the box cannot be read or reprojected; repair {} (ogr2ogr copies what is sound)",
                        result.invalid, name, name_));
      result.outcome = result.features.empty() ? Outcome::confirmed_empty : Outcome::data;
    } catch (const std::bad_alloc&) {
      throw OutOfMemory("no memory for layer " + name + " of " + name_);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::cancelled || error.kind() == ErrorKind::out_of_memory) throw;
      result = {};
      result.reason = error.what();
      result.kind = error.kind();
    }
    return result;
  }

 private:
  void open_folder() {
    constexpr std::string_view extensions[] = {".gpkg", ".fgb", ".geojson", ".json", ".shp"};
    std::vector<std::string> files;
    std::error_code error;
    for (fs::directory_iterator entry(path_, error), end; !error && entry != end; entry.increment(error)) {
      const std::string extension = lower(entry->path().extension().string());
      if (std::find(std::begin(extensions), std::end(extensions), extension) != std::end(extensions))
        files.push_back(entry->path().string());
    }
    if (error) throw_errno(error.value(), "list", path_);
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) {
      try {
        open_file(file);
      } catch (const Error& refused) {
        // A folder may hold other JSON; a layer that is asked for and cannot be opened is told to whoever asks.
        identify(file);
        refused_.emplace(plain_name(fs::path(file).stem().string()), refused.what());
      }
    }
    if (layers_.empty() && !refused_.empty()) throw ConfigError(refused_.begin()->second);
  }

  void open_file(const std::string& path) {
    const auto file = std::make_shared<File>(path);
    const std::string stem = fs::path(path).stem().string();
    file->with([&](Reader& reader) {
      const std::vector<std::string> own = reader.layers();
      for (std::size_t i = 0; i < own.size(); ++i) {
        auto layer = std::make_unique<FileLayer>();
        layer->file = file;
        layer->index = i;
        layer->name = reader.holds_many() ? own[i] : stem;
        layer->names.push_back(plain_name(layer->name));
        if (own.size() == 1) layer->names.push_back(plain_name(reader.holds_many() ? stem : own[i]));
        layers_.push_back(std::move(layer));
      }
      return true;
    });
    identify(path);
  }

  /// A Shapefile's attributes and CRS lie in files beside it.
  void identify(const std::string& path) {
    std::vector<fs::path> parts{path};
    if (lower(fs::path(path).extension().string()) == ".shp") {
      for (const char* extension : {".dbf", ".DBF", ".prj", ".PRJ"}) parts.push_back(fs::path(path).replace_extension(extension));
    }
    for (const fs::path& part : parts) {
      struct stat status {};
      if (::stat(part.c_str(), &status) != 0) continue;
      identity_ += fmt::format("|{}:{}:{}.{:09}", part.filename().string(), status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    }
  }

  /// The layer of that name; null with the reason where there is none, or more than one.
  FileLayer* find(const std::string& name, FetchResult& result) const {
    const std::string plain = plain_name(name);
    result.kind = ErrorKind::not_found;
    // A layer's main name first, then the other name of a file's only layer, then names with a number behind.
    for (int rank = 0; rank < 3; ++rank) {
      std::vector<FileLayer*> found;
      for (const auto& layer : layers_) {
        const bool matches = rank == 0   ? layer->names[0] == plain
                             : rank == 1 ? layer->names.back() == plain
                                         : without_number(layer->names[0]) == plain;
        if (matches) found.push_back(layer.get());
      }
      if (found.size() == 1) return found[0];
      if (found.size() > 1) {
        result.kind = ErrorKind::config;
        result.reason =
            fmt::format("layer {} is in {} more than once ({} and {}); leave one", name, name_, label(*found[0]), label(*found[1]));
        return nullptr;
      }
      if (const auto refused = refused_.find(plain); refused != refused_.end() && rank == 0) {
        result.kind = ErrorKind::corrupt;
        result.reason = refused->second;
        return nullptr;
      }
    }
    std::string known;
    for (const auto& layer : layers_) known += (known.empty() ? "" : ", ") + layer->name;
    result.reason = fmt::format("layer {} is not in {}; it has {}", name, name_, known);
    return nullptr;
  }

  static std::string label(const FileLayer& layer) { return fs::path(layer.file->path()).filename().string() + " " + layer.name; }

  /// What the data cover: the box around all layers together. One layer alone would not do, since sparse ones (cemeteries) leave most tiles
  /// of the region outside their own box, where their absence is known all the same.
  Bounds extent(int epsg, const std::stop_token& stop) {
    const MutexLock lock(extent_mutex_);
    const auto known = extents_.find(epsg);
    if (known != extents_.end()) return known->second;
    Bounds all;
    std::optional<Error> problem;
    for (const auto& layer : layers_) {
      if (stop.stop_requested()) throw Cancelled("reading " + name_ + " was cancelled");
      try {
        const Bounds own = layer->file->with([&](Reader& reader) { return reader.extent(layer->index, epsg); });
        if (own.empty()) continue;
        all = {std::min(all.min_x, own.min_x), std::min(all.min_y, own.min_y), std::max(all.max_x, own.max_x),
               std::max(all.max_y, own.max_y)};
      } catch (const Error& error) {
        // A damaged layer says nothing of what the others cover; who asks for that one is told when it is read.
        if (!problem) problem = error;
      }
    }
    if (all.empty() && problem) throw_error(problem->kind(), problem->what());
    extents_.emplace(epsg, all);
    return all;
  }

  static void read(FileLayer& layer, const Bounds& box, int epsg, const std::stop_token& stop, FetchResult& result) {
    result.features = layer.file->with([&](Reader& reader) {
      if (reader.has_index(layer.index)) return reader.features_by_box(layer.index, box, epsg, stop, result.invalid);
      const Bounds own = reader.in_layer(layer.index, box, epsg);
      std::vector<std::int64_t> fids;
      for (const Envelope& envelope : *layer.get_envelopes(reader, stop)) {
        if (envelope.touches(own)) fids.push_back(envelope.fid);
      }
      std::sort(fids.begin(), fids.end());
      return reader.features_by_fid(layer.index, fids, box, epsg, stop, result.invalid);
    });
    std::stable_sort(result.features.begin(), result.features.end(), [](const Feature& a, const Feature& b) { return a.id < b.id; });
    make_unique_ids(result.features);
  }

  /// The same object twice (files joined along a border) counts once. Different places under one name are different objects, or one would
  /// be lost: the second becomes "name#2". `features` come by id.
  static void make_unique_ids(std::vector<Feature>& features) {
    std::vector<Feature> kept;
    kept.reserve(features.size());
    std::string name;
    std::size_t first = 0;  // of those with that name, in `kept`
    for (Feature& feature : features) {
      if (kept.empty() || feature.id != name) {
        name = feature.id;
        first = kept.size();
      } else {
        const auto same_place = [&](const Feature& other) { return other.geometry == feature.geometry; };
        if (std::any_of(kept.begin() + static_cast<std::ptrdiff_t>(first), kept.end(), same_place)) continue;
        feature.id += "#" + std::to_string(kept.size() - first + 1);
      }
      kept.push_back(std::move(feature));
    }
    std::sort(kept.begin(), kept.end(), [](const Feature& a, const Feature& b) { return a.id < b.id; });
    features = std::move(kept);
  }

  std::string path_, name_, identity_;
  std::vector<std::unique_ptr<FileLayer>> layers_;
  std::map<std::string, std::string> refused_;  ///< files of a folder that could not be opened: plain name and why
  Mutex extent_mutex_;
  std::map<int, Bounds> extents_ GUARDED_BY(extent_mutex_);  ///< by EPSG code
};

}  // namespace

std::unique_ptr<FeatureSource> open_vector_files(const std::string& path) { return std::make_unique<VectorFiles>(path); }

}  // namespace tuile::truth
