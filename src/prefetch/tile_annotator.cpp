#include "prefetch/tile_annotator.hpp"

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

/// Colours that could not be had.
imagery::Colours failed_colours(FieldSet wanted, ErrorKind kind, std::string reason) {
  const auto outcome_of = [&](Field field) { return wanted.has(field) ? Outcome::failed : Outcome::not_requested; };
  imagery::Colours colours;
  colours.rgb_outcome = outcome_of(Field::rgb);
  colours.nir_outcome = outcome_of(Field::nir);
  colours.kind = kind;
  colours.reason = std::move(reason);
  return colours;
}

/// Why nothing can be asked for by a place; empty where something can.
std::string problem_of(const TileAnnotator::Place& place) {
  if (place.epsg == 0)
    return "the tile's coordinate reference system is unknown: neither the file nor its name tells it; name it with crs:";
  if (!place.counts_in_metres)
    return "the tile's coordinate reference system (EPSG:" + std::to_string(place.epsg) +
           ") does not count in metres; reproject the tile to one that does";
  return {};
}

std::optional<ImageFetch> start_images(const TileAnnotator::Options& options, const TileAnnotator::Place& place) {
  if (options.images == nullptr || options.colours.bits == 0 || place.bounds.empty()) return std::nullopt;
  auto colours = std::make_shared<imagery::Colours>();
  if (std::string problem = problem_of(place); !problem.empty()) {
    *colours = failed_colours(options.colours, ErrorKind::unsupported, std::move(problem));
    return ImageFetch{colours, options.image_threads->submit([](std::stop_token) {})};
  }
  auto ticket = options.image_threads->submit([colours, place, options](std::stop_token stop) {
    *colours = options.images->fetch(place.bounds, place.epsg, options.colours, std::move(stop));
  });
  return ImageFetch{std::move(colours), std::move(ticket)};
}

/// The images, or what to say where they do not come in time: a column is lost, not the tile.
imagery::Colours wait_for(const ImageFetch& images, const TileAnnotator::Options& options, std::chrono::steady_clock::time_point deadline,
                          const std::stop_token& stop) {
  try {
    images.ticket.wait(stop, deadline);
    return std::move(*images.colours);
  } catch (const TimeoutError&) {
    return failed_colours(options.colours, ErrorKind::timeout,
                          "the images did not come in time; raise prefetch.timeout, or ask for coarser ones");
  }
}

}  // namespace

Tile TileAnnotator::load(const TileRequest& request, const Place& place, std::stop_token stop) const {
  std::shared_ptr<const TruthTicket> truth;
  if (options_.truth != nullptr) {
    if (const std::string problem = problem_of(place); !problem.empty())
      throw_error(place.epsg == 0 ? ErrorKind::invalid_argument : ErrorKind::unsupported,
                  request.path + ": no ground truth can be asked for: " + problem);
    truth = options_.truth->start(place.bounds, place.epsg);
  }
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(options_.patience);
  const std::optional<ImageFetch> images = start_images(options_, place);
  Tile tile = reader_.load(request, stop);
  tile.truth = std::move(truth);
  if (images) {
    const imagery::Colours colours = wait_for(*images, options_, deadline, stop);
    imagery::colourise(tile.points, colours, options_.colours, executor_);
    tile.colours = ColourReport{colours.rgb_outcome, colours.nir_outcome, colours.reason, colours.kind};
  }
  return tile;
}

}  // namespace tuile::prefetch
