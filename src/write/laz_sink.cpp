#include "tuile/write/laz_sink.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "row_ranges.hpp"
#include "tuile/core/error.hpp"
#include "tuile/las/records.hpp"

namespace tuile::write {

namespace {

constexpr std::size_t longest_name = 32, longest_description = 32;  // LAS 1.4, table 25
constexpr std::size_t largest_record = 65535;
constexpr std::uint8_t float32_type = 9;           // LAS 1.4, table 24
constexpr std::size_t largest_undocumented = 255;  // the size of undocumented bytes stands in one byte
constexpr std::size_t batch_records = 16384;

bool has_dimension(const std::vector<las::ExtraDimension>& dimensions, const std::string& name) {
  return std::any_of(dimensions.begin(), dimensions.end(), [&](const las::ExtraDimension& dimension) { return dimension.name == name; });
}

/// The name under which a column stands in the file: prefixed until it is free.
std::string free_name(const std::vector<las::ExtraDimension>& dimensions, const std::string& wanted) {
  std::string name = wanted;
  while (has_dimension(dimensions, name)) name = "tuile_" + name;
  if (name.empty() || name.size() > longest_name)
    throw InvalidArgument("LAZ dimension '" + name + "' (feature '" + wanted + "') has " + std::to_string(name.size()) +
                          " bytes; 1 to 32 are possible: leave the feature out, or write npz only");
  return name;
}

/// The layout of the output: the original's, with a float32 dimension per column at the end of the record.
las::FileInfo extended(const las::FileInfo& original, const std::vector<LazColumn>& columns) {
  const std::size_t length = original.header.record_length + columns.size() * sizeof(float);
  if (length > largest_record)
    throw InvalidArgument("a LAZ record with " + std::to_string(columns.size()) + " features would have " + std::to_string(length) +
                          " bytes; at most 65535 are possible: choose fewer features, or write npz only");
  las::FileInfo info = original;
  info.header.record_length = static_cast<std::uint16_t>(length);
  info.header.compressed = true;
  info.copc.reset();
  info.laszip.reset();

  const std::uint16_t standard = las::standard_record_length(original.header.point_format);
  std::size_t end = original.header.record_length - std::min(standard, original.header.record_length);
  std::size_t described = 0;
  for (const las::ExtraDimension& dimension : info.extra_dimensions)
    described = std::max<std::size_t>(described, dimension.offset + std::size_t{dimension.size});
  // Bytes that the file does not describe keep their place: without an entry for them, what follows would be read from the wrong bytes.
  while (described < end) {
    las::ExtraDimension gap;
    gap.name = free_name(info.extra_dimensions, "undocumented");
    gap.offset = static_cast<std::uint16_t>(described);
    gap.size = static_cast<std::uint16_t>(std::min(end - described, largest_undocumented));
    described += gap.size;
    info.extra_dimensions.push_back(std::move(gap));
  }
  for (const LazColumn& column : columns) {
    las::ExtraDimension dimension;
    dimension.name = free_name(info.extra_dimensions, column.name);
    dimension.description = column.description.substr(0, longest_description);
    dimension.data_type = float32_type;
    dimension.offset = static_cast<std::uint16_t>(end);
    dimension.size = sizeof(float);
    end += sizeof(float);
    info.extra_dimensions.push_back(std::move(dimension));
  }
  return info;
}

class LazSink final : public Sink {
 public:
  LazSink(const std::filesystem::path& path, TileLayout layout, LazSinkOptions options, Executor* executor)
      : layout_(std::move(layout)),
        options_(std::move(options)),
        layout_out_(extended(options_.original, options_.columns)),
        executor_(executor),
        file_(path) {
    const std::uint64_t records = options_.original.header.point_count;
    const std::uint64_t selected = options_.rows ? options_.rows->size() : records;
    if (layout_.points != selected)
      throw InvalidArgument("LAZ output: the tile has " + std::to_string(layout_.points) + " rows, " + std::to_string(selected) +
                            " records of the input are selected");
    for (const LazColumn& column : options_.columns)
      if (column.column >= layout_.feature_names.size())
        throw InvalidArgument("LAZ output: column " + std::to_string(column.column) + " of '" + column.name + "' is not among the " +
                              std::to_string(layout_.feature_names.size()) + " features");
    if (!options_.rows || options_.rows->empty()) return;
    if (std::adjacent_find(options_.rows->begin(), options_.rows->end(), std::greater_equal<>()) != options_.rows->end())
      throw InvalidArgument("LAZ output: the selected records are not in increasing order");
    if (options_.rows->back() >= records)
      throw InvalidArgument("LAZ output: record " + std::to_string(options_.rows->back()) + " is selected, the input has " +
                            std::to_string(records));
  }

