#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "las/byte_reader.hpp"
#include "las/chunk_table.hpp"
#include "las/chunk_writer.hpp"
#include "las/extra_bytes.hpp"
#include "las/header.hpp"
#include "las/laszip_record.hpp"
#include "las/output_file.hpp"
#include "las/point_sink.hpp"
#include "las/record_format.hpp"
#include "las/records.hpp"
#include "las/vlr.hpp"
#include "tuile/core/error.hpp"

namespace tuile::las {

namespace {

constexpr std::size_t most_pending = 32U << 20;  // bytes of records gathered for one compression; a chunk at least
constexpr std::size_t chunks_per_thread = 2;     // compressed at one time, so that no thread waits long for the slowest chunk

/// By its id alone: writers spell the user id of the waveform record differently.
bool is_waveform(const Vlr& record) { return record.record_id == 65535; }

Header make_header(const FileInfo& layout) {
  Header header = layout.header;
  const RecordFormat& format = record_format(header.point_format);
  if (header.record_length < format.length) {
    throw InvalidArgument("records of " + std::to_string(header.record_length) + " bytes are too short for point format " +
                          std::to_string(header.point_format) + ", which needs " + std::to_string(format.length));
  }
  std::size_t described = 0;
  for (const ExtraDimension& dimension : layout.extra_dimensions) described += dimension.size;
  if (described > header.record_length - std::size_t{format.length}) {
    throw InvalidArgument("the extra dimensions have " + std::to_string(described) + " bytes together but a record has room for " +
                          std::to_string(header.record_length - format.length));
  }
  header.version_major = 1;
  if (format.extended) header.version_minor = 4;
  const bool lone_waveform = header.version_minor == 3 && layout.evlrs.size() == 1 && is_waveform(layout.evlrs[0]);
  if (!layout.evlrs.empty() && header.version_minor < 4 && !lone_waveform) {
    throw InvalidArgument("LAS 1." + std::to_string(header.version_minor) + " cannot hold extended records; write LAS 1.4");
  }
  header.header_size = standard_header_size(header.version_minor);
  header.point_count = 0;
  header.waveform_offset = 0;
  header.evlr_offset = 0;
  header.evlr_count = 0;
  return header;
}

/// The records to write, in the order of `layout`: the extra-bytes record keeps its place (one that was an EVLR becomes a VLR),
/// LASzip's comes last.
std::vector<Vlr> make_vlrs(const FileInfo& layout) {
  std::vector<Vlr> records;
  std::optional<Vlr> extra;
  if (!layout.extra_dimensions.empty()) {
    extra = Vlr{.reserved = 0,
                .user_id = "LASF_Spec",
                .record_id = 4,
                .description = "Extra Bytes Record",
                .data = serialize_extra_dimensions(layout.extra_dimensions)};
    if (extra->data.size() > std::numeric_limits<std::uint16_t>::max()) {
      throw Unsupported(std::to_string(layout.extra_dimensions.size()) +
                        " extra dimensions cannot be described in one record; at most 341 can. Write fewer features");
    }
  }
  for (const Vlr& record : layout.vlrs) {
    if (is_container_record(record)) continue;
    if (!is_extra_bytes(record)) {
      records.push_back(record);
    } else if (extra) {
      extra->reserved = record.reserved;
      extra->description = record.description;
      records.push_back(*std::exchange(extra, std::nullopt));
    }
  }
  if (extra) records.push_back(std::move(*extra));
  if (layout.header.compressed) {
    records.push_back({.reserved = 0,
                       .user_id = "laszip encoded",
                       .record_id = 22204,
                       .description = "by laszip of LAStools",
                       .data = make_laszip_payload(layout.header.point_format, layout.header.record_length)});
  }
  for (const Vlr& record : records) {
    if (record.data.size() > std::numeric_limits<std::uint16_t>::max()) {
      throw InvalidArgument("the record " + record.user_id + "/" + std::to_string(record.record_id) + " has " +
                            std::to_string(record.data.size()) + " bytes; a VLR holds at most 65535. Make it an EVLR");
    }
  }
  return records;
}

}  // namespace

struct RecordWriter::Impl {
  Impl(const std::string& path, const FileInfo& layout, Executor* compressing)
      : header(make_header(layout)),
        format(record_format(header.point_format)),
        executor(compressing),
        chunk_bytes(std::size_t{written_chunk_size} * header.record_length),
        batch(executor == nullptr ? 1
                                  : std::clamp<std::size_t>(most_pending / chunk_bytes, 1,
                                                            static_cast<std::size_t>(executor->threads()) * chunks_per_thread)),
        file(path) {
    std::copy_if(layout.evlrs.begin(), layout.evlrs.end(), std::back_inserter(evlrs),
                 [](const Vlr& record) { return !is_container_record(record) && !is_extra_bytes(record); });
    const std::vector<Vlr> vlrs = make_vlrs(layout);
    header.vlr_count = static_cast<std::uint32_t>(vlrs.size());
    // Zeros for now: a file whose writer was interrupted is not taken for a LAS file.
    file.append(std::vector<std::byte>(header.header_size));
    for (const Vlr& record : vlrs) file.append(serialize_vlr(record));
    header.point_data_offset = static_cast<std::uint32_t>(file.size());
    if (header.compressed) file.append(std::vector<std::byte>(sizeof(std::int64_t)));
  }

