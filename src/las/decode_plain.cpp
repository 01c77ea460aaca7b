#include "las/byte_reader.hpp"
#include "las/chunk_decoder.hpp"
#include "las/record_format.hpp"

namespace tuile::las {

namespace {

class PlainDecoder final : public ChunkDecoder {
 public:
  explicit PlainDecoder(const DecodeJob& job)
      : format_(record_format(job.info.header.point_format)), length_(job.info.header.record_length) {}

  void decode(const Chunk& chunk, std::span<const std::byte> bytes, PointSink& sink) override {
    const std::byte* record = bytes.data();
    for (std::uint64_t i = 0; i < chunk.points; ++i, record += length_) sink.put(parse(record), chunk.first_point + i);
  }

 private:
  RawPoint parse(const std::byte* record) const noexcept {
    RawPoint point{};
    point.x = load<std::int32_t>(record);
    point.y = load<std::int32_t>(record + 4);
    point.z = load<std::int32_t>(record + 8);
    point.intensity = load<std::uint16_t>(record + 12);
    const auto returns = load<std::uint8_t>(record + 14);
    const auto classification = load<std::uint8_t>(record + format_.classification);
    if (format_.extended) {
      point.return_number = returns & 15U;
      point.number_of_returns = returns >> 4U;
      point.classification = classification;
    } else {
      point.return_number = returns & 7U;
      point.number_of_returns = (returns >> 3U) & 7U;
      point.classification = classification & 31U;
    }
    if (format_.rgb != 0) {
      point.red = load<std::uint16_t>(record + format_.rgb);
      point.green = load<std::uint16_t>(record + format_.rgb + 2);
      point.blue = load<std::uint16_t>(record + format_.rgb + 4);
    }
    if (format_.nir != 0) point.nir = load<std::uint16_t>(record + format_.nir);
    return point;
  }

  RecordFormat format_;
  std::size_t length_;
};

}  // namespace

std::unique_ptr<ChunkDecoder> make_plain_decoder(const DecodeJob& job) { return std::make_unique<PlainDecoder>(job); }

}  // namespace tuile::las
