// Part of the kernels: the neighbour search. Included once per instruction set, after its lanes, inside that version's own namespace.
// No include guard by design; whatever is called from here has internal linkage or lives in another translation unit.
//
// Every number is an integer held by a float32 below 2^24, so nothing is rounded; a query that would leave that range is handed back to
// ExactSearch. A group of up to 64 neighbouring points shares one walk over the tree, which lists the buckets around it. Each of its points
// guesses the squared radius of its k-th neighbour from the last point's, lists the points within, and verifies: with k or more of them the
// list holds the answer. Points whose guess outgrows the listed buckets wait for one further, wider walk.
// No walk lists more than a bounded number of buckets and copies of a point are counted, not listed, so that heaps of points in one spot
// cost no more than others.

/// Positions of the partial results of a query.
enum Partial : std::uint32_t { sx, sy, sz, sxx, sxy, sxz, syy, syz, szz, farthest, highest, lowest };

/// Keeps one of a query's sums or maxima as eight partial ones; reduce() joins those of eight queries at a time.
inline void store_partial(Scratch& s, std::uint32_t slot, std::uint32_t which, Floats v, bool sum) {
  const Eight low = low_half(v), high = high_half(v);
  store_eight(s.partial + (slot * partial_count + which) * 8, sum ? Sum::join(low, high) : Maximum::join(low, high));
}

struct Accumulator {
  Floats x = all(0.0F), y = x, z = x, xx = x, xy = x, xz = x, yy = x, yz = x, zz = x, far = x, top = x, bottom = x;

  template <bool with_z>
  void take(const Floats& dx, const Floats& dy, const Floats& dz, const Floats& d2) {
    x = add(x, dx);
    y = add(y, dy);
    z = add(z, dz);
    xx = muladd(dx, dx, xx);
    xy = muladd(dx, dy, xy);
    xz = muladd(dx, dz, xz);
    yy = muladd(dy, dy, yy);
    yz = muladd(dy, dz, yz);
    zz = muladd(dz, dz, zz);
    far = max(far, d2);
    if constexpr (with_z) {
      top = max(top, dz);
      bottom = max(bottom, sub(all(0.0F), dz));
    }
  }
  template <bool with_z>
  void store(Scratch& s, std::uint32_t slot) const {
    store_partial(s, slot, sx, x, true);
    store_partial(s, slot, sy, y, true);
    store_partial(s, slot, sz, z, true);
    store_partial(s, slot, sxx, xx, true);
    store_partial(s, slot, sxy, xy, true);
    store_partial(s, slot, sxz, xz, true);
    store_partial(s, slot, syy, yy, true);
    store_partial(s, slot, syz, yz, true);
    store_partial(s, slot, szz, zz, true);
    store_partial(s, slot, farthest, far, false);
    if constexpr (with_z) {
      store_partial(s, slot, highest, top, false);
      store_partial(s, slot, lowest, bottom, false);
    }
  }
};

template <bool with_z>
inline void sum_list(Scratch& s, std::uint32_t slot, std::uint32_t n, float threshold) {
  Accumulator sums;
  const Floats limit = all(threshold);
  for (std::uint32_t i = 0; i < n; i += bucket_size) {
    const Floats d2 = load(s.d2 + i);
    const Mask inside = at_most(d2, limit);
    sums.template take<with_z>(keep(inside, load(s.dx + i)), keep(inside, load(s.dy + i)), keep(inside, load(s.dz + i)), keep(inside, d2));
  }
  sums.template store<with_z>(s, slot);
}

