#include "tuile/prefetch/tile_annotator.hpp"

#include <optional>
#include <utility>

#include "tuile/core/error.hpp"

namespace tuile::prefetch {

namespace {

/// Images under way.
struct ImageFetch {
  std::shared_ptr<imagery::Colours> colours;
  BackgroundFetch::Ticket ticket;
};

std::optional<ImageFetch> start_images(const TileAnnotator::Options& options, const TileAnnotator::Place& place) {
  if (options.images == nullptr || options.colours.bits == 0 || place.bounds.empty()) return std::nullopt;
  auto colours = std::make_shared<imagery::Colours>();
  if (place.epsg == 0) {
    const auto outcome_of = [&](Field field) { return options.colours.has(field) ? Outcome::failed : Outcome::not_requested; };
    colours->rgb_outcome = outcome_of(Field::rgb);
    colours->nir_outcome = outcome_of(Field::nir);
    colours->kind = ErrorKind::unsupported;
    colours->reason = "the tile's coordinate reference system is unknown; name it with crs:";
    return ImageFetch{colours, options.image_threads->submit([](std::stop_token) {})};
  }
  auto ticket = options.image_threads->submit([colours, place, options](std::stop_token stop) {
    *colours = options.images->fetch(place.bounds, place.epsg, options.colours, std::move(stop));
  });
  return ImageFetch{std::move(colours), std::move(ticket)};
}

}  // namespace

Tile TileAnnotator::load(const TileRequest& request, const Place& place, std::stop_token stop) const {
  std::shared_ptr<const TruthTicket> truth;
  if (options_.truth != nullptr) {
    if (place.epsg == 0)
      throw InvalidArgument(request.path + ": ground truth needs the tile's coordinate reference system, which neither the file nor its name tells; name it with crs:");
    truth = options_.truth->start(place.bounds, place.epsg);
  }
  const std::optional<ImageFetch> images = start_images(options_, place);
  Tile tile = reader_.load(request, stop);
  tile.truth = std::move(truth);
  if (images) {
    images->ticket.wait(stop);
    const imagery::Colours& colours = *images->colours;
    imagery::colourise(tile.points, colours, options_.colours, executor_);
    tile.colours = ColourReport{colours.rgb_outcome, colours.nir_outcome, colours.reason, colours.kind};
  }
  return tile;
}

}  // namespace tuile::prefetch
