#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <new>
#include <optional>
#include <string_view>

#include "truth/feature_codec.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/file/atomic_file.hpp"
#include "tuile/core/file/temporaries.hpp"
#include "tuile/core/mutex.hpp"
#include "tuile/truth/store.hpp"

namespace tuile::truth {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view entry_end = ".tuile-truth";
constexpr std::size_t hash_digits = 32;
constexpr std::chrono::hours temporary_life{1};      ///< an unfinished file older than this has lost its writer
constexpr std::int64_t largest_clock_error = 86400;  ///< seconds that an entry may come from the future
constexpr double seconds_per_day = 86400;

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_entry(std::string_view name) {
  return name.size() == hash_digits + entry_end.size() && is_hex(name.substr(0, hash_digits)) && name.substr(hash_digits) == entry_end;
}

std::string hash_of(const std::string& key) {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(key.data(), key.size(), entry_version);
  char digits[hash_digits + 1];
  std::snprintf(digits, sizeof digits, "%016llx%016llx", static_cast<unsigned long long>(hash.high64),
                static_cast<unsigned long long>(hash.low64));
  return digits;
}

std::int64_t now_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// The finest clock there is, where the kernel's own time stamps are milliseconds coarse: the order of use shows in it.
timespec now_stamp() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now;
}

bool is_older(const timespec& a, const timespec& b) { return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec; }

struct FoundEntry {
  std::string path;
  std::uint64_t size = 0;
  timespec used{};
};

/// All bytes of a file; nothing where there is none. Throws IoError and its like.
std::optional<std::string> read_file(const std::string& path, std::uint64_t limit) {
  const Descriptor file = open_descriptor(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!file) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw_errno(errno, "open", path);
  }
  struct stat about {};
  if (::fstat(file.get(), &about) != 0) throw_errno(errno, "stat", path);
  if (!S_ISREG(about.st_mode) || static_cast<std::uint64_t>(about.st_size) > limit) throw CorruptData(path + " is no entry of this cache");
  std::string bytes(static_cast<std::size_t>(about.st_size), '\0');
  if (read_some(file.get(), 0, std::as_writable_bytes(std::span(bytes)), path) != bytes.size())
    throw CorruptData(path + " ends before its size");
  return bytes;
}

/// Writes a new entry, with the time of its last use.
void write_entry(AtomicFile& file, std::string_view bytes) {
  file.append(bytes_of(bytes));
  const timespec times[2] = {now_stamp(), now_stamp()};
  if (::futimens(file.descriptor(), times) != 0) throw_errno(errno, "write", file.path().string());
}

}  // namespace

struct DiskCache::Impl {
  explicit Impl(Options chosen) : options(std::move(chosen)) {}

  // Constant after construction.
  const Options options;

  // Held while entries appear, leave or are listed, so that this process counts them rightly.
  Mutex files_mutex;
  std::uint64_t written_since_listing GUARDED_BY(files_mutex) = 0;

  mutable Mutex counts_mutex ACQUIRED_AFTER(files_mutex);
  CacheStatistics counts GUARDED_BY(counts_mutex);
  std::string problem GUARDED_BY(counts_mutex);

  void note(const std::string& text) {
    const MutexLock lock(counts_mutex);
    if (problem.empty()) problem = text;
  }

  std::string folder_of(const std::string& hash) const { return (fs::path(options.folder) / hash.substr(0, 2)).string(); }
  std::string path_of(const std::string& hash) const { return (fs::path(folder_of(hash)) / (hash + std::string(entry_end))).string(); }

  /// Where entries lie: two levels down.
  template <class Visit>
  void for_each_folder(Visit visit) const {
    std::error_code error;
    for (fs::directory_iterator folder(options.folder, error), end; !error && folder != end; folder.increment(error)) {
      const std::string name = folder->path().filename().string();
      if (name.size() == 2 && is_hex(name)) visit(folder->path());
    }
  }

  /// Calls visit(path, name, stat) for the regular files two levels down, where entries lie. What vanishes meanwhile is left out.
  template <class Visit>
  void for_each_file(Visit visit) const {
    for_each_folder([&](const fs::path& folder) {
      std::error_code error;
      for (fs::directory_iterator file(folder, error), last; !error && file != last; file.increment(error)) {
        struct stat about {};
        if (::lstat(file->path().c_str(), &about) == 0 && S_ISREG(about.st_mode))
          visit(file->path().string(), file->path().filename().string(), about);
      }
    });
  }

  std::vector<FoundEntry> list() const {
    std::vector<FoundEntry> found;
    for_each_file([&](const std::string& path, const std::string& name, const struct stat& about) {
      if (is_entry(name)) found.push_back({path, static_cast<std::uint64_t>(about.st_size), about.st_mtim});
    });
    return found;
  }

  /// Removes an entry that is of no use any more.
  void discard(const std::string& path, std::uint64_t size) {
    const MutexLock files(files_mutex);
    if (::unlink(path.c_str()) == 0) count_gone(size, false);
  }

