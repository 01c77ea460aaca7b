// Part of the kernels: which buckets and points lie near, and the nearest of them. Included like kernels_search.hpp, before it; no include
// guard by design.

struct Query {
  float x, y, z;
};

inline float gap(float low, float high, float other_low, float other_high) {
  const float below = other_low - high, above = low - other_high;
  const float distance = below > above ? below : above;
  return distance > 0.0F ? distance : 0.0F;
}

/// A bucket's number, which travels through the lanes as a float's bits.
inline std::uint32_t bucket_of(float bits_of_number) {
  std::uint32_t number;
  __builtin_memcpy(&number, &bits_of_number, sizeof(number));
  return number;
}
inline float as_lane(std::uint32_t number) {
  float lane;
  __builtin_memcpy(&lane, &number, sizeof(lane));
  return lane;
}

/// Whether every point of box a lies within squared distance r2 < exact_limit of every point of box b. What rounds is beyond r2 anyway.
inline bool within(const TreeNode& a, const TreeNode& b, float r2) {
  float sum = 0.0F;
  for (int d = 0; d < 3; ++d) {
    const float above = a.high[d] - b.low[d], below = b.high[d] - a.low[d];
    const float reach = above > below ? above : below;
    sum += reach * reach;
  }
  return sum <= r2;
}

/// Lists the buckets within squared distance `r2` of the box. False where they are more than `most`: the list is of no use then.
/// inside  where given, nodes that lie within r2 of all of the box are not listed; their points are counted here, and full buckets marked
inline bool list_buckets(const TreeView& tree, const TreeNode& box, float r2, std::uint32_t most, Scratch& s,
                         std::uint32_t* inside = nullptr) {
  s.candidates = 0;
  s.covered = r2;
  for (std::uint32_t i = 0; i < tree.node_count;) {
    const TreeNode& node = tree.nodes[i];
    const float x = gap(node.low[0], node.high[0], box.low[0], box.high[0]);
    const float y = gap(node.low[1], node.high[1], box.low[1], box.high[1]);
    const float z = gap(node.low[2], node.high[2], box.low[2], box.high[2]);
    if (x * x + y * y + z * z > r2) {
      i += 2 * node.count - 1;
      continue;
    }
    if (inside != nullptr && within(node, box, r2)) {
      *inside += tree.points_of(node);
      i += 2 * node.count - 1;
      continue;
    }
    ++i;
    if (node.count > 1) continue;
    if (s.candidates == most) return false;
    if (s.candidates == s.candidate_capacity) grow_candidates(s, s.candidates + 1);
    s.bucket[s.candidates] = as_lane(node.first);
    for (int d = 0; d < 3; ++d) {
      s.box[d][s.candidates] = node.low[d];
      s.box[d + 3][s.candidates] = node.high[d];
    }
    if (inside != nullptr) {
      const std::uint32_t position = s.candidates % bucket_size;
      if (position == 0) s.full[s.candidates / bucket_size] = 0;
      s.full[s.candidates / bucket_size] |= (tree.points_of(node) == bucket_size ? 1U : 0U) << position;
    }
    ++s.candidates;
  }
  for (std::uint32_t i = s.candidates; i % bucket_size != 0; ++i) {
    s.bucket[i] = 0.0F;
    for (int d = 0; d < 3; ++d) s.box[d][i] = s.box[d + 3][i] = __builtin_inff();
  }
  return true;
}

struct QueryLanes {
  Floats x, y, z;
};
inline QueryLanes spread(const Query& q) { return {all(q.x), all(q.y), all(q.z)}; }

/// The sixteen candidates from `at` on that come within squared distance r2 of the query.
inline Mask near_mask(const Scratch& s, std::uint32_t at, const QueryLanes& q, Floats r2) {
  const Floats zero = all(0.0F);
  const Floats x = max(max(sub(load(s.box[0] + at), q.x), sub(q.x, load(s.box[3] + at))), zero);
  const Floats y = max(max(sub(load(s.box[1] + at), q.y), sub(q.y, load(s.box[4] + at))), zero);
  const Floats z = max(max(sub(load(s.box[2] + at), q.z), sub(q.z, load(s.box[5] + at))), zero);
  return at_most(muladd(x, x, muladd(y, y, mul(z, z))), r2);
}

/// Lists the buckets of the candidates that come within squared distance r2 of the query, so that one loop with one surprise at its end
/// visits them. Returns how many.
inline std::uint32_t list_near(const Scratch& s, const QueryLanes& q, Floats r2) {
  std::uint32_t count = 0;
  for (std::uint32_t at = 0; at < s.candidates; at += bucket_size) {
    const Mask near = near_mask(s, at, q, r2);
    append(s.near + count, load(s.bucket + at), near);
    count += static_cast<std::uint32_t>(__builtin_popcount(bits(near)));
  }
  return count;
}

struct Offsets {
  Floats x, y, z, d2;
};
inline Offsets offsets(const TreeView& tree, std::uint32_t bucket, const QueryLanes& q) {
  const std::size_t slot = std::size_t{bucket} * bucket_size;
  Offsets o;
  o.x = sub(load(tree.x + slot), q.x);
  o.y = sub(load(tree.y + slot), q.y);
  o.z = sub(load(tree.z + slot), q.z);
  o.d2 = muladd(o.x, o.x, muladd(o.y, o.y, mul(o.z, o.z)));
  return o;
}

