// Part of the kernels: included once per instruction set, inside that version's own namespace. No include guard by design.
// Only plain loops over plain arrays: whatever is called from here must have internal linkage.

inline std::uint64_t evaluate(const Batch& batch, double scale, const features::Feature* wanted, std::uint32_t count,
                              float (*out)[group_size]) {
  using features::Feature;
  alignas(64) double l1[group_size], l2[group_size], l3[group_size], nx[group_size], ny[group_size], nz[group_size], unit[group_size];
  for (std::uint32_t i = 0; i < group_size; ++i) {
    const features::Shape s =
        features::shape_of(batch.n[i], batch.xx[i], batch.xy[i], batch.xz[i], batch.yy[i], batch.yz[i], batch.zz[i], scale);
    l1[i] = s.l1;
    l2[i] = s.l2;
    l3[i] = s.l3;
    nx[i] = s.nx;
    ny[i] = s.ny;
    nz[i] = s.nz;
    unit[i] = features::ratio_unit(batch.n[i], s);
  }
  const auto fill = [&](float* to, auto&& formula) {
    for (std::uint32_t i = 0; i < group_size; ++i) {
      to[i] = static_cast<float>(formula(features::Shape{l1[i], l2[i], l3[i], nx[i], ny[i], nz[i]}, unit[i], i));
    }
  };
  using Shape = const features::Shape&;
  using Index = std::uint32_t;
  for (std::uint32_t f = 0; f < count; ++f) {
    float* const to = out[f];
    switch (wanted[f]) {
      case Feature::normal_x: fill(to, [](Shape s, double, Index) { return s.nx; }); break;
      case Feature::normal_y: fill(to, [](Shape s, double, Index) { return s.ny; }); break;
      case Feature::normal_z: fill(to, [](Shape s, double, Index) { return s.nz; }); break;
      case Feature::eigenvalue_1: fill(to, [](Shape s, double, Index) { return s.l1; }); break;
      case Feature::eigenvalue_2: fill(to, [](Shape s, double, Index) { return s.l2; }); break;
      case Feature::eigenvalue_3: fill(to, [](Shape s, double, Index) { return s.l3; }); break;
      case Feature::sum_eigenvalues: fill(to, [](Shape s, double, Index) { return features::sum_eigenvalues(s); }); break;
      case Feature::linearity: fill(to, [](Shape s, double u, Index) { return features::linearity(s, u); }); break;
      case Feature::planarity: fill(to, [](Shape s, double u, Index) { return features::planarity(s, u); }); break;
      case Feature::sphericity: fill(to, [](Shape s, double u, Index) { return features::sphericity(s, u); }); break;
      case Feature::anisotropy: fill(to, [](Shape s, double u, Index) { return features::anisotropy(s, u); }); break;
      case Feature::omnivariance: fill(to, [](Shape s, double, Index) { return features::omnivariance(s); }); break;
      case Feature::eigenentropy: fill(to, [](Shape s, double u, Index) { return features::eigenentropy(s, u); }); break;
      case Feature::curvature: fill(to, [](Shape s, double u, Index) { return features::curvature(s, u); }); break;
      case Feature::verticality: fill(to, [](Shape s, double, Index) { return features::verticality(s); }); break;
      case Feature::horizontality: fill(to, [](Shape s, double, Index) { return features::horizontality(s); }); break;
      case Feature::wall_likelihood: fill(to, [](Shape s, double u, Index) { return features::wall_likelihood(s, u); }); break;
      case Feature::roof_likelihood: fill(to, [](Shape s, double u, Index) { return features::roof_likelihood(s, u); }); break;
      case Feature::facade_score:
      case Feature::wall_score: fill(to, [](Shape s, double u, Index) { return features::wall_score(s, u); }); break;
      case Feature::roof_score: fill(to, [](Shape s, double u, Index) { return features::roof_score(s, u); }); break;
      case Feature::vertical_std:
        fill(to, [&](Shape, double, Index i) { return features::vertical_std(batch.n[i], batch.zz[i], scale); });
        break;
      case Feature::vertical_range: fill(to, [&](Shape, double, Index i) { return batch.z_span[i] * scale; }); break;
      case Feature::neighborhood_extent: fill(to, [&](Shape, double, Index i) { return std::sqrt(batch.reach2[i]) * scale; }); break;
      case Feature::density:
        fill(to, [&](Shape, double, Index i) { return features::density(batch.n[i], std::sqrt(batch.reach2[i]) * scale); });
        break;
      default: break;  // not made from a neighbourhood
    }
  }
  std::uint64_t degenerate = 0;
  for (std::uint32_t i = 0; i < group_size; ++i) degenerate |= std::uint64_t{features::is_degenerate(batch.n[i], l1[i])} << i;
  return degenerate;
}