/// The same where float32 cannot hold the sums: they stay below 2^24 · n, n Σdx² below 2^56 for n up to 2^16.
inline void sum_list_wide(const Scratch& s, std::uint32_t n, float threshold, Batch& batch, std::uint32_t slot) {
  std::int64_t count = 0, x = 0, y = 0, z = 0, xx = 0, xy = 0, xz = 0, yy = 0, yz = 0, zz = 0, far = 0, top = 0, bottom = 0;
  for (std::uint32_t i = 0; i < n; ++i) {
    if (!(s.d2[i] <= threshold)) continue;
    const auto dx = static_cast<std::int64_t>(s.dx[i]), dy = static_cast<std::int64_t>(s.dy[i]), dz = static_cast<std::int64_t>(s.dz[i]);
    const auto d2 = static_cast<std::int64_t>(s.d2[i]);
    ++count;
    x += dx;
    y += dy;
    z += dz;
    xx += dx * dx;
    xy += dx * dy;
    xz += dx * dz;
    yy += dy * dy;
    yz += dy * dz;
    zz += dz * dz;
    far = d2 > far ? d2 : far;
    top = dz > top ? dz : top;
    bottom = -dz > bottom ? -dz : bottom;
  }
  batch.n[slot] = static_cast<double>(count);
  batch.xx[slot] = static_cast<double>(count * xx - x * x);
  batch.xy[slot] = static_cast<double>(count * xy - x * y);
  batch.xz[slot] = static_cast<double>(count * xz - x * z);
  batch.yy[slot] = static_cast<double>(count * yy - y * y);
  batch.yz[slot] = static_cast<double>(count * yz - y * z);
  batch.zz[slot] = static_cast<double>(count * zz - z * z);
  batch.reach2[slot] = static_cast<double>(far);
  batch.z_span[slot] = static_cast<double>(top + bottom);
}

/// The neighbours are `count` copies of the query.
inline void put_copies(Batch& batch, std::uint32_t slot, std::uint32_t count) {
  batch.n[slot] = count;
  batch.xx[slot] = batch.xy[slot] = batch.xz[slot] = batch.yy[slot] = batch.yz[slot] = batch.zz[slot] = 0.0;
  batch.reach2[slot] = batch.z_span[slot] = 0.0;
  batch.distances[slot] = 0;
}

/// Σ quantised_distance of the list's entries within the threshold: below 2^20 each, and far from where rounding could show.
inline std::uint64_t sum_distances(const Scratch& s, std::uint32_t n, float threshold) {
  const float* const list = s.d2;
  const std::uint32_t padded = (n + bucket_size - 1) / bucket_size * bucket_size;
  std::int64_t sum = 0;
  for (std::uint32_t i = 0; i < padded; ++i) {
    const float d2 = list[i] <= threshold ? list[i] : 0.0F;
    sum += static_cast<std::int32_t>(256.0 * __builtin_sqrt(static_cast<double>(d2)));
  }
  return static_cast<std::uint64_t>(sum);
}

/// What is made of the neighbours.
enum class Wanted { moments, moments_and_z, distances };

/// How a query ended.
enum class Outcome { summed, wide, exact, deferred };

/// The list holds n points within `threshold` that all count.
template <Wanted wanted>
inline Outcome sum(Scratch& s, std::uint32_t n, std::uint32_t kept, float threshold, Batch& batch, std::uint32_t slot) {
  if constexpr (wanted == Wanted::distances) {
    batch.n[slot] = kept;
    batch.reach2[slot] = static_cast<double>(threshold);
    batch.distances[slot] = sum_distances(s, n, threshold);
    return Outcome::wide;
  }
  if (static_cast<double>(kept) * static_cast<double>(threshold) < static_cast<double>(exact_limit)) {
    batch.n[slot] = kept;
    sum_list<wanted == Wanted::moments_and_z>(s, slot, n, threshold);
    return Outcome::summed;
  }
  sum_list_wide(s, n, threshold, batch, slot);
  return Outcome::wide;
}

/// The nearest of one query, first tried within squared radius r2. Where that needs more buckets than are listed: deferred, with the
/// squared radius wanted left in r2.
template <Wanted wanted>
inline Outcome search_nearest(const TreeView& tree, const Search& search, const Query& query, float& r2, Scratch& s, Batch& batch,
                              std::uint32_t slot) {
  const QueryLanes q = spread(query);
  const std::uint32_t k = search.most;
  for (;;) {
    if (search.bounded && r2 > static_cast<float>(search.limit)) r2 = static_cast<float>(search.limit);
    if (!(r2 < exact_limit)) return Outcome::exact;
    if (r2 > s.covered) return Outcome::deferred;
    if (r2 < 1.0F && lists_copies(tree, s, q, k)) {
      put_copies(batch, slot, k);
      s.guess = 0.0F;
      return Outcome::wide;
    }
    std::uint32_t n = list_points(tree, s, q, r2);
    if (n < k && !(search.bounded && r2 == static_cast<float>(search.limit))) {
      // Too few. The points of a surface grow with the squared radius.
      r2 *= n * 4 < k ? 4.0F : 1.4F * static_cast<float>(k) / static_cast<float>(n);
      r2 = r2 < 1.0F ? 1.0F : r2;
      continue;
    }
    const std::uint32_t kept = n < k ? n : k;
    const float threshold = n > kept ? select_nearest(s, n, kept, r2) : r2;
    s.guess = threshold;
    return sum<wanted>(s, n, kept, threshold, batch, slot);
  }
}

