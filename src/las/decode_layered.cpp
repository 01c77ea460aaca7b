#include <algorithm>

#include "las/chunk_decoder.hpp"
#include "las/layered_points.hpp"

namespace tuile::las {

namespace {

constexpr std::uint64_t stop_interval = 1U << 16;  // points between two looks at the stop token

LayeredChoice choice_for(FieldSet fields) {
  LayeredChoice choice;
  choice.flags = choice.scan_angle = choice.user_data = choice.source = choice.time = choice.extra = false;
  choice.intensity = fields.has(Field::intensity);
  choice.rgb = fields.has(Field::rgb);
  choice.nir = fields.has(Field::nir);
  return choice;
}

class LayeredDecoder final : public ChunkDecoder {
 public:
  LayeredDecoder(const DecodeJob& job, const LaszipRecord& record) : job_(job), points_(job.info.header, record, choice_for(job.fields)) {}

  void decode(const Chunk& chunk, std::span<const std::byte> bytes, PointSink& sink) override {
    points_.start(bytes, chunk.points);
    for (std::uint64_t done = 0; done < chunk.points;) {
      job_.check_stop();
      const std::uint64_t end = std::min(chunk.points, done + stop_interval);
      for (; done < end; ++done) {
        const LayeredPoint& p = points_.next();
        sink.put({p.x, p.y, p.z, p.intensity, p.return_number, p.number_of_returns, p.classification, p.colour[0], p.colour[1], p.colour[2],
                  p.colour[3]},
                 chunk.first_point + done);
      }
    }
  }

 private:
  const DecodeJob& job_;
  LayeredPoints points_;
};

}  // namespace

std::unique_ptr<ChunkDecoder> make_layered_decoder(const DecodeJob& job, const LaszipRecord& record) {
  return std::make_unique<LayeredDecoder>(job, record);
}

}  // namespace tuile::las