  void count_gone(std::uint64_t size, bool evicted) {
    const MutexLock lock(counts_mutex);
    counts.bytes -= std::min<std::size_t>(counts.bytes, size);
    counts.entries -= std::min<std::size_t>(counts.entries, 1);
    if (evicted) ++counts.evictions;
  }

  /// Lists the folder anew where it may hold more than the limit: by what is known, or because much has been written since (other processes
  /// write as well). The least recently used leave until a tenth of the limit is free, so that the next entries need no listing.
  void keep_limit(const std::string& newest) REQUIRES(files_mutex) {
    {
      const MutexLock lock(counts_mutex);
      if (counts.bytes <= options.limit && written_since_listing <= options.limit / 8) return;
    }
    std::vector<FoundEntry> found = list();
    std::uint64_t total = 0;
    for (const FoundEntry& entry : found) total += entry.size;
    {
      const MutexLock lock(counts_mutex);
      counts.bytes = total;
      counts.entries = found.size();
    }
    written_since_listing = 0;
    if (total <= options.limit) return;
    std::sort(found.begin(), found.end(), [](const FoundEntry& a, const FoundEntry& b) {
      return is_older(a.used, b.used) || (!is_older(b.used, a.used) && a.path < b.path);
    });
    for (const FoundEntry& entry : found) {
      if (total <= options.limit - options.limit / 10) break;
      if (entry.path == newest) continue;
      // Whoever removed it, it is gone.
      total -= entry.size;
      count_gone(entry.size, ::unlink(entry.path.c_str()) == 0);
    }
  }

  std::optional<CacheEntry> read(const std::string& key) {
    const std::string path = path_of(hash_of(key));
    std::optional<std::string> bytes;
    try {
      bytes = read_file(path, options.limit);
      if (!bytes) return std::nullopt;
      CacheEntry entry = decode_entry(*bytes, key);
      const std::int64_t age = now_seconds() - entry.written;
      if (age > -largest_clock_error && static_cast<double>(age) <= options.max_age_days * seconds_per_day) {
        const timespec times[2] = {now_stamp(), now_stamp()};
        ::utimensat(AT_FDCWD, path.c_str(), times, 0);
        return entry;
      }
    } catch (const CorruptData&) {
    } catch (const Error& error) {
      note(std::string(error.what()) + "; cached ground truth is fetched anew");
      return std::nullopt;
    }
    discard(path, bytes ? bytes->size() : 0);
    return std::nullopt;
  }

  void write(const std::string& key, const FetchResult& result) {
    const std::string bytes = encode_entry(key, now_seconds(), result);
    if (bytes.size() > options.limit) return;
    const std::string hash = hash_of(key), path = path_of(hash);
    AtomicFile file(path);
    write_entry(file, bytes);

    const MutexLock files(files_mutex);
    struct stat before {};
    const bool replaces = ::lstat(path.c_str(), &before) == 0;
    file.publish(Durability::process);  // what a crash spoils is found out when it is read
    if (replaces) count_gone(static_cast<std::uint64_t>(before.st_size), false);
    {
      const MutexLock lock(counts_mutex);
      counts.bytes += bytes.size();
      ++counts.entries;
    }
    written_since_listing += bytes.size();
    keep_limit(path);
  }
};

DiskCache::DiskCache(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {
  if (impl_->options.folder.empty())
    throw InvalidArgument("the folder of the ground-truth cache is empty; name a folder, or use no disk cache");
  checked_path(impl_->options.folder);
  impl_->for_each_folder([](const fs::path& folder) {
    try {
      remove_stale_temporaries(folder, temporary_life);
    } catch (const Error&) {  // a folder that cannot be listed costs nothing but its room
    }
  });
  const MutexLock lock(impl_->counts_mutex);
  for (const FoundEntry& entry : impl_->list()) {
    impl_->counts.bytes += entry.size;
    ++impl_->counts.entries;
  }
}

DiskCache::~DiskCache() = default;

bool DiskCache::get(const std::string& key, FetchResult& result) {
  std::optional<CacheEntry> entry;
  try {
    entry = impl_->read(key);
  } catch (const std::exception& error) {  // no memory for it, say
    impl_->note(std::string("cannot read cached ground truth in ") + impl_->options.folder + ": " + error.what());
  }
  const MutexLock lock(impl_->counts_mutex);
  ++(entry ? impl_->counts.hits : impl_->counts.misses);
  if (entry) result = std::move(entry->result);
  return entry.has_value();
}

void DiskCache::put(const std::string& key, const FetchResult& result) {
  if (!is_sound(result.outcome)) return;
  try {
    impl_->write(key, result);
  } catch (const std::exception& error) {
    impl_->note(std::string("cannot cache ground truth in ") + impl_->options.folder + ": " + error.what() +
                "; it is fetched again next time: free space, or choose another folder (ground_truth.cache.disk)");
  }
}

CacheStatistics DiskCache::statistics() const {
  const MutexLock lock(impl_->counts_mutex);
  return impl_->counts;
}

std::string DiskCache::problem() const {
  const MutexLock lock(impl_->counts_mutex);
  return impl_->problem;
}

}  // namespace tuile::truth
