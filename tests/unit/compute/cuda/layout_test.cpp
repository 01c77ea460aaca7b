// The order of the points and the places of the arrays.
#include <array>
#include <cstdlib>
#include <random>
#include <set>

#include "batch_run.hpp"
#include "compute/cuda/carver.hpp"
#include "compute/cuda/hilbert.hpp"

namespace tuile::compute::cuda {
namespace {

TEST(Hilbert, WalksThroughEveryCellByFaces) {
  for (std::uint32_t bits = 1; bits <= 5; ++bits) {
    const std::uint32_t side = 1U << bits;
    std::vector<std::array<int, 3>> cells(std::size_t{side} * side * side, {-1, -1, -1});
    for (std::uint32_t x = 0; x < side; ++x) {
      for (std::uint32_t y = 0; y < side; ++y) {
        for (std::uint32_t z = 0; z < side; ++z) {
          const std::uint64_t at = hilbert_index(x, y, z, bits);
          ASSERT_LT(at, cells.size());
          ASSERT_EQ(cells[at][0], -1) << "two cells in one place";
          cells[at] = {static_cast<int>(x), static_cast<int>(y), static_cast<int>(z)};
        }
      }
    }
    for (std::size_t i = 1; i < cells.size(); ++i) {
      int steps = 0;
      for (std::size_t d = 0; d < 3; ++d) steps += std::abs(cells[i][d] - cells[i - 1][d]);
      ASSERT_EQ(steps, 1) << "from " << i - 1;
    }
  }
}

/// Cells that differ in their lowest bits only follow each other, whatever the number of bits.
TEST(Hilbert, KeepsCubesTogether) {
  std::mt19937 random(1);
  for (const std::uint32_t bits : {10U, 16U, 20U, 21U}) {
    const std::uint32_t mask = (1U << bits) - 1;
    for (int i = 0; i < 200; ++i) {
      const std::uint32_t x = static_cast<std::uint32_t>(random()) & mask & ~7U, y = static_cast<std::uint32_t>(random()) & mask & ~7U,
                          z = static_cast<std::uint32_t>(random()) & mask & ~7U;
      const std::uint64_t cube = hilbert_index(x, y, z, bits) >> 9U;
      std::set<std::uint64_t> places;
      for (std::uint32_t c = 0; c < 512; ++c) {
        const std::uint64_t at = hilbert_index(x + (c & 7U), y + (c >> 3U & 7U), z + (c >> 6U), bits);
        ASSERT_EQ(at >> 9U, cube);
        places.insert(at);
      }
      ASSERT_EQ(places.size(), 512U);
      ASSERT_EQ(cube << 9U >> 3U * bits, 0U);
    }
  }
}

TEST(Carver, ArraysShareOnlyWhatTheyAreToldTo) {
  alignas(256) static std::byte memory[4096];
  Carver measuring(nullptr), carver(memory);
  std::vector<std::pair<std::byte*, std::byte*>> taken;
  for (Carver* c : {&measuring, &carver}) {
    const auto note = [&](auto* at, std::size_t count) {
      if (c == &measuring) {
        EXPECT_EQ(at, nullptr);
        return;
      }
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(at) % 256, 0U);
      taken.emplace_back(reinterpret_cast<std::byte*>(at), reinterpret_cast<std::byte*>(at + count));
    };
    note(c->take<char>(1), 1);
    note(c->take<double>(33), 33);
    const std::size_t shared = c->position();
    note(c->take<int>(500), 500);
    c->back_to(shared);
    note(c->take<int>(7), 7);
  }
  EXPECT_EQ(measuring.size(), carver.size());
  EXPECT_LE(taken[0].second, taken[1].first);
  EXPECT_LE(taken[1].second, taken[2].first);
  EXPECT_EQ(taken[2].first, taken[3].first);
  EXPECT_LE(taken[2].second, memory + carver.size());
}

/// Every array lies inside the block that was measured, and no two of them where both are in use.
TEST(Layout, ArraysDoNotOverlap) {
  Preprocess preprocess;
  preprocess.exclude_classes = {7};
  preprocess.statistical_outliers = {12, 2};
  preprocess.voxel = 1;
  std::vector<PieceShape> shapes(3);
  shapes[0].points = 1000;
  shapes[0].rows = 900;
  shapes[1].points = 0;
  shapes[2].points = 70'001;
  shapes[2].rows = 5;
  const BatchPlan plan =
      plan_batch(shapes, features::make_plan({"planarity", "x", "num_points_2m"}, {{20, 1.0}, {20, 2.0}}), preprocess, true);
  EXPECT_EQ(plan.rows, 905U);
  EXPECT_EQ(plan.slots, 1024U + 70'016U);
  EXPECT_EQ(plan.pieces[2].levels, 3U);
  EXPECT_EQ(plan.pieces[2].nodes[0], 2188U);
  EXPECT_EQ(plan.pieces[2].nodes[1], 69U);
  EXPECT_EQ(plan.pieces[2].nodes[2], 3U);
  BatchArrays measured, arrays;
  const std::size_t bytes = lay_out(plan, nullptr, measured);
  std::byte* memory = nullptr;
  ASSERT_EQ(cudaMalloc(reinterpret_cast<void**>(&memory), bytes), cudaSuccess);
  EXPECT_EQ(lay_out(plan, memory, arrays), bytes);
  struct Span {
    std::byte *begin, *end;
    int group;  ///< those of 1 and 2 share their place
  };
  std::vector<Span> spans;
  const auto add = [&](auto* at, std::size_t count, int group = 0) {
    auto* const begin = reinterpret_cast<std::byte*>(const_cast<std::remove_const_t<std::remove_pointer_t<decltype(at)>>*>(at));
    spans.push_back({begin, begin + count * sizeof(*at), group});
  };
  const std::size_t points = plan.points, slots = plan.slots, leaves = slots / 32;
  add(arrays.tables, plan.tables.size());
  add(arrays.states, 3);
  add(arrays.units, points);
  add(arrays.classes, points);
  add(arrays.valid, points);
  add(arrays.thresholds, 3);
  add(arrays.sums, points);
  add(arrays.values, std::size_t{plan.rows} * plan.columns);
  add(arrays.unfinished, plan.rows);
  add(arrays.temporary, arrays.temporary_bytes);
  add(arrays.slots[0], slots);
  add(arrays.slots[1], slots);
  add(arrays.coordinates, 3 * slots);
  add(arrays.boxes, std::size_t{plan.nodes} * 2);
  add(arrays.flags, slots);
  for (int list = 0; list < 3; ++list) {
    add(arrays.left_leaves[list], leaves);
    add(arrays.left_masks[list], leaves);
  }
  add(arrays.left_count, 3);
  add(arrays.keep, slots);
  add(arrays.places, slots);
  for (int i = 0; i < 2; ++i) {
    add(arrays.keys[i], points, 1);
    add(arrays.order[i], points, 1);
  }
  for (double* of : {arrays.moments.n, arrays.moments.xx, arrays.moments.xy, arrays.moments.xz, arrays.moments.yy, arrays.moments.yz,
                     arrays.moments.zz, arrays.moments.reach2, arrays.moments.z_span}) {
    add(of, slots, 2);
  }
  for (std::size_t i = 0; i < spans.size(); ++i) {
    EXPECT_GE(spans[i].begin, memory);
    EXPECT_LE(spans[i].end, memory + bytes);
    for (std::size_t j = 0; j < i; ++j) {
      if (spans[i].group + spans[j].group == 3) continue;
      EXPECT_TRUE(spans[i].end <= spans[j].begin || spans[j].end <= spans[i].begin) << i << " and " << j;
    }
  }
  EXPECT_EQ(cudaFree(memory), cudaSuccess);
}

TEST(Layout, RefusesWhatIsTooMuch) {
  const features::FeaturePlan plan = features::make_plan({"x"}, {{20}});
  EXPECT_THROW(plan_batch({}, plan, {}, false), InvalidArgument);
  std::vector<PieceShape> shapes(2);
  shapes[0].points = shapes[1].points = 1U << 30U;
  EXPECT_THROW(plan_batch(shapes, plan, {}, false), InvalidArgument);
}

/// Slots hold every valid point of their piece once, in leaves whose boxes hold them, and boxes hold those below.
TEST(Forest, IsWhole) {
  test::Cloud far = test::town(300, 900, 2);
  for (std::size_t i = 0; i < 100; ++i) far.points[i].y -= 2'000'000'000;
  std::vector<TestPiece> pieces{piece_of(test::town(5000, 3000, 1)), piece_of({}), piece_of(far)};
  pieces[0].rows = 4000;
  Preprocess preprocess;
  preprocess.exclude_classes = {6};
  BatchRun run(pieces, features::make_plan({"planarity"}, {{20}}), preprocess);
  mark(run.plan(), run.arrays(), run.stream());
  order(run.plan(), run.arrays(), run.stream());
  const BatchPlan& plan = run.plan();
  const auto slots = run.down(run.arrays().slots[0], plan.slots);
  const auto boxes = run.down(run.arrays().boxes, std::size_t{plan.nodes} * 2);
  const auto states = run.fetch().states;
  EXPECT_EQ(states[0].exact, 1U);
  EXPECT_EQ(states[2].exact, 0U);
  double sides = 0;  // of the first piece's leaves
  for (std::size_t p = 0; p < pieces.size(); ++p) {
    const Piece& piece = plan.pieces[p];
    const PieceState& state = states[p];
    const auto& cloud = pieces[p].cloud;
    std::set<std::uint32_t> found;
    for (std::uint32_t i = 0; i < piece.nodes[0] * 32; ++i) {
      const Slot& slot = slots[piece.first_slot + i];
      ASSERT_EQ(slot.index == no_row, i >= state.valid) << "slots are filled from the front";
      if (slot.index == no_row) continue;
      ASSERT_TRUE(found.insert(slot.index).second);
      ASSERT_NE(cloud.classes[slot.index], 6);
      ASSERT_EQ((GridPoint{slot.x, slot.y, slot.z}), cloud.points[slot.index]);
      const float4 low = boxes[2 * (piece.first_node[0] + i / 32)], high = boxes[2 * (piece.first_node[0] + i / 32) + 1];
      const auto inside = [](double value, float from, float to) { return value >= from && value <= to; };
      ASSERT_TRUE(inside(static_cast<double>(slot.x) - state.centre[0], low.x, high.x));
      ASSERT_TRUE(inside(static_cast<double>(slot.y) - state.centre[1], low.y, high.y));
      ASSERT_TRUE(inside(static_cast<double>(slot.z) - state.centre[2], low.z, high.z));
      if (p == 0 && i % 32 == 0) sides += high.x - low.x + (high.y - low.y);
    }
    EXPECT_EQ(found.size(), cloud.classes.size() - static_cast<std::size_t>(std::count(cloud.classes.begin(), cloud.classes.end(), 6)));
    for (std::uint32_t level = 1; level < piece.levels; ++level) {
      for (std::uint32_t child = 0; child < piece.nodes[level - 1]; ++child) {
        const std::size_t inner = 2 * (std::size_t{piece.first_node[level - 1]} + child),
                          outer = 2 * (std::size_t{piece.first_node[level]} + child / 32);
        ASSERT_GE(boxes[inner].x, boxes[outer].x);
        ASSERT_GE(boxes[inner].y, boxes[outer].y);
        ASSERT_GE(boxes[inner].z, boxes[outer].z);
        ASSERT_LE(boxes[inner + 1].x, boxes[outer + 1].x);
        ASSERT_LE(boxes[inner + 1].y, boxes[outer + 1].y);
        ASSERT_LE(boxes[inner + 1].z, boxes[outer + 1].z);
      }
    }
  }
  // 32 points of about 4000 on 3000 units squared take up 270 units squared: leaves in any other order would be many times as wide.
  EXPECT_LT(sides / (states[0].valid / 32.0), 1200);
}

}  // namespace
}  // namespace tuile::compute::cuda
