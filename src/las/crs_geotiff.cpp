#include <cmath>
#include <cstring>

#include "las/byte_reader.hpp"
#include "las/crs.hpp"
#include "tuile/core/error.hpp"

namespace tuile::las {

namespace {

constexpr std::uint16_t user_defined = 32767;

enum Key : std::uint16_t {
  model_type = 1024,
  citation = 1026,
  geographic_type = 2048,
  geographic_citation = 2049,
  projected_type = 3072,
  projected_citation = 3073,
  projected_linear_unit = 3076,
  projected_linear_unit_size = 3077,
  vertical_unit = 4099,
};

/// The keys of a directory; a value that lies in another record is looked up there.
class Keys {
 public:
  Keys(std::span<const std::byte> directory, std::span<const std::byte> doubles, std::span<const std::byte> ascii)
      : doubles_(doubles), ascii_(ascii) {
    ByteReader in(directory, "the GeoTIFF key directory");
    in.take(6);  // version and revision: 1, 1, 0 everywhere
    const auto count = in.get<std::uint16_t>();
    for (unsigned i = 0; i < count; ++i) {
      Entry entry{};
      entry.id = in.get<std::uint16_t>();
      entry.location = in.get<std::uint16_t>();
      entry.count = in.get<std::uint16_t>();
      entry.value = in.get<std::uint16_t>();
      entries_.push_back(entry);
    }
  }

  int integer(Key id) const {
    const Entry* entry = find(id);
    return entry != nullptr && entry->location == 0 ? entry->value : 0;
  }

  std::optional<double> real(Key id) const {
    const Entry* entry = find(id);
    if (entry == nullptr || entry->location != 34736) return std::nullopt;
    const std::size_t at = std::size_t{entry->value} * sizeof(double);
    if (at + sizeof(double) > doubles_.size()) throw CorruptData("GeoTIFF key " + std::to_string(id) + " points outside the doubles");
    return load<double>(doubles_.data() + at);
  }

  std::string text(Key id) const {
    const Entry* entry = find(id);
    if (entry == nullptr || entry->location != 34737) return {};
    if (std::size_t{entry->value} + entry->count > ascii_.size())
      throw CorruptData("GeoTIFF key " + std::to_string(id) + " points outside the texts");
    std::string out(reinterpret_cast<const char*>(ascii_.data()) + entry->value, entry->count);
    out.resize(::strnlen(out.data(), out.size()));
    while (!out.empty() && (out.back() == '|' || out.back() == ' ')) out.pop_back();  // '|' ends a text
    return out;
  }

 private:
  struct Entry {
    std::uint16_t id, location, count, value;
  };
  const Entry* find(Key id) const {
    for (const Entry& entry : entries_) {
      if (entry.id == id) return &entry;
    }
    return nullptr;
  }
  std::vector<Entry> entries_;
  std::span<const std::byte> doubles_, ascii_;
};

int epsg_code(int value) { return value == user_defined ? 0 : value; }

}  // namespace

std::optional<double> epsg_linear_unit(int code) noexcept {
  switch (code) {
    case 9001: return 1.0;
    case 9002: return 0.3048;
    case 9003: return 1200.0 / 3937.0;
    case 9005: return 0.3047972654;        // Clarke's foot
    case 9014: return 1.8288;              // fathom
    case 9030: return 1852.0;              // nautical mile
    case 9031: return 1.0000135965;        // German legal metre
    case 9036: return 1000.0;              // kilometre
    case 9041: return 0.3047994715386762;  // Sears' foot
    case 9080: return 0.3047995102481469;  // Indian foot
    case 9094: return 0.3047997101815088;  // Gold Coast foot
    case 9096: return 0.9144;              // yard
    default: return std::nullopt;
  }
}

Crs parse_geotiff_crs(std::span<const std::byte> directory, std::span<const std::byte> doubles, std::span<const std::byte> ascii,
                      std::vector<std::string>& warnings) {
  const Keys keys(directory, doubles, ascii);
  Crs crs;
  const int projected = epsg_code(keys.integer(projected_type));
  const int geographic = epsg_code(keys.integer(geographic_type));
  const int model = keys.integer(model_type);
  crs.geographic = model == 2 || model == 3 || (model == 0 && projected == 0 && geographic != 0);
  crs.epsg = crs.geographic ? geographic : projected;
  for (const Key id : {projected_citation, citation, geographic_citation}) {
    if (id == projected_citation && crs.geographic) continue;
    crs.name = keys.text(id);
    if (!crs.name.empty()) break;
  }

  const auto unit = [&](int code, double otherwise, bool horizontal) {
    if (code == 0) return otherwise;
    if (const auto factor = epsg_linear_unit(code)) return *factor;
    if (code == user_defined && horizontal) {  // key 3077 is the size of the horizontal unit only
      const auto size = keys.real(projected_linear_unit_size);
      if (size && std::isfinite(*size) && *size >= 1e-4 && *size <= 1e4) return *size;
    }
    warnings.push_back(std::string("the GeoTIFF keys give the ") + (horizontal ? "horizontal" : "vertical") + " unit " +
                       std::to_string(code) + ", which is not a known linear unit; " + std::to_string(otherwise) + " m is taken");
    return otherwise;
  };
  const int stated = keys.integer(projected_linear_unit);
  if (crs.geographic) {
    crs.horizontal_unit = 1.0;
  } else if (stated != 0) {
    crs.horizontal_unit = unit(stated, 1.0, true);
  } else if (model != 0 || projected != 0) {  // keys that name no system at all leave the word to a WKT
    crs.horizontal_unit = unstated_unit(projected, warnings);
  }
  crs.vertical_unit = unit(keys.integer(vertical_unit), crs.horizontal_unit, false);
  return crs;
}

}  // namespace tuile::las
