#include "las/extra_layers.hpp"

#include <array>
#include <cstdint>
#include <utility>

#include "las/layer_writer.hpp"

namespace tuile::las {

namespace {

/// Which models and which last value a record uses: those of its scanner channel. Items of version 3 hear of a channel only where it
/// changes, and the first record after a change to a channel that came up before is still predicted by the channel before.
struct Place {
  std::uint8_t models = 0, last = 0;
  bool fresh = false;  ///< the models begin here, with the last value of `from`
  std::uint8_t from = 0;
};

std::uint8_t channel_of(const std::byte* record) { return static_cast<std::uint8_t>(std::to_integer<unsigned>(record[15]) >> 4U & 3U); }

std::vector<Place> places_of(std::span<const std::byte> records, std::size_t length) {
  const std::size_t count = records.size() / length;
  std::vector<Place> places(count);
  std::array<bool, 4> used{};
  std::uint8_t channel = channel_of(records.data()), now = channel;
  used[now] = true;
  for (std::size_t i = 1; i < count; ++i) {
    const std::uint8_t next = channel_of(records.data() + i * length);
    const std::uint8_t told = next != channel ? next : std::uint8_t{0};
    channel = next;
    Place& place = places[i];
    place = {told, now, false, now};
    if (told != now) {
      place.fresh = !used[told];
      if (place.fresh) place.last = told;
      used[told] = true;
      now = told;
    }
  }
  return places;
}

bool never_changes(const std::byte* byte, std::size_t count, std::size_t length) {
  std::size_t i = 1;
  while (i < count && byte[i * length] == byte[0]) ++i;
  return i >= count;
}

}  // namespace

ExtraLayers compress_extra_bytes(std::span<const std::byte> records, std::size_t length, std::size_t from) {
  const std::size_t count = records.size() / length;
  bool one_channel = true;
  for (std::size_t i = 0; i < count; ++i) one_channel = one_channel && channel_of(records.data() + i * length) == 0;
  const std::vector<Place> places = one_channel ? std::vector<Place>() : places_of(records, length);
  const std::uint8_t first_channel = channel_of(records.data());

  std::array<FastModel, 4> models;
  std::array<FastModel*, 4> pointers{};
  for (std::size_t i = 0; i < models.size(); ++i) {
    models[i].set_symbols(256);
    pointers[i] = &models[i];
  }
  ModelMemory memory;
  memory.place(pointers);
  LayerWriter layer(count);
  ExtraLayers layers;
  for (std::size_t at = from; at < length; ++at) {
    const std::byte* const bytes = records.data() + at;
    if (never_changes(bytes, count, length)) {
      layers.sizes.push_back(0);
      continue;
    }
    for (FastModel& model : models) model.reset();
    layer.restart();
    std::array<std::uint32_t, 4> last{};
    last[first_channel] = std::to_integer<std::uint32_t>(bytes[0]);
    if (one_channel) {
      LayerWriter out = std::move(layer);  // its own copy: in registers
      std::uint32_t before = last[0];
      for (std::size_t i = 1; i < count; ++i) {
        const auto value = std::to_integer<std::uint32_t>(bytes[i * length]);
        out.symbol(models[0], (value - before) & 0xFFU);
        before = value;
      }
      layer = std::move(out);
    } else {
      for (std::size_t i = 1; i < count; ++i) {
        const Place& place = places[i];
        if (place.fresh) last[place.models] = last[place.from];
        const auto value = std::to_integer<std::uint32_t>(bytes[i * length]);
        layer.symbol(models[place.models], (value - last[place.last]) & 0xFFU);
        last[place.last] = value;
      }
    }
    const std::span<const std::byte> done = layer.finish();
    layers.sizes.push_back(static_cast<std::uint32_t>(done.size()));
    layers.bytes.insert(layers.bytes.end(), done.begin(), done.end());
  }
  return layers;
}

}  // namespace tuile::las
