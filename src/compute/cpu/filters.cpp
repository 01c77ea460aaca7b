#include "compute/cpu/filters.hpp"

#include <algorithm>

#include "compute/cpu/filter_pass.hpp"
#include "compute/cpu/voxel.hpp"
#include "compute/preprocess.hpp"
#include "compute/search_reach.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::compute::cpu {

namespace {

class Filters {
 public:
  Filters(const FilterWork& work, const Kernels& kernels)
      : work_(work), kernels_(kernels), marks_(*work.tile.core, work.tile.halo, work.preprocess.exclude_classes, work.executor) {}

  Marks run(TileOutput::Removed& removed) {
    removed.classes = marks_.invalid_core();
    const Preprocess& p = work_.preprocess;
    if (p.statistical_outliers.k > 0) removed.statistical = removed_by([&] { remove_statistical(p.statistical_outliers); });
    if (p.radius_outliers.radius > 0) removed.radius = removed_by([&] { remove_lonely(p.radius_outliers); });
    if (p.voxel > 0) removed.voxel = removed_by([&] { thin(p.voxel); });
    return std::move(marks_);
  }

 private:
  template <class Step>
  std::uint64_t removed_by(Step&& step) {
    const std::uint64_t before = marks_.invalid_core();
    step();
    return marks_.invalid_core() - before;
  }

  TilePoints points() const { return {*work_.tile.core, work_.tile.halo, marks_.view(), work_.executor}; }

  /// held: bytes per point, valid or not, that are kept while blocks are searched.
  FilterSearch search(const TilePoints& points, std::uint64_t held) const {
    return {kernels_, work_.executor, work_.stop, static_cast<std::uint32_t>(marks_.size()),
            points_at_once(points.size(), work_.memory, 0, held * marks_.size())};
  }

  /// Rusu et al. 2008, "Towards 3D point cloud based object maps for household environments", 4.1. Deviations: distances are summed as
  /// integers, the standard deviation is ÷ n.
  void remove_statistical(const Preprocess::StatisticalOutliers& filter) {
    Buffer<std::uint64_t> distances(marks_.size());
    {
      const TilePoints all = points();
      sum_distances(all, static_cast<std::uint32_t>(filter.k), search(all, sizeof(distances[0])), distances.data());
    }
    const double threshold = outlier_threshold(core_sums(distances), filter.deviations);
    marks_.remove_where([&](std::uint32_t index) { return is_outlier(distances[index], threshold); }, work_.executor);
  }

  DistanceSums core_sums(const Buffer<std::uint64_t>& distances) const {
    constexpr std::size_t points_per_task = std::size_t{1} << 16;
    const std::size_t size = marks_.core_size();
    const std::uint8_t* const valid = marks_.view().core;
    Guarded<DistanceSums> sums;
    work_.executor.for_each((size + points_per_task - 1) / points_per_task, [&](std::size_t task) {
      DistanceSums part{};
      for (std::size_t i = task * points_per_task; i < std::min(size, (task + 1) * points_per_task); ++i) {
        if (valid[i] != 0) add_distances(part, distances[i]);
      }
      sums.with([&](DistanceSums& all) { join_sums(all, part); });
    });
    return sums.take();
  }

  void remove_lonely(const Preprocess::RadiusOutliers& filter) {
    Buffer<std::uint8_t> lonely(marks_.size());
    {
      const double scale = work_.tile.core->grid.scale;
      const TilePoints all = points();
      SearchReach reach;
      reach.add_radius(filter.radius, scale);
      find_lonely(all, squared_units(filter.radius, scale), reach, static_cast<std::uint64_t>(std::max(filter.min_neighbors, 0)),
                  search(all, sizeof(lonely[0])), lonely.data());
    }
    marks_.remove_where([&](std::uint32_t index) { return lonely[index] != 0; }, work_.executor);
  }

  void thin(double size) {
    Buffer<std::uint8_t> keep(marks_.size());
    thin_voxels(points(), work_.tile.core->grid, size, work_.executor, work_.stop, keep.data());
    marks_.remove_where([&](std::uint32_t index) { return keep[index] == 0; }, work_.executor);
  }

  const FilterWork& work_;
  const Kernels& kernels_;
  Marks marks_;
};

}  // namespace

Marks preprocess(const FilterWork& work, const Kernels& kernels, TileOutput::Removed& removed) {
  if (!work.preprocess.active()) return {};
  return Filters(work, kernels).run(removed);
}

Marks filter_on_host(const FilterWork& work, TileOutput::Removed& removed) { return preprocess(work, select_kernels(), removed); }

}  // namespace tuile::compute::cpu
