#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "las/chunk_reader.hpp"
#include "las/chunk_table.hpp"
#include "las/laszip_record.hpp"
#include "las/layered_points.hpp"
#include "las/record_codec.hpp"
#include "las/records.hpp"
#include "tuile/core/error.hpp"

namespace tuile::las {

namespace {

class RecordSource {
 public:
  RecordSource(std::span<const std::byte> file, const Header& file_header) : bytes_(file), header_(file_header) {
    if (header_.point_data_offset > bytes_.size()) {
      throw CorruptData("the points should start at byte " + std::to_string(header_.point_data_offset) + " but there are only " +
                        std::to_string(bytes_.size()) + " bytes; read the file again");
    }
  }
  virtual ~RecordSource() = default;

  void read(std::span<std::byte> out) {
    if (failed_) throw InvalidArgument("records cannot be read on after a read that failed; open the file again");
    if (out.size() % header_.record_length != 0) {
      throw InvalidArgument("a buffer of " + std::to_string(out.size()) + " bytes does not hold whole records of " +
                            std::to_string(header_.record_length) + " bytes");
    }
    const std::uint64_t count = out.size() / header_.record_length;
    if (count > header_.point_count - done_) {
      throw CorruptData(std::to_string(count) + " records are wanted but only " + std::to_string(header_.point_count - done_) +
                        " of the file's " + std::to_string(header_.point_count) + " are left");
    }
    failed_ = true;
    fill(out.data(), count);
    failed_ = false;
    done_ += count;
  }

  std::uint64_t done() const noexcept { return done_; }
  const Header& header() const noexcept { return header_; }
  std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  virtual void fill(std::byte* out, std::uint64_t count) = 0;
  std::span<const std::byte> bytes_;
  Header header_;
  std::uint64_t done_ = 0;
  bool failed_ = false;  ///< a read threw: the next one would not begin where it ended
};

class PlainReader final : public RecordSource {
 public:
  using RecordSource::RecordSource;

 private:
  void fill(std::byte* out, std::uint64_t count) override {
    const std::uint64_t from = header().point_data_offset + done() * header().record_length;
    const std::uint64_t size = count * header().record_length;
    if (from > bytes().size() || size > bytes().size() - from) {
      throw CorruptData("the records from point " + std::to_string(done()) + " on end outside the file's " +
                        std::to_string(bytes().size()) + " bytes; the file is truncated, copy it again");
    }
    if (size > 0) std::memcpy(out, bytes().data() + from, size);
  }
};

/// Decodes the records of one chunk after the other. One per task.
class ChunkRecords {
 public:
  virtual ~ChunkRecords() = default;
  virtual void start(std::span<const std::byte> bytes, const Chunk& chunk) = 0;
  /// The next records of the chunk.
  virtual void read(std::byte* out, std::uint64_t count) = 0;
  /// After the chunk's last record.
  virtual void finish(const Chunk& chunk) = 0;
};

class LaszipRecords final : public ChunkRecords {
 public:
  LaszipRecords(const Header& header, const LaszipRecord& record)
      : length_(header.record_length),
        codec_(header.point_format, header.record_length),
        reader_(header, record, laszip_DECOMPRESS_SELECTIVE_ALL) {}
  void start(std::span<const std::byte> bytes, const Chunk& chunk) override { reader_.start(bytes, chunk.points); }
  void read(std::byte* out, std::uint64_t count) override {
    for (std::uint64_t i = 0; i < count; ++i, out += length_) {
      reader_.next();
      codec_.to_record(reader_.point(), out);
    }
  }
  void finish(const Chunk& chunk) override {
    if (!chunk.open_ended) reader_.finish();
  }

 private:
  std::size_t length_;
  RecordCodec codec_;
  ChunkReader reader_;
};

class LayeredRecords final : public ChunkRecords {
 public:
  LayeredRecords(const Header& header, const LaszipRecord& record) : length_(header.record_length), points_(header, record, {}) {}
  void start(std::span<const std::byte> bytes, const Chunk& chunk) override { points_.start(bytes, chunk.points); }
  void read(std::byte* out, std::uint64_t count) override {
    for (std::uint64_t i = 0; i < count; ++i, out += length_) {
      points_.next();
      points_.to_record(out);
    }
  }
  void finish(const Chunk&) override {}

 private:
  std::size_t length_;
  LayeredPoints points_;
};

class CompressedReader final : public RecordSource {
 public:
  CompressedReader(std::span<const std::byte> file, const Header& file_header, LaszipRecord record, Executor* executor)
      : RecordSource(file, file_header),
        record_(std::move(record)),
        chunks_(read_chunks(file, file_header, record_)),
        executor_(executor) {}

