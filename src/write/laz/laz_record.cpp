#include "write/laz/laz_record.hpp"

#include <algorithm>
#include <cstring>
#include <set>
#include <string>
#include <utility>

#include "las/records.hpp"
#include "tuile/core/error.hpp"
#include "write/laz/object_records.hpp"

namespace tuile::write {

namespace {

constexpr std::size_t longest_name = 32, longest_description = 32;                         // LAS 1.4, table 25
constexpr std::uint8_t uint8_type = 1, uint16_type = 3, int32_type = 6, float32_type = 9;  // LAS 1.4, table 24
constexpr std::size_t largest_record = 65535;
constexpr std::size_t largest_undocumented = 255;  // the size of undocumented bytes stands in one byte
constexpr std::uint8_t largest_short_class = 31;   // point formats 0 to 5: five bits, three flags above them

/// The name under which a column stands in the file: prefixed until it is free.
std::string free_name(const std::vector<las::ExtraDimension>& dimensions, const std::string& wanted) {
  std::string name = wanted;
  const auto taken = [&](const las::ExtraDimension& dimension) { return dimension.name == name; };
  while (std::any_of(dimensions.begin(), dimensions.end(), taken)) name = "tuile_" + name;
  if (name.empty() || name.size() > longest_name)
    throw InvalidArgument("LAZ dimension '" + name + "' (feature '" + wanted + "') has " + std::to_string(name.size()) +
                          " bytes; 1 to 32 are possible: leave the feature out, or write npz only");
  return name;
}

template <class T>
void store(std::byte* place, const T& value) {
  std::memcpy(place, &value, sizeof value);
}

}  // namespace

LazRecord::LazRecord(const TileLayout& layout, const LazSinkOptions& options)
    : width_(layout.feature_names.size()),
      labels_(layout.labels),
      labels_place_(options.labels),
      provenance_(options.label_provenance),
      classes_(options.classes),
      colours_(options.colours),
      info_(options.original),
      format_(las::record_format(info_.header.point_format)),
      input_length_(info_.header.record_length) {
  check_layout(layout);
  check_colours(layout.points);
  check_classes(layout.points);
  info_.header.compressed = true;
  info_.copc.reset();
  info_.laszip.reset();
  describe_gaps();
  raise_format();
  end_ = columns_at_ = input_length_ + inserted_;
  const bool nir_dimension = !colours_.nir.empty() && format_.nir == 0;
  const std::size_t of_provenance = labels_ && provenance_ ? 1U + sizeof(std::int32_t) : 0U;
  const std::size_t of_labels = (labels_ && labels_place_ == LazLabels::extra_bytes ? 1U : 0U) + of_provenance;
  const std::size_t length = end_ + options.columns.size() * sizeof(float) + (nir_dimension ? sizeof(std::uint16_t) : 0U) + of_labels;
  if (length > largest_record)
    throw InvalidArgument("a LAZ record with " + std::to_string(options.columns.size()) + " features would have " + std::to_string(length) +
                          " bytes; at most 65535 are possible: choose fewer features, or write npz only");
  info_.header.record_length = static_cast<std::uint16_t>(length);
  for (const LazColumn& column : options.columns) {
    add_dimension(column.name, column.description, float32_type, sizeof(float));
    columns_.push_back(column.column);
  }
  if (nir_dimension) nir_at_ = add_dimension("nir", "near infrared", uint16_type, sizeof(std::uint16_t));
  if (labels_ && labels_place_ == LazLabels::extra_bytes) label_at_ = add_dimension("label", "class by ground truth", uint8_type, 1);
  if (labels_ && provenance_) {
    label_source_at_ = add_dimension("label_source", "0 file, row of layer, 254 NDVI", uint8_type, 1);
    label_object_at_ = add_dimension("label_object", "row of object table, -1 none", int32_type, sizeof(std::int32_t));
    put_objects(layout.objects, info_);
  }
}

void LazRecord::check_colours(std::uint64_t points) const {
  const std::size_t rgb = colours_.red.size();
  const auto fits = [&](std::size_t size) { return size == 0 || size == points; };
  if (colours_.green.size() != rgb || colours_.blue.size() != rgb || !fits(rgb) || !fits(colours_.nir.size()))
    throw InvalidArgument("LAZ output: " + std::to_string(rgb) + " red, " + std::to_string(colours_.green.size()) + " green, " +
                          std::to_string(colours_.blue.size()) + " blue and " + std::to_string(colours_.nir.size()) +
                          " nir values are given for " + std::to_string(points) + " rows; one per row, or none of a kind, are expected");
}

void LazRecord::check_classes(std::uint64_t points) const {
  if (classes_.empty()) return;
  if (classes_.size() != points) {
    throw InvalidArgument("LAZ output: " + std::to_string(classes_.size()) + " classes are given for " + std::to_string(points) +
                          " rows; one per row is expected");
  }
  check_short_classes(classes_);
}

void LazRecord::put_class(std::byte* output, std::uint8_t value) const {
  std::byte& place = output[format_.classification];
  const std::byte flags = format_.extended ? std::byte{0} : place & ~std::byte{largest_short_class};
  place = flags | std::byte{value};
}

/// Bytes that the file does not describe keep their place: without an entry for them, what follows would be read from the wrong bytes.
void LazRecord::describe_gaps() {
  const std::size_t end = input_length_ - std::min<std::size_t>(format_.length, input_length_);
  std::size_t described = 0;
  for (const las::ExtraDimension& dimension : info_.extra_dimensions)
    described = std::max<std::size_t>(described, dimension.offset + std::size_t{dimension.size});
  while (described < end) {
    las::ExtraDimension gap;
    gap.name = free_name(info_.extra_dimensions, "undocumented");
    gap.offset = static_cast<std::uint16_t>(described);
    gap.size = static_cast<std::uint16_t>(std::min(end - described, largest_undocumented));
    described += gap.size;
    info_.extra_dimensions.push_back(std::move(gap));
  }
}

void LazRecord::raise_format() {
  las::Header& header = info_.header;
  if (format_.extended) header.version_minor = 4;
  const bool rgb = !colours_.red.empty() && format_.rgb == 0;
  const bool nir = !colours_.nir.empty() && format_.nir == 0 && format_.extended;
  if (!rgb && !nir) return;
  const las::RecordFormat old = format_;
  switch (header.point_format) {
    case 0: header.point_format = 2; break;
    case 1: header.point_format = 3; break;
    case 4: header.point_format = 5; break;
    case 9: header.point_format = 10; break;
    default: header.point_format = nir ? 8 : 7; break;  // 6 and 7
  }
  format_ = las::record_format(header.point_format);
  header.version_minor = std::max<std::uint8_t>(header.version_minor, 2);  // the first with colours
  // The formats differ by one run of bytes: nir follows rgb, and waves follow both.
  insert_at_ = old.rgb == 0 ? format_.rgb : format_.nir;
  inserted_ = static_cast<std::size_t>(format_.length - old.length);
}

std::size_t LazRecord::add_dimension(const std::string& name, const std::string& description, std::uint8_t type, std::size_t size) {
  las::ExtraDimension dimension;
  dimension.name = free_name(info_.extra_dimensions, name);
  dimension.description = description.substr(0, longest_description);
  dimension.data_type = type;
  dimension.offset = static_cast<std::uint16_t>(end_ - format_.length);
  dimension.size = static_cast<std::uint16_t>(size);
  info_.extra_dimensions.push_back(std::move(dimension));
  return std::exchange(end_, end_ + size);
}

void LazRecord::check_labels(std::span<const std::uint8_t> labels) const {
  if (labels_place_ == LazLabels::classification) check_short_classes(labels);
}

void LazRecord::check_short_classes(std::span<const std::uint8_t> labels) const {
  if (format_.extended) return;
  std::set<unsigned> beyond;
  for (const std::uint8_t label : labels)
    if (label > largest_short_class) beyond.insert(label);
  if (beyond.empty()) return;
  std::string names;
  for (const unsigned label : beyond) names += (names.empty() ? "" : ", ") + std::to_string(label);
  throw InvalidArgument("LAZ output: the labels " + names + " do not fit the class of point format " +
                        std::to_string(info_.header.point_format) +
                        ", which ends at 31: write the labels as extra bytes (write.laz.labels: extra_bytes), or give the layers classes "
                        "of at most 31");
}

void LazRecord::make(const std::byte* input, const LazRows& rows, std::size_t i, std::byte* output) const {
  if (inserted_ == 0) {
    std::memcpy(output, input, input_length_);
  } else {
    std::memcpy(output, input, insert_at_);
    std::memset(output + insert_at_, 0, inserted_);
    std::memcpy(output + insert_at_ + inserted_, input + insert_at_, input_length_ - insert_at_);
  }
  for (std::size_t j = 0; j < columns_.size(); ++j)
    store(output + columns_at_ + j * sizeof(float), rows.features[i * width_ + columns_[j]]);

  const std::uint64_t row = rows.first_row + i;
  if (!colours_.red.empty()) {
    const std::array<std::uint16_t, 3> rgb{colours_.red[row], colours_.green[row], colours_.blue[row]};
    store(output + format_.rgb, rgb);
  }
  if (!colours_.nir.empty()) store(output + (format_.nir != 0 ? format_.nir : nir_at_), colours_.nir[row]);

  if (!classes_.empty()) put_class(output, classes_[row]);
  if (!labels_) return;
  if (labels_place_ == LazLabels::extra_bytes)
    store(output + label_at_, rows.labels[i]);
  else
    put_class(output, rows.labels[i]);
  if (!provenance_) return;
  store(output + label_source_at_, rows.label_source[i]);
  store(output + label_object_at_, rows.label_object[i]);
}

}  // namespace tuile::write
