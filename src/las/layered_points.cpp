#include "las/layered_points.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "las/byte_reader.hpp"
#include "las/layered_models.hpp"
#include "las/record_format.hpp"
#include "tuile/core/error.hpp"

namespace tuile::las {

namespace {

/// What a symbol says of the change from the point before.
enum Change : std::uint32_t {
  returns_mask = 3,
  number_changes = 4,
  angle_changes = 8,
  time_changes = 16,
  source_changes = 32,
  channel_changes = 64
};

constexpr std::uint32_t without_last_bit(std::uint32_t value) { return value & ~1U; }

/// The low or high byte of a 16-bit number.
constexpr int low(std::uint16_t value) { return value & 0xFF; }
constexpr int high(std::uint16_t value) { return value >> 8; }
constexpr std::uint16_t joined(int low_byte, int high_byte) {
  return static_cast<std::uint16_t>((low_byte & 0xFF) | (high_byte & 0xFF) << 8);
}
constexpr int clamped(int value) { return std::clamp(value, 0, 255); }

/// What a channel counts is made when the channel first comes up, and kept for later chunks.
template <class Models, class... Arguments>
Models& ready(std::unique_ptr<Models>& models, const Arguments&... arguments) {
  if (!models) models = std::make_unique<Models>(arguments...);
  return *models;
}

}  // namespace

bool LayeredPoints::supports(const Header& header, const LaszipRecord& record) noexcept {
  if (record.compressor() != LaszipCompressor::layered_chunked || header.point_format < 6 || header.point_format > 8) return false;
  const std::uint16_t version = record.items.front().version;
  const auto same = [version](const LaszipItem& item) { return item.version == version; };
  return (version == 3 || version == 4) && std::all_of(record.items.begin(), record.items.end(), same);
}

LayeredPoints::LayeredPoints(const Header& header, const LaszipRecord& record, const LayeredChoice& choice)
    : header_(header),
      choice_(choice),
      rgb_(record_format(header.point_format).rgb != 0),
      nir_(record_format(header.point_format).nir != 0),
      extra_bytes_(header.record_length - record_format(header.point_format).length),
      old_switch_(record.items.front().version == 3),
      layers_(record.layer_count()),
      extra_now_(extra_bytes_) {}

LayeredPoints::~LayeredPoints() = default;

void LayeredPoints::open_layers(std::span<const std::byte> chunk, std::uint64_t points) {
  ByteReader in(chunk, "the head of a chunk");
  in.take(header_.record_length);
  const auto count = in.get<std::uint32_t>();
  if (count != points) {
    throw CorruptData("the chunk says that it holds " + std::to_string(count) + " points; the chunk table says " + std::to_string(points));
  }
  const std::span<const std::byte> sizes = in.take(layers_.size() * sizeof(std::uint32_t));
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < layers_.size(); ++i) total += load<std::uint32_t>(sizes.data() + 4 * i);
  if (total != in.remaining()) {
    throw CorruptData("the layers of the chunk have " + std::to_string(total) + " bytes together; " + std::to_string(in.remaining()) +
                      " are there");
  }
  const std::array<bool, point_layers> wanted{
      true,           choice_.z,   choice_.classification, choice_.flags, choice_.intensity, choice_.scan_angle, choice_.user_data,
      choice_.source, choice_.time};
  std::size_t layer = 0;
  const auto open = [&](bool is_wanted) {
    const auto bytes = in.take(load<std::uint32_t>(sizes.data() + 4 * layer));
    layers_[layer++].open(is_wanted ? bytes : std::span<const std::byte>());
  };
  for (const bool is_wanted : wanted) open(is_wanted);
  if (rgb_) open(choice_.rgb);
  if (nir_) open(choice_.nir);
  for (std::size_t i = 0; i < extra_bytes_; ++i) open(choice_.extra);
  if (points > 1 && layers_[xy].empty()) throw CorruptData("the chunk has several points and no layer of their coordinates");
}

