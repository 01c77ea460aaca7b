#include "write/laz/object_records.hpp"

#include <span>
#include <string>
#include <utility>

#include "tuile/core/utf8.hpp"
#include "tuile/write/sink.hpp"

namespace tuile::write {

namespace {

constexpr const char* user_id = "tuile";
constexpr std::uint16_t first_record_id = 1;
constexpr std::uint16_t last_record_id = 999;  // of the parts of a table; other ids of ours may get other meanings
constexpr std::size_t largest_vlr = 65535;

/// A value that cannot be taken for the end of a field or of a row.
std::string field(const std::string& value) {
  std::u32string letters = utf8_decode(value, longest_object_text);
  for (char32_t& letter : letters)
    if (letter < U' ' || letter == U'\x7F') letter = U' ';
  return utf8_encode(letters);
}

std::string header_line(const ObjectTable& objects) {
  std::string line = "row\tid\tlayer";
  for (const std::string& name : objects.attribute_names) line += '\t' + field(name);
  return line + '\n';
}

std::string row_line(const ObjectTable& objects, std::size_t row) {
  std::string line = std::to_string(row) + '\t' + field(objects.ids[row]) + '\t' + std::to_string(objects.layer[row]);
  const std::size_t width = objects.attribute_names.size();
  for (std::size_t j = 0; j < width; ++j) line += '\t' + field(objects.attributes[row * width + j]);
  return line + '\n';
}

las::Vlr record_of(const std::string& text, std::uint16_t record_id) {
  las::Vlr record;
  record.user_id = user_id;
  record.record_id = record_id;
  record.description = "ground-truth objects";
  const auto bytes = std::as_bytes(std::span(text));
  record.data.assign(bytes.begin(), bytes.end());
  return record;
}

/// The table in parts of at most `largest` bytes, each with the header line; nothing where that cannot be.
std::vector<las::Vlr> parts(const ObjectTable& objects, std::size_t largest) {
  const std::string header = header_line(objects);
  if (header.size() > largest) return {};
  std::vector<las::Vlr> records;
  std::string text = header;
  const auto end_part = [&] {
    records.push_back(record_of(text, static_cast<std::uint16_t>(first_record_id + records.size())));
    text = header;
  };
  for (std::size_t row = 0; row < objects.size(); ++row) {
    const std::string line = row_line(objects, row);
    if (line.size() > largest - text.size() && text.size() > header.size()) end_part();
    if (line.size() > largest - text.size() || records.size() == last_record_id) return {};
    text += line;
  }
  end_part();
  return records;
}

}  // namespace

bool is_object_record(const las::Vlr& record) noexcept {
  return record.user_id == user_id && record.record_id >= first_record_id && record.record_id <= last_record_id;
}

void put_objects(const ObjectTable& objects, las::FileInfo& info) {
  std::erase_if(info.vlrs, is_object_record);
  std::erase_if(info.evlrs, is_object_record);
  const bool extended = info.header.version_minor >= 4;
  std::vector<las::Vlr>& records = extended ? info.evlrs : info.vlrs;
  for (las::Vlr& record : parts(objects, extended ? std::string().max_size() : largest_vlr)) records.push_back(std::move(record));
}

}  // namespace tuile::write