  void write(std::span<const std::byte> records) {
    if (finished) throw InvalidArgument("records cannot be written after finish()");
    if (records.size() % header.record_length != 0) {
      throw InvalidArgument(std::to_string(records.size()) + " bytes are not whole records of " + std::to_string(header.record_length) +
                            " bytes");
    }
    header.point_count += records.size() / header.record_length;
    if (!header.compressed) {
      count_records(records, statistics);
      file.append(records);
      return;
    }
    const std::size_t full = chunk_bytes * batch;
    while (!records.empty()) {
      if (pending.empty() && records.size() >= full) {  // compressed where they lie
        compress(records.first(full));
        records = records.subspan(full);
        continue;
      }
      const std::size_t part = std::min(full - pending.size(), records.size());
      pending.insert(pending.end(), records.begin(), records.begin() + static_cast<std::ptrdiff_t>(part));
      records = records.subspan(part);
      if (pending.size() == full) flush();
    }
  }

  /// Compresses and writes what is pending: whole chunks, and at the end of the file the rest.
  void flush() {
    compress(pending);
    pending.clear();
  }

  void compress(std::span<const std::byte> records) {
    const std::size_t count = (records.size() + chunk_bytes - 1) / chunk_bytes;
    std::vector<std::vector<std::byte>> chunks(count);
    std::vector<PointStatistics> parts(count);
    const auto compress_one = [&](std::size_t i) {
      const std::size_t begin = i * chunk_bytes;
      const auto part = records.subspan(begin, std::min(chunk_bytes, records.size() - begin));
      count_records(part, parts[i]);
      chunks[i] = compress_chunk(part, header.point_format, header.record_length);
    };
    if (executor != nullptr)
      executor->for_each(count, compress_one);
    else
      for (std::size_t i = 0; i < count; ++i) compress_one(i);
    for (std::size_t i = 0; i < count; ++i) {
      file.append(chunks[i]);
      chunk_sizes.push_back(static_cast<std::uint32_t>(chunks[i].size()));
      statistics.merge(parts[i]);
    }
  }

  void count_records(std::span<const std::byte> records, PointStatistics& to) const {
    const unsigned mask = format.extended ? 15U : 7U;
    for (std::size_t at = 0; at < records.size(); at += header.record_length) {
      const std::byte* record = records.data() + at;
      for (std::size_t axis = 0; axis < 3; ++axis) {
        const auto value = load<std::int32_t>(record + 4 * axis);
        to.min[axis] = std::min(to.min[axis], value);
        to.max[axis] = std::max(to.max[axis], value);
      }
      ++to.by_return[load<std::uint8_t>(record + 14) & mask];
    }
  }

  void finish() {
    if (finished) throw InvalidArgument("finish() was called twice");
    finished = true;
    if (header.version_minor < 4 && header.point_count > std::numeric_limits<std::uint32_t>::max()) {
      throw Unsupported("LAS 1." + std::to_string(header.version_minor) + " cannot count " + std::to_string(header.point_count) +
                        " points; write LAS 1.4");
    }
    if (header.compressed) {
      flush();
      const auto table = static_cast<std::int64_t>(file.size());
      file.append(serialize_chunk_table(chunk_sizes));
      file.patch(header.point_data_offset, std::as_bytes(std::span(&table, 1)));
    }
    write_evlrs();
    fill_header();
    file.patch(0, serialize_header(header));
    file.close();
  }

  void write_evlrs() {
    if (header.version_minor >= 4 && !evlrs.empty()) {
      header.evlr_offset = file.size();
      header.evlr_count = static_cast<std::uint32_t>(evlrs.size());
    }
    for (const Vlr& record : evlrs) {
      if (is_waveform(record)) header.waveform_offset = file.size();
      file.append(serialize_evlr(record));
    }
  }

  void fill_header() {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const bool any = header.point_count > 0;
      header.min[axis] = any ? statistics.min[axis] * header.scale[axis] + header.offset[axis] : 0;
      header.max[axis] = any ? statistics.max[axis] * header.scale[axis] + header.offset[axis] : 0;
    }
    std::copy_n(statistics.by_return.begin() + 1, header.points_by_return.size(), header.points_by_return.begin());
  }

  Header header;
  RecordFormat format;
  Executor* executor;
  std::size_t chunk_bytes, batch;
  OutputFile file;
  std::vector<Vlr> evlrs;
  std::vector<std::byte> pending;
  std::vector<std::uint32_t> chunk_sizes;
  PointStatistics statistics;
  bool finished = false;
};

RecordWriter::RecordWriter(const std::string& path, const FileInfo& layout, Executor* executor)
    : impl_(std::make_unique<Impl>(path, layout, executor)) {}
RecordWriter::~RecordWriter() = default;
RecordWriter::RecordWriter(RecordWriter&&) noexcept = default;
RecordWriter& RecordWriter::operator=(RecordWriter&&) noexcept = default;

void RecordWriter::write(std::span<const std::byte> records) { impl_->write(records); }
void RecordWriter::finish() { impl_->finish(); }

}  // namespace tuile::las
