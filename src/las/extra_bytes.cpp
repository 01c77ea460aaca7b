#include "las/extra_bytes.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "las/byte_reader.hpp"

namespace tuile::las {

namespace {

constexpr std::size_t type_at = 2, options_at = 3, name_at = 4, description_at = 160;
constexpr std::size_t text_width = 32;

std::string text_at(const std::byte* descriptor, std::size_t at) {
  const char* begin = reinterpret_cast<const char*>(descriptor + at);
  return std::string(begin, ::strnlen(begin, text_width));
}

/// Leaves a field that already says `text` alone: what lies behind its NUL belongs to the file.
void put_text(std::byte* descriptor, std::size_t at, const std::string& text) {
  if (text_at(descriptor, at) == text) return;
  std::memset(descriptor + at, 0, text_width);
  std::memcpy(descriptor + at, text.data(), std::min(text_width, text.size()));
}

}  // namespace

bool is_extra_bytes(const Vlr& record) noexcept { return record.user_id == "LASF_Spec" && record.record_id == 4; }

std::uint16_t extra_type_size(std::uint8_t data_type) noexcept {
  constexpr std::array<std::uint16_t, 11> sizes{0, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8};
  if (data_type <= 10) return sizes[data_type];
  if (data_type <= 30) return static_cast<std::uint16_t>(sizes[(data_type - 1U) % 10U + 1U] * ((data_type - 1U) / 10U + 1U));
  return 0;
}

std::vector<ExtraDimension> parse_extra_dimensions(std::span<const Vlr> records, std::uint16_t room, std::vector<std::string>& warnings) {
  std::vector<ExtraDimension> dimensions;
  std::size_t offset = 0;
  for (const Vlr& record : records) {
    if (!is_extra_bytes(record)) continue;
    if (record.data.size() % extra_descriptor_size != 0) {
      warnings.push_back("the extra-bytes record has " + std::to_string(record.data.size()) +
                         " bytes, not a multiple of 192; its last part is ignored");
    }
    for (std::size_t at = 0; at + extra_descriptor_size <= record.data.size(); at += extra_descriptor_size) {
      const std::byte* descriptor = record.data.data() + at;
      ExtraDimension dimension;
      dimension.data_type = load<std::uint8_t>(descriptor + type_at);
      dimension.name = text_at(descriptor, name_at);
      dimension.description = text_at(descriptor, description_at);
      // Type 0, "undocumented": the options byte holds the number of bytes.
      dimension.size = dimension.data_type == 0 ? load<std::uint8_t>(descriptor + options_at) : extra_type_size(dimension.data_type);
      if (dimension.size == 0 || offset + dimension.size > room) {
        warnings.push_back("the extra dimension \"" + dimension.name + "\" (type " + std::to_string(dimension.data_type) +
                           ") does not fit the " + std::to_string(room) + " extra bytes of a point; it and those after it are ignored");
        return dimensions;
      }
      dimension.offset = static_cast<std::uint16_t>(offset);
      dimension.descriptor.assign(descriptor, descriptor + extra_descriptor_size);
      offset += dimension.size;
      dimensions.push_back(std::move(dimension));
    }
  }
  return dimensions;
}

std::vector<std::byte> serialize_extra_dimensions(std::span<const ExtraDimension> dimensions) {
  std::vector<std::byte> out(dimensions.size() * extra_descriptor_size);
  for (std::size_t i = 0; i < dimensions.size(); ++i) {
    const ExtraDimension& dimension = dimensions[i];
    std::byte* descriptor = out.data() + i * extra_descriptor_size;
    if (dimension.descriptor.size() == extra_descriptor_size) {
      std::copy(dimension.descriptor.begin(), dimension.descriptor.end(), descriptor);
    } else if (dimension.data_type == 0) {
      store(descriptor + options_at, static_cast<std::uint8_t>(dimension.size));
    }
    store(descriptor + type_at, dimension.data_type);
    put_text(descriptor, name_at, dimension.name);
    put_text(descriptor, description_at, dimension.description);
  }
  return out;
}

}  // namespace tuile::las