/// Lists the points within squared distance r2. Returns how many.
inline std::uint32_t list_points(const TreeView& tree, Scratch& s, const QueryLanes& q, float r2) {
  const Floats limit = all(r2);
  const std::uint32_t near = list_near(s, q, limit);
  const std::uint32_t room = bucket_size * near + 5 * bucket_size;
  if (room > s.list_capacity) grow_list(s, room);
  std::uint32_t n = 0;
  for (std::uint32_t i = 0; i < near; ++i) {
    const Offsets o = offsets(tree, bucket_of(s.near[i]), q);
    const Mask inside = at_most(o.d2, limit);
    append(s.d2 + n, o.d2, inside);
    append(s.dx + n, o.x, inside);
    append(s.dy + n, o.y, inside);
    append(s.dz + n, o.z, inside);
    n += static_cast<std::uint32_t>(__builtin_popcount(bits(inside)));
  }
  for (std::uint32_t i = 0; i < 4; ++i) store_unaligned(s.d2 + n + i * bucket_size, all(__builtin_inff()));
  return n;
}

/// Whether the listed buckets hold at least `wanted` copies of the query, itself included.
inline bool lists_copies(const TreeView& tree, Scratch& s, const QueryLanes& q, std::uint32_t wanted) {
  const Floats zero = all(0.0F);
  const std::uint32_t near = list_near(s, q, zero);
  std::uint32_t found = 0;
  for (std::uint32_t i = 0; i < near && found < wanted; ++i) {
    found += static_cast<std::uint32_t>(__builtin_popcount(bits(at_most(offsets(tree, bucket_of(s.near[i]), q).d2, zero))));
  }
  return found >= wanted;
}

/// The same for the point at `box`, in the whole tree.
inline bool has_copies(const TreeView& tree, const TreeNode& box, std::uint32_t wanted) {
  const QueryLanes q = spread({box.low[0], box.low[1], box.low[2]});
  std::uint32_t found = 0;
  for (std::uint32_t i = 0; i < tree.node_count && found < wanted;) {
    const TreeNode& node = tree.nodes[i];
    const bool apart = gap(node.low[0], node.high[0], box.low[0], box.high[0]) > 0.0F ||
                       gap(node.low[1], node.high[1], box.low[1], box.high[1]) > 0.0F ||
                       gap(node.low[2], node.high[2], box.low[2], box.high[2]) > 0.0F;
    const bool copies = !apart && tree.all_copies(node);
    if (copies) found += tree.points_of(node);
    if (!apart && !copies && node.count == 1) {
      found += static_cast<std::uint32_t>(__builtin_popcount(bits(at_most(offsets(tree, node.first, q).d2, all(0.0F)))));
    }
    i += apart || copies ? 2 * node.count - 1 : 1;
  }
  return found >= wanted;
}

/// How many entries of the list lie within t.
inline std::uint32_t count_within(const float* d2, std::uint32_t n, float t) {
  const Floats limit = all(t);
  std::uint32_t count = 0;
  for (std::uint32_t i = 0; i < n; i += bucket_size) {
    count += static_cast<std::uint32_t>(__builtin_popcount(bits(at_most(load(d2 + i), limit))));
  }
  return count;
}

/// The same for a list of at most 64, held in registers and padded with infinity.
inline std::uint32_t count_within(const Floats (&d2)[4], float t) {
  const Floats limit = all(t);
  const std::uint32_t low = bits(at_most(d2[0], limit)) | bits(at_most(d2[1], limit)) << 16U;
  const std::uint32_t high = bits(at_most(d2[2], limit)) | bits(at_most(d2[3], limit)) << 16U;
  return static_cast<std::uint32_t>(__builtin_popcountll(low | std::uint64_t{high} << 32U));
}

/// Reduces the list of n > k points within r2 to the k nearest: returns the threshold that holds exactly k, after cutting the list to k
/// where points at one distance straddle it. A search for the threshold by counting, between integers.
inline float select_nearest(Scratch& s, std::uint32_t& n, std::uint32_t k, float r2) {
  float low = -1.0F, high = __builtin_floorf(r2);
  std::uint32_t low_count = 0, high_count = n;
  const bool short_list = n <= 4 * bucket_size;
  const Floats d2[4] = {load(s.d2), load(s.d2 + bucket_size), load(s.d2 + 2 * bucket_size), load(s.d2 + 3 * bucket_size)};
  for (int step = 0; high - low > 1.0F; ++step) {
    // Squared distances to points of a surface are spread evenly: interpolate; every third step halve, whatever the points.
    const float share = step % 3 == 2 ? 0.5F : (static_cast<float>(k - low_count) + 0.5F) / static_cast<float>(high_count - low_count + 1);
    float t = __builtin_floorf(low + (high - low) * share);
    t = t <= low ? low + 1.0F : t;
    t = t >= high ? high - 1.0F : t;
    const std::uint32_t count = short_list ? count_within(d2, t) : count_within(s.d2, n, t);
    if (count == k) return t;
    if (count < k) {
      low = t;
      low_count = count;
    } else {
      high = t;
      high_count = count;
    }
  }
  resolve_tie(s, n, k, high);
  n = k;
  return high;
}
