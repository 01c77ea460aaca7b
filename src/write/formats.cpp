#include "write/formats.hpp"

#include <algorithm>
#include <array>

#include "tuile/core/error.hpp"
#include "write/laz/laz_format.hpp"
#include "write/npz/npz_format.hpp"

namespace tuile::write {

namespace {

constexpr std::array<Format, 2> formats{{
    {"npz", make_npz, check_npz},
    {"laz", make_laz, check_laz},
}};

}  // namespace

const Format& format_of(const OutputFormat& format) {
  const auto at = std::find_if(formats.begin(), formats.end(), [&](const Format& row) { return row.name == format.name; });
  if (at == formats.end()) throw Unsupported("the format " + std::string(format.name) + " has no row in write/formats.cpp");
  return *at;
}

const OutputFormat* format_of_path(const std::filesystem::path& path) {
  const std::string extension = path.extension().string();
  const auto known = output_formats();
  const auto at = std::find_if(known.begin(), known.end(), [&](const OutputFormat& format) { return format.extension == extension; });
  return at == known.end() ? nullptr : &*at;
}

}  // namespace tuile::write
