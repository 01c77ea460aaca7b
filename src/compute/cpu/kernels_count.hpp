// Part of the kernels: how many points lie within a radius. Included like kernels_search.hpp, after kernels_lists.hpp; no include guard by
// design.
//
// A dense heap of a million points has thousands of buckets on the surface of each ball, so what counts is the cost of one of them: sixteen
// points of a group, which lie together, share it. One lane per query; each point of the bucket goes through all lanes.

/// How far from the middle of a group a point that counts may lie. Below it, p·q and p²/2 together stay below 2^23 and are exact, halves
/// included; a point for which they do not lies hundreds of units outside, where rounding changes nothing.
constexpr float count_reach = 2048.0F;

/// The points of one bucket of the group, relative to the group's middle: within r of a query q are those p with p·q − p²/2 ≥ (q² − r²)/2.
struct CountQueries {
  Floats x, y, z, bound;
  Floats low[3], high[3];  ///< the bucket's box in every lane
};

struct Middle {
  float x, y, z;
};

inline CountQueries count_queries(const TreeView& tree, const TreeNode& leaf, const Middle& middle, float r2) {
  const std::size_t slot = std::size_t{leaf.first} * bucket_size;
  CountQueries q;
  q.x = sub(load(tree.x + slot), all(middle.x));
  q.y = sub(load(tree.y + slot), all(middle.y));
  q.z = sub(load(tree.z + slot), all(middle.z));
  q.bound = mul(sub(muladd(q.x, q.x, muladd(q.y, q.y, mul(q.z, q.z))), all(r2)), all(0.5F));
  for (int d = 0; d < 3; ++d) {
    q.low[d] = all(leaf.low[d]);
    q.high[d] = all(leaf.high[d]);
  }
  return q;
}

/// The squared distances between the closest, or the farthest, points of the queries' box and of sixteen candidates' boxes.
inline Floats closest(const Scratch& s, std::uint32_t at, const CountQueries& q) {
  Floats sum = all(0.0F);
  for (int d = 0; d < 3; ++d) {
    const Floats gap = max(max(sub(load(s.box[d] + at), q.high[d]), sub(q.low[d], load(s.box[d + 3] + at))), all(0.0F));
    sum = muladd(gap, gap, sum);
  }
  return sum;
}
inline Floats farthest_corner(const Scratch& s, std::uint32_t at, const CountQueries& q) {
  Floats sum = all(0.0F);
  for (int d = 0; d < 3; ++d) {
    const Floats reach = max(sub(load(s.box[d + 3] + at), q.low[d]), sub(q.high[d], load(s.box[d] + at)));
    sum = muladd(reach, reach, sum);
  }
  return sum;
}