/// All within a radius, at most `most`.
template <Wanted wanted>
inline Outcome search_radius(const TreeView& tree, const Search& search, const Query& query, Scratch& s, Batch& batch, std::uint32_t slot) {
  constexpr bool with_z = wanted == Wanted::moments_and_z;
  const QueryLanes q = spread(query);
  const auto r2 = static_cast<float>(search.limit);
  if (static_cast<double>(search.most) * static_cast<double>(r2) < static_cast<double>(exact_limit)) {
    Accumulator sums;
    const Floats limit = all(r2);
    std::uint32_t n = 0;
    const std::uint32_t near = list_near(s, q, limit);
    for (std::uint32_t i = 0; i < near; ++i) {
      const Offsets o = offsets(tree, bucket_of(s.near[i]), q);
      const Mask inside = at_most(o.d2, limit);
      n += static_cast<std::uint32_t>(__builtin_popcount(bits(inside)));
      sums.template take<with_z>(keep(inside, o.x), keep(inside, o.y), keep(inside, o.z), keep(inside, o.d2));
    }
    if (n <= search.most) {
      batch.n[slot] = n;
      sums.template store<with_z>(s, slot);
      return Outcome::summed;
    }
  }
  std::uint32_t n = list_points(tree, s, q, r2);
  const std::uint32_t kept = n < search.most ? n : search.most;
  const float threshold = n > kept ? select_nearest(s, n, kept, r2) : r2;
  return sum<wanted>(s, n, kept, threshold, batch, slot);
}

/// Turns the partial sums of the slots marked in `summed` into moments.
inline void reduce(const Scratch& s, std::uint64_t summed, bool with_z, Batch& batch) {
  alignas(64) float total[partial_count][group_size];
  for (std::uint32_t slot = 0; slot < group_size; slot += 8) {
    if ((summed >> slot & 0xffU) == 0) continue;
    const float* const from = s.partial + std::size_t{slot} * partial_count * 8;
    for (std::uint32_t p = 0; p < partial_sums; ++p) store_eight(&total[p][slot], reduce_eight<Sum>(from + p * 8, partial_count * 8));
    for (std::uint32_t p = partial_sums; p < (with_z ? partial_count : partial_sums + 1); ++p) {
      store_eight(&total[p][slot], reduce_eight<Maximum>(from + p * 8, partial_count * 8));
    }
    const auto moment = [&](double(&to)[group_size], Partial product, Partial a, Partial b) {
      for (std::uint32_t i = slot; i < slot + 8; ++i) {
        const double value =
            batch.n[i] * static_cast<double>(total[product][i]) - static_cast<double>(total[a][i]) * static_cast<double>(total[b][i]);
        to[i] = (summed >> i & 1U) != 0 ? value : to[i];
      }
    };
    moment(batch.xx, sxx, sx, sx);
    moment(batch.xy, sxy, sx, sy);
    moment(batch.xz, sxz, sx, sz);
    moment(batch.yy, syy, sy, sy);
    moment(batch.yz, syz, sy, sz);
    moment(batch.zz, szz, sz, sz);
    for (std::uint32_t i = slot; i < slot + 8; ++i) {
      if ((summed >> i & 1U) == 0) continue;
      batch.reach2[i] = static_cast<double>(total[farthest][i]);
      batch.z_span[i] = with_z ? static_cast<double>(total[highest][i]) + static_cast<double>(total[lowest][i]) : 0.0;
    }
  }
}

