// Part of the kernels: included once per instruction set, inside that version's own namespace. No include guard by design.
// Only plain loops over plain arrays: whatever is called from here must have internal linkage.

inline std::uint64_t evaluate(const Batch& batch, double scale, const features::Feature* wanted, std::uint32_t count,
                              float (*out)[group_size]) {
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
  for (std::uint32_t f = 0; f < count; ++f) {
    float* const to = out[f];
    features::with_neighbourhood_feature(wanted[f], [&]<features::Feature feature>() {
      for (std::uint32_t i = 0; i < group_size; ++i) {
        const features::Shape shape{l1[i], l2[i], l3[i], nx[i], ny[i], nz[i]};
        to[i] = static_cast<float>(
            features::neighbourhood_value<feature>({shape, unit[i], batch.n[i], batch.zz[i], batch.reach2[i], batch.z_span[i], scale}));
      }
    });
  }
  std::uint64_t degenerate = 0;
  for (std::uint32_t i = 0; i < group_size; ++i) degenerate |= std::uint64_t{features::is_degenerate(batch.n[i], l1[i])} << i;
  return degenerate;
}
