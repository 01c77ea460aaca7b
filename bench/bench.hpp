#pragma once

#include <string>
#include <vector>

#include "row.hpp"
#include "tuile/core/executor.hpp"
#include "tuile/core/point_block.hpp"

namespace tuile::bench {

/// LAZ decode of the fields that lod2 needs, on all threads, against LASzip on one thread with full records. All files together;
/// uncompressed ones are passed over.
Row bench_decode(const std::vector<std::string>& paths, Executor& executor, int runs);

/// lod2 features (k = 20) and radius features (1 m), search tree included, against nanoflann and Eigen on the same threads.
std::vector<Row> bench_features(const PointBlock& points, Executor& executor, int runs);

/// Labelling the points by 5 000 areas with holes in nine layers, with the conditions of the default layers, against the lod2 features of
/// the same points.
Row bench_labels(const PointBlock& points, Executor& executor, int runs);

/// The lod2 features of the points as NPZ, published, against write(2) and fsync of the same bytes; and as LAZ beside the records of an input
/// that is made of the points, read and decoded again, against one LASzip writer that has the records in memory. In a temporary folder.
std::vector<Row> bench_write(const PointBlock& points, Executor& executor, int runs);

/// Whole `process` runs of the tiles into a temporary folder: wall time against CPU time over cores, and against the sequential run.
/// threads: computing threads, 0 for all.
std::vector<Row> bench_pipeline(const std::vector<std::string>& paths, int threads, int runs);

/// The 99.9th percentile of preload_tile calls while loads are under way.
Row bench_preload_call();

}  // namespace tuile::bench