/// The squared radius of the k nearest where `points` fill the box evenly, for want of anything better.
inline float first_guess(const TreeNode& box, std::uint32_t k) {
  float a = box.high[0] - box.low[0], b = box.high[1] - box.low[1], c = box.high[2] - box.low[2];
  const float longest = a > b ? (a > c ? a : c) : (b > c ? b : c);
  const float shortest = a < b ? (a < c ? a : c) : (b < c ? b : c);
  const float middle = a + b + c - longest - shortest;
  return longest * (middle + 1.0F) * static_cast<float>(k) / (3.0F * static_cast<float>(box.count * bucket_size));
}

/// How many buckets one walk may list: many times what a search for `most` points needs where they lie evenly.
inline std::uint32_t bucket_limit(std::uint32_t most) { return 256 + most; }

/// nearest  search outwards from a guess instead of within the whole radius
template <Wanted wanted>
inline std::uint64_t search_slots(const TreeView& tree, const TreeNode& box, const Search& search, bool nearest, std::uint64_t queries,
                                  Scratch& s, Batch& batch) {
  const std::uint32_t first = box.first * bucket_size;
  std::uint64_t summed = 0, exact = 0;
  float tried[group_size];  // squared radii
  for (bool again = false; queries != 0; again = true) {
    std::uint64_t deferred = 0;
    float widest = 0.0F;
    for (; queries != 0; queries &= queries - 1) {
      const auto slot = static_cast<std::uint32_t>(__builtin_ctzll(queries));
      const Query query{tree.x[first + slot], tree.y[first + slot], tree.z[first + slot]};
      if (!again) tried[slot] = s.guess < 1.0F ? 0.0F : s.guess * 1.3F + 1.0F;
      const Outcome outcome = nearest ? search_nearest<wanted>(tree, search, query, tried[slot], s, batch, slot)
                                      : search_radius<wanted>(tree, search, query, s, batch, slot);
      const std::uint64_t bit = std::uint64_t{1} << slot;
      if (outcome == Outcome::summed) summed |= bit;
      if (outcome == Outcome::exact) exact |= bit;
      if (outcome == Outcome::deferred) {
        deferred |= bit;
        widest = tried[slot] > widest ? tried[slot] : widest;
      }
    }
    // Those that reach beyond the listed buckets share one more walk.
    queries = deferred;
    if (deferred != 0 && !list_buckets(tree, box, widest * 1.5F, bucket_limit(search.most), s)) {
      exact |= deferred;
      queries = 0;
    }
  }
  if constexpr (wanted != Wanted::distances) reduce(s, summed, wanted == Wanted::moments_and_z, batch);
  return exact;
}

inline std::uint64_t search_group(const TreeView& tree, std::uint32_t node, const Search& search, std::uint64_t queries, Scratch& s,
                                  Batch& batch) {
  if (!tree.exact || (search.bounded && search.limit >= static_cast<std::uint64_t>(exact_limit))) return queries;
  const TreeNode& box = tree.nodes[node];
  const std::uint32_t most = bucket_limit(search.most);
  if (tree.all_copies(box) && has_copies(tree, box, search.most)) {
    for (; queries != 0; queries &= queries - 1) put_copies(batch, static_cast<std::uint32_t>(__builtin_ctzll(queries)), search.most);
    s.guess = 0.0F;
    return 0;
  }
  const bool nearest = !search.bounded || !list_buckets(tree, box, static_cast<float>(search.limit), most, s);
  if (nearest) {
    const float first = first_guess(box, search.most);
    if (!(s.guess > 0.0F) || s.guess > 16.0F * first) s.guess = first;
    float r2 = s.guess * 2.0F + 1.0F;
    if (!(r2 < exact_limit)) return queries;
    while (!list_buckets(tree, box, r2, most, s)) {  // far denser than guessed
      if (r2 < 1.0F) return queries;
      s.guess = s.guess < 4.0F ? 0.0F : s.guess * 0.25F;
      r2 = r2 > 1.0F ? s.guess * 2.0F + 1.0F : 0.0F;
    }
  }
  if (search.distances) return search_slots<Wanted::distances>(tree, box, search, nearest, queries, s, batch);
  return search.needs_z_span ? search_slots<Wanted::moments_and_z>(tree, box, search, nearest, queries, s, batch)
                             : search_slots<Wanted::moments>(tree, box, search, nearest, queries, s, batch);
}