  void write(const RowBlock& block) override {
    check_block(layout_, block);
    given_.add(block.first_row, block.size());
    const std::size_t width = layout_.feature_names.size();
    if (block.first_row != next_row_) {
      Buffer<float> copy(block.features.size());
      std::copy(block.features.begin(), block.features.end(), copy.begin());
      if (block.size() > 0) waiting_.emplace(block.first_row, Waiting{block.size(), std::move(copy)});
      return;
    }
    append(block.features, block.size(), width);
    for (auto next = waiting_.begin(); next != waiting_.end() && next->first == next_row_; next = waiting_.erase(next))
      append(next->second.features.span(), next->second.rows, width);
  }

  WrittenFile finish() override {
    if (failed_) throw InvalidArgument("cannot finish " + file_.path().string() + ": a write to it failed before");
    given_.expect_all(layout_.points);
    open_output();
    output_->finish();
    output_.reset();
    return file_.publish();
  }

 private:
  struct Waiting {
    std::size_t rows;
    Buffer<float> features;
  };

  void open_output() {
    if (!output_) output_.emplace(file_.temporary_path().string(), layout_out_, executor_);
  }

  void open_input() {
    if (input_) return;
    bytes_ = options_.read_original();
    input_.emplace(bytes_.span(), options_.original);
  }

  /// The input record of an output row.
  std::uint64_t record_of(std::uint64_t row) const { return options_.rows ? (*options_.rows)[row] : row; }

  /// Writes the next `rows` rows.
  void append(std::span<const float> features, std::size_t rows, std::size_t width) {
    if (rows == 0) return;
    failed_ = true;
    open_input();
    open_output();
    const std::size_t in_length = options_.original.header.record_length, out_length = layout_out_.header.record_length;
    Buffer<std::byte> in(batch_records * in_length), out(batch_records * out_length);
    for (std::size_t done = 0; done < rows;) {
      // The records up to the last that is selected, as many as fit; those between are read past.
      const std::uint64_t first = next_record_;
      std::size_t count = 0;
      while (done + count < rows && record_of(next_row_ + count) - first < batch_records) ++count;
      const std::uint64_t end = count > 0 ? record_of(next_row_ + count - 1) + 1 : first + batch_records;
      input_->read(in.span().first((end - first) * in_length));
      for (std::size_t i = 0; i < count; ++i) {
        std::byte* record = out.data() + i * out_length;
        std::memcpy(record, in.data() + (record_of(next_row_ + i) - first) * in_length, in_length);
        const float* values = features.data() + (done + i) * width;
        for (std::size_t j = 0; j < options_.columns.size(); ++j)
          std::memcpy(record + in_length + j * sizeof(float), values + options_.columns[j].column, sizeof(float));
      }
      output_->write(out.span().first(count * out_length));
      next_record_ = end;
      next_row_ += count;
      done += count;
    }
    failed_ = false;
  }

  // Constant after construction.
  const TileLayout layout_;
  const LazSinkOptions options_;
  const las::FileInfo layout_out_;
  Executor* const executor_;

  AtomicFile file_;
  Buffer<std::byte> bytes_;  ///< of the input file
  std::optional<las::RecordReader> input_;
  std::optional<las::RecordWriter> output_;
  RowRanges given_;
  std::map<std::uint64_t, Waiting> waiting_;  ///< rows that came before their turn, by first row
  std::uint64_t next_row_ = 0, next_record_ = 0;
  bool failed_ = false;  ///< a write threw: the records after it would be out of step
};

}  // namespace

std::unique_ptr<Sink> make_laz_sink(const std::filesystem::path& path, const TileLayout& layout, LazSinkOptions options,
                                    Executor* executor) {
  return std::make_unique<LazSink>(path, layout, std::move(options), executor);
}

}  // namespace tuile::write
