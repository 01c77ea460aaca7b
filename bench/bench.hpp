#pragma once

#include <string>
#include <vector>

#include "row.hpp"
#include "tuile/core/executor.hpp"
#include "tuile/core/point_block.hpp"

namespace tuile::bench {

// Rows about one step on the points of one tile. The points must not be empty; runs are alternating ones, at least 1.

/// LAZ decode of the fields that lod2 needs, on all threads, against LASzip on one thread with full records. All files together;
/// uncompressed ones are passed over.
Row bench_decode(const std::vector<std::string>& paths, Executor& executor, int runs);

/// Building the search tree against building nanoflann's index, on one thread and on all that each can use.
std::vector<Row> bench_tree(const PointBlock& points, Executor& executor, int runs);

/// The neighbourhood columns of the feature sets over k = 10, 20, 50 and a radius of 1 m, search tree included, against nanoflann and Eigen
/// making four of them on the same threads.
std::vector<Row> bench_features(const PointBlock& points, Executor& executor, int runs);

/// Height above ground against the lod2 eigen-features of the same points.
std::vector<Row> bench_ground(const PointBlock& points, Executor& executor, int runs);

/// Features and decode over 1, 2, 4 … threads, and features over the number of points.
std::vector<Row> bench_scaling(const PointBlock& points, const std::string& tile, Executor& executor, int runs);

/// Labelling the points by 5 000 areas with holes in nine layers, with the conditions of the default layers, against the lod2 features of
/// the same points.
Row bench_labels(const PointBlock& points, Executor& executor, int runs);

/// The lod2 features of the points as NPZ, published, against write(2) and fsync of the same bytes; and as LAZ beside the records of an
/// input that is made of the points, read and decoded again, against one LASzip writer that has the records in memory. In a temporary
/// folder.
std::vector<Row> bench_write(const PointBlock& points, Executor& executor, int runs);

/// The 99.9th percentile of preload_tile calls while loads are under way.
Row bench_preload_call();

// Rows about whole runs.

class Workload;

/// `process` from the local disk: wall time against CPU time over cores, against the sequential run, and what compute waited for.
std::vector<Row> bench_pipeline(Workload& workload);

/// `process` from a slow store over HTTP, and with a slow WFS, against what waiting and computing could at best come to.
std::vector<Row> bench_slow_store(Workload& workload);
std::vector<Row> bench_slow_wfs(Workload& workload);

/// The settings that the program chooses against the best of a grid of fixed ones, on a local disk, a slow store and a slow WFS.
std::vector<Row> bench_autotune_fast_disk(Workload& workload);
std::vector<Row> bench_autotune_slow_store(Workload& workload);
std::vector<Row> bench_autotune_slow_wfs(Workload& workload);

/// What a point costs, in time and memory, in 100 tiles against 10.
std::vector<Row> bench_growth(Workload& workload);

/// Memory of a process against its budget, of a cached point, and how often points are decoded.
std::vector<Row> bench_memory(Workload& workload);

/// Decode amplification of adjoining COPC tiles, in the bytes of a single one where they are fewer than a hundred. options().copc must not
/// be empty.
Row bench_copc_amplification(Workload& workload);

}  // namespace tuile::bench
