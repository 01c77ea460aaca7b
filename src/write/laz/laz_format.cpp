#include "write/laz/laz_format.hpp"

#include "write/difference.hpp"

namespace tuile::write {

std::unique_ptr<Sink> make_laz(const SinkWish& wish) {
  LazSinkOptions options;
  options.labels = wish.options.laz_labels;
  options.colours = wish.tile.colours;
  options.columns = wish.tile.columns;
  options.original = wish.tile.read_info();
  options.read_original = wish.tile.read_bytes;
  if (wish.tile.rows) options.rows.emplace(wish.tile.rows->begin(), wish.tile.rows->end());
  return make_laz_sink(wish.path, wish.layout, std::move(options), &wish.executor);
}

void check_laz(const std::filesystem::path& path, const Sidecar& sidecar, std::vector<std::string>& problems) {
  const las::FileInfo info = las::read_info(*source::open_file(path.string()));
  if (info.header.point_count != sidecar.rows)
    problems.push_back(differs(path.filename().string() + ": number of points", info.header.point_count, sidecar.rows));
}

}  // namespace tuile::write