void LayeredPoints::start(std::span<const std::byte> chunk, std::uint64_t points) {
  open_layers(chunk, points);
  for (const auto& each : channels_)
    if (each) each->used = false;
  for (const auto& each : colours_)
    if (each) each->used = false;
  for (const auto& each : extras_)
    if (each) each->used = false;
  const std::byte* const record = chunk.data();
  const RecordFormat& format = record_format(header_.point_format);
  point_ = {};
  point_.x = load<std::int32_t>(record);
  point_.y = load<std::int32_t>(record + 4);
  point_.z = load<std::int32_t>(record + 8);
  point_.intensity = load<std::uint16_t>(record + 12);
  const auto returns = load<std::uint8_t>(record + 14), bits = load<std::uint8_t>(record + 15);
  point_.return_number = returns & 15U;
  point_.number_of_returns = static_cast<std::uint8_t>(returns >> 4U);
  point_.flags = static_cast<std::uint8_t>((bits & 15U) | (bits & 64U) >> 2U | (bits & 128U) >> 2U);
  point_.channel = static_cast<std::uint8_t>((bits >> 4U) & 3U);
  point_.classification = load<std::uint8_t>(record + 16);
  point_.user_data = load<std::uint8_t>(record + 17);
  point_.scan_angle = load<std::int16_t>(record + 18);
  point_.source = load<std::uint16_t>(record + 20);
  point_.time = load<std::uint64_t>(record + format.gps_time);
  for (std::size_t i = 0; i < (nir_ ? 4U : rgb_ ? 3U : 0U); ++i) point_.colour[i] = load<std::uint16_t>(record + format.rgb + 2 * i);
  std::copy_n(record + format.length, extra_bytes_, extra_now_.begin());

  channel_now_ = context_ = colour_now_ = extra_channel_now_ = point_.channel;
  ready(channels_[channel_now_]).begin(point_);
  if (rgb_ && (choice_.rgb || choice_.nir)) ready(colours_[colour_now_]).begin(point_.colour);
  if (extra_bytes_ > 0 && choice_.extra) ready(extras_[extra_channel_now_], extra_bytes_).begin(extra_now_);
  first_ = true;
}

const LayeredPoint& LayeredPoints::next() {
  if (first_) {
    first_ = false;
    return point_;
  }
  decode_point();
  if (rgb_ && (choice_.rgb || choice_.nir)) decode_colours();
  if (extra_bytes_ > 0 && choice_.extra) decode_extra();
  return point_;
}