 private:
  static constexpr std::uint64_t most_kept = 64U << 20;  ///< bytes of a chunk that is decoded whole although only a part is asked for

  void fill(std::byte* out, std::uint64_t count) override {
    const std::size_t length = header().record_length;
    while (count > 0) {
      std::uint64_t got = std::min(count, kept_left_ + left_);
      if (kept_left_ > 0) {
        std::memcpy(out, kept_.data() + kept_.size() - kept_left_ * length, got * length);
        kept_left_ -= got;
        if (kept_left_ == 0) std::vector<std::byte>().swap(kept_);
      } else if (left_ > 0) {
        at_chunk(next_chunk_ - 1, [&](const Chunk& chunk) {
          stream_->read(out, got);
          left_ -= got;
          if (left_ == 0) stream_->finish(chunk);
        });
      } else {
        got = whole_chunks(out, count);
      }
      out += got * length;
      count -= got;
    }
  }

  /// Decodes the chunks that make up the next `count` records side by side; the last one, where not all of it is asked for, is kept.
  /// Returns how many records were written to `out`: fewer than `count`, where a chunk is too large to be kept or all are done.
  std::uint64_t whole_chunks(std::byte* out, std::uint64_t count) {
    const std::size_t length = header().record_length;
    const std::size_t first = next_chunk_;
    std::vector<std::byte*> places;
    std::uint64_t whole = 0;
    for (; next_chunk_ < chunks_.size() && whole < count; ++next_chunk_) {
      const Chunk& chunk = chunks_[next_chunk_];
      if (whole + chunk.points > count) {
        if (chunk.open_ended || chunk.points > most_kept / length) break;
        kept_.resize(chunk.points * length);
        kept_left_ = chunk.points;
        places.push_back(kept_.data());
        ++next_chunk_;
        break;
      }
      places.push_back(out + whole * length);
      whole += chunk.points;
    }
    const auto decode = [&](std::size_t i) {
      at_chunk(first + i, [&](const Chunk& chunk) {
        const auto records = make_records(chunk);
        records->start(bytes().subspan(chunk.offset, chunk.size), chunk);
        records->read(places[i], chunk.points);
        records->finish(chunk);
      });
    };
    if (executor_ != nullptr)
      executor_->for_each(places.size(), decode);
    else
      for (std::size_t i = 0; i < places.size(); ++i) decode(i);
    if (places.empty()) start_stream();
    return whole;
  }

  /// The next chunk, part by part.
  void start_stream() {
    at_chunk(next_chunk_++, [&](const Chunk& chunk) {
      stream_ = make_records(chunk);
      stream_->start(bytes().subspan(chunk.offset, chunk.size), chunk);
      left_ = chunk.points;
    });
  }

  std::unique_ptr<ChunkRecords> make_records(const Chunk& chunk) const {
    if (!chunk.open_ended && LayeredPoints::supports(header(), record_)) return std::make_unique<LayeredRecords>(header(), record_);
    return std::make_unique<LaszipRecords>(header(), record_);
  }

  template <class Action>
  void at_chunk(std::size_t index, Action&& action) const {
    try {
      action(chunks_[index]);
    } catch (const CorruptData& error) {
      throw CorruptData("chunk " + std::to_string(index + 1) + " of " + std::to_string(chunks_.size()) + " is damaged: " + error.what() +
                        "; copy the file again");
    }
  }

  const LaszipRecord record_;
  const std::vector<Chunk> chunks_;
  Executor* const executor_;
  std::size_t next_chunk_ = 0;
  std::vector<std::byte> kept_;  ///< the records of a chunk, of which the last kept_left_ were not asked for yet
  std::uint64_t kept_left_ = 0;
  std::unique_ptr<ChunkRecords> stream_;  ///< of a chunk that is decoded part by part
  std::uint64_t left_ = 0;                ///< points of it that are still to be read
};

}  // namespace

struct RecordReader::Impl {
  std::unique_ptr<RecordSource> source;
};

RecordReader::RecordReader(std::span<const std::byte> bytes, const FileInfo& info, Executor* executor) : impl_(std::make_unique<Impl>()) {
  if (info.header.compressed)
    impl_->source = std::make_unique<CompressedReader>(bytes, info.header, require_laszip_record(info.header, info.vlrs), executor);
  else
    impl_->source = std::make_unique<PlainReader>(bytes, info.header);
}
RecordReader::~RecordReader() = default;
RecordReader::RecordReader(RecordReader&&) noexcept = default;
RecordReader& RecordReader::operator=(RecordReader&&) noexcept = default;

void RecordReader::read(std::span<std::byte> out) { impl_->source->read(out); }

}  // namespace tuile::las