/// Adds the points of the candidates that lie within √r2 units of each query of the group.
inline void count_candidates(const TreeView& tree, std::uint32_t node, const Middle& middle, float r2, const Scratch& s,
                             std::uint32_t* counts) {
  const TreeNode& box = tree.nodes[node];
  CountQueries queries[group_buckets];
  for (std::uint32_t i = node; i < node + 2 * box.count - 1; ++i) {
    const TreeNode& leaf = tree.nodes[i];
    if (leaf.count == 1) queries[leaf.first - box.first] = count_queries(tree, leaf, middle, r2);
  }
  const Floats limit = all(r2), one = all(1.0F);
  for (std::uint32_t at = 0; at < s.candidates; at += bucket_size) {
    Floats found[group_buckets];
    std::uint32_t crossed[group_buckets];
    std::uint32_t crossed_by_any = 0;
    for (std::uint32_t b = 0; b < box.count; ++b) {
      const std::uint32_t whole = bits(at_most(farthest_corner(s, at, queries[b]), limit)) & s.full[at / bucket_size];
      crossed[b] = bits(at_most(closest(s, at, queries[b]), limit)) & ~whole;
      crossed_by_any |= crossed[b];
      found[b] = all(static_cast<float>(bucket_size * static_cast<std::uint32_t>(__builtin_popcount(whole))));
    }
    for (; crossed_by_any != 0; crossed_by_any &= crossed_by_any - 1) {
      const auto candidate = static_cast<std::uint32_t>(__builtin_ctz(crossed_by_any));
      const std::uint32_t bucket = bucket_of(s.bucket[at + candidate]);
      const std::size_t slot = std::size_t{bucket} * bucket_size;
      const std::uint32_t points = tree.points_before[bucket + 1] - tree.points_before[bucket];
      alignas(64) float x[bucket_size], y[bucket_size], z[bucket_size], half[bucket_size];
      const Floats px = sub(load(tree.x + slot), all(middle.x)), py = sub(load(tree.y + slot), all(middle.y)),
                   pz = sub(load(tree.z + slot), all(middle.z));
      store_unaligned(x, px);
      store_unaligned(y, py);
      store_unaligned(z, pz);
      store_unaligned(half, mul(muladd(px, px, muladd(py, py, mul(pz, pz))), all(-0.5F)));
      for (std::uint32_t b = 0; b < box.count; ++b) {
        if ((crossed[b] >> candidate & 1U) == 0) continue;
        const CountQueries& q = queries[b];
        Floats sum = found[b];
        for (std::uint32_t i = 0; i < points; ++i) {
          const Floats product = muladd(q.x, all(x[i]), muladd(q.y, all(y[i]), muladd(q.z, all(z[i]), all(half[i]))));
          sum = add(sum, keep(at_most(q.bound, product), one));
        }
        found[b] = sum;
      }
    }
    // Sixteen buckets at a time: at most 256, so the sums are exact as floats.
    for (std::uint32_t b = 0; b < box.count; ++b) {
      alignas(64) float part[bucket_size];
      store_unaligned(part, found[b]);
      for (std::uint32_t i = 0; i < bucket_size; ++i) counts[b * bucket_size + i] += static_cast<std::uint32_t>(part[i]);
    }
  }
}

/// The same one query after the other, from the differences themselves: for balls and groups too large for products.
inline void count_by_query(const TreeView& tree, const TreeNode& box, float r2, std::uint64_t queries, const Scratch& s,
                           std::uint32_t* counts) {
  const Floats limit = all(r2);
  const std::uint32_t first = box.first * bucket_size;
  for (; queries != 0; queries &= queries - 1) {
    const auto slot = static_cast<std::uint32_t>(__builtin_ctzll(queries));
    const QueryLanes q = spread({tree.x[first + slot], tree.y[first + slot], tree.z[first + slot]});
    for (std::uint32_t at = 0; at < s.candidates; at += bucket_size) {
      for (std::uint32_t near = bits(near_mask(s, at, q, limit)); near != 0; near &= near - 1) {
        const Offsets o = offsets(tree, bucket_of(s.bucket[at + static_cast<std::uint32_t>(__builtin_ctz(near))]), q);
        counts[slot] += static_cast<std::uint32_t>(__builtin_popcount(bits(at_most(o.d2, limit))));
      }
    }
  }
}

/// Points within √limit units of every point of the group that is marked in `queries`. False where float32 cannot hold what it takes.
inline bool count_group(const TreeView& tree, std::uint32_t node, std::uint64_t limit, std::uint64_t queries, Scratch& s,
                        std::uint32_t* counts) {
  if (!tree.exact || limit >= static_cast<std::uint64_t>(exact_limit)) return false;
  const TreeNode& box = tree.nodes[node];
  const auto r2 = static_cast<float>(limit);
  std::uint32_t inside = 0;
  list_buckets(tree, box, r2, tree.node_count, s, &inside);
  for (std::uint32_t i = 0; i < group_size; ++i) counts[i] = inside;
  float diagonal2 = 0.0F, middle[3];
  for (int d = 0; d < 3; ++d) {
    const float extent = box.high[d] - box.low[d];
    diagonal2 += extent * extent;
    middle[d] = __builtin_floorf(0.5F * (box.low[d] + box.high[d]));
  }
  // Middles are rounded by less than a unit in each direction.
  const bool products = __builtin_sqrtf(r2) + 0.5F * __builtin_sqrtf(diagonal2) + 4.0F < count_reach;
  if (products)
    count_candidates(tree, node, {middle[0], middle[1], middle[2]}, r2, s, counts);
  else
    count_by_query(tree, box, r2, queries, s, counts);
  return true;
}
