#include <algorithm>

#include "las/chunk_decoder.hpp"
#include "las/chunk_reader.hpp"
#include "las/laszip_record.hpp"
#include "las/record_format.hpp"

namespace tuile::las {

namespace {

constexpr std::uint64_t stop_interval = 1U << 16;  // points between two looks at the stop token

std::uint32_t layers_for(FieldSet fields) {
  std::uint32_t layers = laszip_DECOMPRESS_SELECTIVE_Z | laszip_DECOMPRESS_SELECTIVE_CLASSIFICATION;
  if (fields.has(Field::intensity)) layers |= laszip_DECOMPRESS_SELECTIVE_INTENSITY;
  if (fields.has(Field::rgb)) layers |= laszip_DECOMPRESS_SELECTIVE_RGB;
  if (fields.has(Field::nir)) layers |= laszip_DECOMPRESS_SELECTIVE_NIR;
  return layers;
}

class LaszipDecoder final : public ChunkDecoder {
 public:
  explicit LaszipDecoder(const DecodeJob& job)
      : job_(job),
        extended_(record_format(job.info.header.point_format).extended),
        reader_(job.info.header, require_laszip_record(job.info.header, job.info.vlrs), layers_for(job.fields)) {}

  void decode(const Chunk& chunk, std::span<const std::byte> bytes, PointSink& sink) override {
    reader_.start(bytes, chunk.points);
    for (std::uint64_t done = 0; done < chunk.points;) {
      job_.check_stop();
      const std::uint64_t end = std::min(chunk.points, done + stop_interval);
      if (extended_) {
        for (; done < end; ++done) {
          reader_.next();
          sink.put(extended(reader_.point()), chunk.first_point + done);
        }
      } else {
        for (; done < end; ++done) {
          reader_.next();
          sink.put(legacy(reader_.point()), chunk.first_point + done);
        }
      }
    }
    if (!chunk.open_ended) reader_.finish();
  }

 private:
  static RawPoint extended(const laszip_point& p) noexcept {
    return {p.X,      p.Y,      p.Z,      p.intensity, p.extended_return_number, p.extended_number_of_returns, p.extended_classification,
            p.rgb[0], p.rgb[1], p.rgb[2], p.rgb[3]};
  }
  static RawPoint legacy(const laszip_point& p) noexcept {
    return {p.X, p.Y, p.Z, p.intensity, p.return_number, p.number_of_returns, p.classification, p.rgb[0], p.rgb[1], p.rgb[2], 0};
  }

  const DecodeJob& job_;
  bool extended_;
  ChunkReader reader_;
};

}  // namespace

std::unique_ptr<ChunkDecoder> make_laszip_decoder(const DecodeJob& job) { return std::make_unique<LaszipDecoder>(job); }

}  // namespace tuile::las
