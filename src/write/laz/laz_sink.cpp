#include "tuile/write/laz_sink.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "las/records.hpp"
#include "tuile/core/error.hpp"
#include "write/laz/laz_record.hpp"
#include "write/row_ranges.hpp"

namespace tuile::write {

namespace {

// As many as RecordWriter compresses at one time, from where they lie.
constexpr std::size_t batch_records_per_thread = 100'000;
constexpr std::size_t batch_bytes = 32U << 20;  // of records read and records made
constexpr std::size_t smallest_batch = 50'000;  // a chunk
constexpr std::size_t records_per_task = 8192;

template <class T>
std::vector<T> copy_of(std::span<const T> values) {
  return {values.begin(), values.end()};
}

/// Rows that came before their turn, with their own memory.
struct WaitingRows {
  explicit WaitingRows(const LazRows& rows)
      : count(rows.count),
        features(copy_of(rows.features)),
        labels(copy_of(rows.labels)),
        label_source(copy_of(rows.label_source)),
        label_object(copy_of(rows.label_object)) {}
  LazRows rows(std::uint64_t first_row) const { return {first_row, count, features, labels, label_source, label_object}; }

  std::size_t count;
  std::vector<float> features;
  std::vector<std::uint8_t> labels, label_source;
  std::vector<std::int32_t> label_object;
};

class LazSink final : public Sink {
 public:
  LazSink(const std::filesystem::path& path, TileLayout layout, LazSinkOptions options, Executor* executor)
      : layout_(std::move(layout)), options_(std::move(options)), record_(layout_, options_), executor_(executor), file_(path) {
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
    if (failed_) throw InvalidArgument("cannot write to " + file_.path().string() + ": a write to it failed before");
    check_block(layout_, block);
    record_.check_labels(block.labels);
    given_.add(block.first_row, block.size());
    const LazRows rows{block.first_row, block.size(), block.features, block.labels, block.label_source, block.label_object};
    if (block.first_row != next_row_) {
      if (rows.count > 0) waiting_.emplace(rows.first_row, rows);
      return;
    }
    append(rows);
    for (auto next = waiting_.begin(); next != waiting_.end() && next->first == next_row_; next = waiting_.erase(next))
      append(next->second.rows(next->first));
  }

  WrittenFile finish() override {
    if (failed_) throw InvalidArgument("cannot finish " + file_.path().string() + ": a write to it failed before");
    given_.expect_all(layout_.points);
    open_output();
    output_->finish();
    output_.reset();
    return publish_output(file_);
  }

 private:
  void open_output() {
    if (!output_) output_.emplace(file_.temporary_path().string(), record_.info(), executor_);
  }

  void open_input() {
    if (input_ || options_.make_records) return;
    bytes_ = options_.read_original();
    input_.emplace(bytes_.span(), options_.original, executor_);
  }

  /// The input record of an output row.
  std::uint64_t record_of(std::uint64_t row) const { return options_.rows ? (*options_.rows)[row] : row; }

  /// Writes the next rows.
  void append(const LazRows& rows) {
    if (rows.count == 0) return;
    failed_ = true;
    open_input();
    open_output();
    const std::size_t in_length = options_.original.header.record_length, out_length = record_.info().header.record_length;
    const std::size_t threads = executor_ != nullptr ? static_cast<std::size_t>(executor_->threads()) : 1;
    const std::size_t room = std::max(smallest_batch, batch_bytes / (in_length + out_length));
    const std::size_t batch_records =
        std::min({batch_records_per_thread * threads, room, std::max<std::size_t>(rows.count, records_per_task)});
    Buffer<std::byte> in(batch_records * in_length), out(batch_records * out_length);
    for (std::size_t done = 0; done < rows.count;) {
      // The records up to the last that is selected, as many as fit; those between are read past.
      const std::uint64_t first = next_record_;
      std::size_t count = 0;
      while (done + count < rows.count && record_of(next_row_ + count) - first < batch_records) ++count;
      const std::uint64_t end = count > 0 ? record_of(next_row_ + count - 1) + 1 : first + batch_records;
      const std::span<std::byte> records = in.span().first((end - first) * in_length);
      if (options_.make_records)
        options_.make_records(records);
      else
        input_->read(records);
      const auto make = [&](std::size_t task) {
        const std::size_t stop = std::min(count, (task + 1) * records_per_task);
        for (std::size_t i = task * records_per_task; i < stop; ++i)
          record_.make(in.data() + (record_of(next_row_ + i) - first) * in_length, rows, done + i, out.data() + i * out_length);
      };
      const std::size_t tasks = (count + records_per_task - 1) / records_per_task;
      if (executor_ != nullptr)
        executor_->for_each(tasks, make);
      else
        for (std::size_t task = 0; task < tasks; ++task) make(task);
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
  const LazRecord record_;
  Executor* const executor_;

  AtomicFile file_;
  Buffer<std::byte> bytes_;  ///< of the input file
  std::optional<las::RecordReader> input_;
  std::optional<las::RecordWriter> output_;
  RowRanges given_;
  std::map<std::uint64_t, WaitingRows> waiting_;  ///< rows that came before their turn, by first row
  std::uint64_t next_row_ = 0, next_record_ = 0;
  bool failed_ = false;  ///< a write threw: the records after it would be out of step
};

}  // namespace

std::unique_ptr<Sink> make_laz_sink(const std::filesystem::path& path, const TileLayout& layout, LazSinkOptions options,
                                    Executor* executor) {
  return std::make_unique<LazSink>(path, layout, std::move(options), executor);
}

}  // namespace tuile::write