void LayeredPoints::decode_point() {
  Channel* models = channels_[channel_now_].get();
  LayerReader in = layers_[xy];  // its own copy: in registers
  // The context: is the last point the first or the last of its pulse, and did its time change?
  const std::size_t before = (models->last.return_number == 1 ? 1U : 0U) +
                             (models->last.return_number >= models->last.number_of_returns ? 2U : 0U) + (models->time_changed ? 4U : 0U);
  const std::uint32_t changes = in.symbol(models->changes[before]);
  if (old_switch_) context_ = 0;
  if ((changes & channel_changes) != 0) {
    const std::size_t to = (channel_now_ + in.symbol(models->channel_step) + 1) % 4;
    Channel& next = ready(channels_[to]);
    if (!next.used) next.begin(models->last);
    models = &next;
    models->last.channel = static_cast<std::uint8_t>(to);
    channel_now_ = to;
    context_ = to;
  }
  if (!old_switch_) context_ = channel_now_;
  LayeredPoint& p = models->last;
  const bool new_time = (changes & time_changes) != 0;

  const std::uint32_t last_n = p.number_of_returns, last_r = p.return_number;
  const std::uint32_t n = (changes & number_changes) != 0 ? in.symbol(models->numbers_of_returns[last_n]) : last_n;
  std::uint32_t r = last_r;
  switch (changes & returns_mask) {
    case 0: break;
    case 1: r = (last_r + 1) % 16; break;
    case 2: r = (last_r + 15) % 16; break;
    default: r = new_time ? in.symbol(models->return_numbers[last_r]) : (last_r + in.symbol(models->return_step) + 2) % 16;
  }
  p.number_of_returns = static_cast<std::uint8_t>(n);
  p.return_number = static_cast<std::uint8_t>(r);

  const bool lone = n == 1;
  const std::size_t median = std::size_t{return_context(n, r)} * 2 + (new_time ? 1 : 0);
  const std::uint32_t step_x = models->dx.next(in, static_cast<std::uint32_t>(models->median_x[median].get()), lone);
  models->median_x[median].add(static_cast<std::int32_t>(step_x));
  p.x = static_cast<std::int32_t>(static_cast<std::uint32_t>(p.x) + step_x);
  const std::uint32_t size_x = models->dx.magnitude();
  const std::uint32_t step_y = models->dy.next(in, static_cast<std::uint32_t>(models->median_y[median].get()),
                                               (lone ? 1U : 0U) + (size_x < 20 ? without_last_bit(size_x) : 20U));
  models->median_y[median].add(static_cast<std::int32_t>(step_y));
  p.y = static_cast<std::int32_t>(static_cast<std::uint32_t>(p.y) + step_y);

  layers_[xy] = in;

  if (!layers_[z].empty()) {
    const std::uint32_t size = (size_x + models->dy.magnitude()) / 2;
    std::int32_t& last_z = models->last_z[n > r ? std::min(n - r, 7U) : std::min(r - n, 7U)];
    last_z = p.z = static_cast<std::int32_t>(
        models->dz.next(layers_[z], static_cast<std::uint32_t>(last_z), (lone ? 1U : 0U) + (size < 18 ? without_last_bit(size) : 18U)));
  }
  const std::size_t place = (r == 1 ? 2U : 0U) + (r >= n ? 1U : 0U);  // in the pulse: 3 alone, 2 first, 1 last, 0 between
  if (!layers_[classification].empty()) {
    const std::size_t context = (p.classification & 31U) * 2U + (place == 3 ? 1 : 0);
    p.classification = static_cast<std::uint8_t>(layers_[classification].symbol(models->classes[context]));
  }
  if (!layers_[flags].empty()) p.flags = static_cast<std::uint8_t>(layers_[flags].symbol(models->flags[p.flags]));
  if (!layers_[intensity].empty()) {
    std::uint16_t& last = models->last_intensity[place * 2 + (new_time ? 1 : 0)];
    last = p.intensity = static_cast<std::uint16_t>(models->intensity.next(layers_[intensity], last, place));
  }
  if ((changes & angle_changes) != 0 && !layers_[scan_angle].empty()) {
    const auto last = static_cast<std::uint32_t>(p.scan_angle);
    p.scan_angle = static_cast<std::int16_t>(models->scan_angle.next(layers_[scan_angle], last, new_time ? 1 : 0));
  }
  if (!layers_[user_data].empty()) p.user_data = static_cast<std::uint8_t>(layers_[user_data].symbol(models->user_data[p.user_data / 4U]));
  if ((changes & source_changes) != 0 && !layers_[source].empty()) {
    p.source = static_cast<std::uint16_t>(models->source.next(layers_[source], p.source, 0));
  }
  if (new_time && !layers_[time].empty()) p.time = models->time.next(layers_[time]);
  models->time_changed = new_time;

  const std::array<std::uint16_t, 4> colour = point_.colour;
  point_ = p;
  point_.colour = colour;
}

void LayeredPoints::decode_colours() {
  std::size_t owner = colour_now_;
  if (context_ != colour_now_) {
    colour_now_ = context_;
    Colours& next = ready(colours_[context_]);
    const bool fresh = !next.used;
    if (fresh) next.begin(colours_[owner]->last);
    if (fresh || !old_switch_) owner = context_;
  }
  Colours& models = *colours_[colour_now_];
  std::array<std::uint16_t, 4>& last = colours_[owner]->last;
  if (!layers_[point_layers].empty()) decode_rgb(models, last);
  if (nir_ && !layers_[point_layers + 1].empty()) {
    LayerReader& in = layers_[point_layers + 1];
    const std::uint32_t changes = in.symbol(models.nir_changes);
    const int from = last[3];
    int bytes[2] = {from & 0xFF, from >> 8};
    for (std::size_t i = 0; i < 2; ++i)
      if ((changes >> i & 1U) != 0) bytes[i] += static_cast<int>(in.symbol(models.nir[i]));
    last[3] = joined(bytes[0], bytes[1]);
  }
  point_.colour = last;
}

