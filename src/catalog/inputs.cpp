#include "tuile/catalog/inputs.hpp"

#include <glob.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <string_view>
#include <system_error>

#include "tuile/core/error.hpp"
#include "tuile/core/file/descriptor.hpp"
#include "tuile/source/store.hpp"

namespace fs = std::filesystem;

namespace tuile::catalog {

namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool is_tile_name(const fs::path& path) {
  const std::string extension = lower(path.extension().string());
  return extension == ".las" || extension == ".laz";
}

/// The last part of a URL's path, as it stands there.
std::string file_part(const std::string& url) {
  const std::string place = source::public_location(url);
  const std::size_t path = place.find('/', place.find("://") + 3);
  return path == std::string::npos ? std::string() : place.substr(place.rfind('/') + 1);
}

bool has_user(const std::string& url) {
  const std::size_t host = url.find("://") + 3;
  return std::string_view(url).substr(host, url.find_first_of("/?#", host) - host).find('@') != std::string_view::npos;
}

/// Undoes percent-encoding; text that is no file name once it is undone stays as it is.
std::string decoded_name(const std::string& text) {
  std::string name;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    const char* const digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() && std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      name += static_cast<char>(byte);
      i += 2;
    } else {
      name += text[i];
    }
  }
  const bool is_name = name != "." && name != ".." && name.find('/') == std::string::npos &&
                       std::none_of(name.begin(), name.end(), [](unsigned char c) { return std::iscntrl(c) != 0; });
  return is_name ? name : text;
}

class Expansion {
 public:
  explicit Expansion(const std::string& output)
      : output_(output.empty() ? fs::path() : fs::weakly_canonical(fs::absolute(checked_path(output)))) {}

  void add(const std::string& input, const fs::path& base, bool lists_allowed) {
    checked_path(input);
    if (source::is_url(input)) {
      add_url(input);
      return;
    }
    if (input.rfind('@', 0) == 0) {
      if (!lists_allowed) throw ConfigError("input '" + input + "': a list inside a list is not allowed; name the files themselves");
      add_list(resolve(input.substr(1), base));
      return;
    }
    const std::string path = resolve(input, base).string();
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (fs::exists(status)) {
      if (fs::is_directory(status) && !is_tile_name(path)) {
        add_directory(path);
      } else {
        add_file(path, tile_name(path));
      }
      return;
    }
    if (status.type() == fs::file_type::none && error) {
      add_file(path, tile_name(path));  // exists perhaps, cannot be looked at: reported with the tiles
      return;
    }
    if (path.find_first_of("*?[") != std::string::npos) {
      add_glob(path);
      return;
    }
    throw ConfigError("input '" + path + "' does not exist; give files, folders, globs, URLs or @list.txt");
  }

  std::vector<InputFile> take() {
    std::sort(files_.begin(), files_.end(), [](const InputFile& a, const InputFile& b) { return a.path < b.path; });
    return std::move(files_);
  }

 private:
  static fs::path resolve(const fs::path& path, const fs::path& base) { return path.is_absolute() || base.empty() ? path : base / path; }

  void add_file(const fs::path& path, std::string name) {
    std::error_code error;
    const fs::path canonical = fs::weakly_canonical(path, error);
    if (!seen_.insert((error ? path : canonical).string()).second) {
      ++repeats_;
      return;
    }
    files_.push_back({path.lexically_normal().string(), std::move(name)});
  }

  void add_url(const std::string& input) {
    const std::string url = input.substr(0, input.find('#'));
    const std::string shown = source::public_location(url);
    if (has_user(url)) {
      throw ConfigError("input '" + shown + "' was given with a user or a password, which would be in every message; write them into " +
                        "~/.netrc (machine HOST login USER password PASSWORD) and leave them out of the URL");
    }
    if (const std::string part = file_part(url); part.empty() || part == "." || part == "..")
      throw ConfigError("input '" + shown + "' names no file; give the URLs of the tiles, or a list of them (@list.txt)");
    if (seen_.insert(url).second) files_.push_back({url, tile_name(url)});
  }

  void add_directory(const fs::path& root) {
    const std::size_t before = files_.size() + repeats_;
    std::set<fs::path> entered;  // a linked folder may lead back up
    list(root, "", entered);
    if (files_.size() + repeats_ == before) throw ConfigError("input '" + root.string() + "' holds no .las or .laz file");
  }

  void list(const fs::path& folder, const fs::path& below, std::set<fs::path>& entered) {
    std::error_code error;
    const fs::path canonical = fs::weakly_canonical(folder, error);
    if (!entered.insert(error ? folder : canonical).second) return;
    fs::directory_iterator entries(folder, error);
    for (const fs::directory_iterator end; !error && entries != end; entries.increment(error)) {
      const fs::path& path = entries->path();
      if (path.filename().string().front() == '.') continue;
      std::error_code ignored;
      const bool is_folder = fs::is_directory(path, ignored);
      if (is_tile_name(path)) {
        add_file(path, (below / tile_name(path.string())).string());
      } else if (is_folder && !is_output(path)) {
        list(path, below / path.filename(), entered);
      }
    }
    if (error) add_file(folder, below.empty() ? folder.filename().string() : below.string());  // its error is found again when it is read
  }

  bool is_output(const fs::path& folder) const {
    std::error_code error;
    return !output_.empty() && fs::weakly_canonical(folder, error) == output_ && !error;
  }

  void add_list(const fs::path& list) {
    std::ifstream file(list);
    if (!file) throw ConfigError("cannot read the input list '" + list.string() + "'");
    for (std::string line; std::getline(file, line);) {
      if (line.rfind("\xEF\xBB\xBF", 0) == 0) line.erase(0, 3);  // a byte order mark
      line.erase(std::find(line.begin(), line.end(), '#'), line.end());
      while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back()))) line.pop_back();
      line.erase(line.begin(), std::find_if(line.begin(), line.end(), [](unsigned char c) { return !std::isspace(c); }));
      if (!line.empty()) add(line, list.parent_path(), false);
    }
  }

  void add_glob(const std::string& pattern) {
    glob_t matches{};
    const int status = ::glob(pattern.c_str(), GLOB_ERR, nullptr, &matches);
    std::vector<std::string> paths(matches.gl_pathv, matches.gl_pathv + matches.gl_pathc);
    ::globfree(&matches);
    if (status != 0 || paths.empty()) throw ConfigError("input '" + pattern + "' matches no file");
    for (const std::string& path : paths) add(path, {}, false);
  }

  const fs::path output_;
  std::vector<InputFile> files_;
  std::set<std::string> seen_;
  std::size_t repeats_ = 0;  ///< files that were there already
};

}  // namespace

std::string tile_name(const std::string& path) {
  std::string name = source::is_url(path) ? decoded_name(file_part(path)) : fs::path(path).filename().string();
  const auto drop = [&](const std::string& extension) {
    if (name.size() <= extension.size() || lower(name).compare(name.size() - extension.size(), extension.size(), extension) != 0)
      return false;
    name.resize(name.size() - extension.size());
    return true;
  };
  if (drop(".laz") || drop(".las")) drop(".copc");
  return name;
}

std::vector<InputFile> expand_inputs(const std::vector<std::string>& inputs, const std::string& output) {
  Expansion expansion(output);
  for (const std::string& input : inputs) expansion.add(input, {}, true);
  std::vector<InputFile> files = expansion.take();
  if (files.empty()) throw ConfigError("no input: give files, folders, globs, URLs or @list.txt");
  return files;
}

}  // namespace tuile::catalog
