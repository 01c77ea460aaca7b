#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "las/chunk_reader.hpp"
#include "las/chunk_table.hpp"
#include "las/laszip_record.hpp"
#include "las/record_codec.hpp"
#include "tuile/core/error.hpp"
#include "tuile/las/records.hpp"

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
    if (out.size() % header_.record_length != 0) {
      throw InvalidArgument("a buffer of " + std::to_string(out.size()) + " bytes does not hold whole records of " +
                            std::to_string(header_.record_length) + " bytes");
    }
    const std::uint64_t count = out.size() / header_.record_length;
    if (count > header_.point_count - done_) {
      throw CorruptData(std::to_string(count) + " records are wanted but only " + std::to_string(header_.point_count - done_) +
                        " of the file's " + std::to_string(header_.point_count) + " are left");
    }
    fill(out.data(), count);
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

class LaszipReader final : public RecordSource {
 public:
  LaszipReader(std::span<const std::byte> file, const Header& file_header, const LaszipRecord& record)
      : RecordSource(file, file_header),
        chunks_(read_chunks(file, file_header, record)),
        codec_(file_header.point_format, file_header.record_length),
        reader_(file_header, record, laszip_DECOMPRESS_SELECTIVE_ALL) {}

 private:
  void fill(std::byte* out, std::uint64_t count) override {
    try {
      for (std::uint64_t i = 0; i < count; ++i, out += header().record_length) {
        if (left_ == 0) {
          const Chunk& chunk = chunks_[next_chunk_++];
          reader_.start(bytes().subspan(chunk.offset, chunk.size), chunk.points);
          left_ = chunk.points;
        }
        reader_.next();
        codec_.to_record(reader_.point(), out);
        if (--left_ == 0 && !chunks_[next_chunk_ - 1].open_ended) reader_.finish();
      }
    } catch (const CorruptData& error) {
      throw CorruptData("chunk " + std::to_string(next_chunk_) + " of " + std::to_string(chunks_.size()) + " is damaged: " + error.what() +
                        "; copy the file again");
    }
  }

  std::vector<Chunk> chunks_;
  RecordCodec codec_;
  ChunkReader reader_;
  std::size_t next_chunk_ = 0;
  std::uint64_t left_ = 0;  ///< points of the chunk before next_chunk_ that are still to be read
};

}  // namespace

struct RecordReader::Impl {
  std::unique_ptr<RecordSource> source;
};

RecordReader::RecordReader(std::span<const std::byte> bytes, const FileInfo& info) : impl_(std::make_unique<Impl>()) {
  if (info.header.compressed)
    impl_->source = std::make_unique<LaszipReader>(bytes, info.header, require_laszip_record(info.header, info.vlrs));
  else
    impl_->source = std::make_unique<PlainReader>(bytes, info.header);
}
RecordReader::~RecordReader() = default;
RecordReader::RecordReader(RecordReader&&) noexcept = default;
RecordReader& RecordReader::operator=(RecordReader&&) noexcept = default;

void RecordReader::read(std::span<std::byte> out) { impl_->source->read(out); }

}  // namespace tuile::las