void LayeredPoints::decode_rgb(Colours& models, std::array<std::uint16_t, 4>& last) {
  LayerReader in = layers_[point_layers];
  const std::uint32_t changes = in.symbol(models.changes);
  // Bits 0, 2, 4: the low bytes of red, green, blue; 1, 3, 5: the high ones; 6: the three differ.
  const auto corrected = [&](std::size_t which, int prediction, int unchanged) {
    return (changes >> which & 1U) != 0 ? (prediction + static_cast<int>(in.symbol(models.rgb[which]))) & 0xFF : unchanged;
  };
  const std::array<std::uint16_t, 4> from = last;
  const int red_low = corrected(0, low(from[0]), low(from[0]));
  const int red_high = corrected(1, high(from[0]), high(from[0]));
  last[0] = joined(red_low, red_high);
  if ((changes & 64U) == 0) {
    last[1] = last[2] = last[0];
    layers_[point_layers] = in;
    return;
  }
  int step = red_low - low(from[0]);
  const int green_low = corrected(2, clamped(step + low(from[1])), low(from[1]));
  const int blue_low = corrected(4, clamped((step + green_low - low(from[1])) / 2 + low(from[2])), low(from[2]));
  step = red_high - high(from[0]);
  const int green_high = corrected(3, clamped(step + high(from[1])), high(from[1]));
  const int blue_high = corrected(5, clamped((step + green_high - high(from[1])) / 2 + high(from[2])), high(from[2]));
  layers_[point_layers] = in;
  last[1] = joined(green_low, green_high);
  last[2] = joined(blue_low, blue_high);
}

void LayeredPoints::decode_extra() {
  std::size_t owner = extra_channel_now_;
  if (context_ != extra_channel_now_) {
    extra_channel_now_ = context_;
    Extra& next = ready(extras_[context_], extra_bytes_);
    const bool fresh = !next.used;
    if (fresh) next.begin(extras_[owner]->last);
    if (fresh || !old_switch_) owner = context_;
  }
  Extra& models = *extras_[extra_channel_now_];
  std::vector<std::byte>& last = extras_[owner]->last;
  LayerReader* const layers = layers_.data() + point_layers + (rgb_ ? 1 : 0) + (nir_ ? 1 : 0);
  for (std::size_t i = 0; i < extra_bytes_; ++i) {
    if (!layers[i].empty()) last[i] = static_cast<std::byte>(std::to_integer<std::uint32_t>(last[i]) + layers[i].symbol(models.steps[i]));
  }
  extra_now_ = last;
}

void LayeredPoints::to_record(std::byte* record) const noexcept {
  const RecordFormat& format = record_format(header_.point_format);
  const LayeredPoint& p = point_;
  store(record, p.x);
  store(record + 4, p.y);
  store(record + 8, p.z);
  store(record + 12, p.intensity);
  store(record + 14, static_cast<std::uint8_t>(p.return_number | p.number_of_returns << 4U));
  store(record + 15, static_cast<std::uint8_t>((p.flags & 15U) | p.channel << 4U | (p.flags & 48U) << 2U));
  store(record + 16, p.classification);
  store(record + 17, p.user_data);
  store(record + 18, p.scan_angle);
  store(record + 20, p.source);
  store(record + format.gps_time, p.time);
  for (std::size_t i = 0; i < (nir_ ? 4U : rgb_ ? 3U : 0U); ++i) store(record + format.rgb + 2 * i, p.colour[i]);
  std::copy(extra_now_.begin(), extra_now_.end(), record + format.length);
}

}  // namespace tuile::las
