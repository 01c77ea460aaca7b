// Sixteen lanes of floats in two 256-bit registers. Included inside a kernel version's own namespace. No include guard by design.

struct Floats {
  __m256 a, b;
};
struct Mask {
  __m256 a, b;
};

inline Floats load(const float* from) { return {_mm256_load_ps(from), _mm256_load_ps(from + 8)}; }
inline Floats load_unaligned(const float* from) { return {_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8)}; }
inline void store_unaligned(float* to, Floats v) {
  _mm256_storeu_ps(to, v.a);
  _mm256_storeu_ps(to + 8, v.b);
}
inline Floats all(float value) { return {_mm256_set1_ps(value), _mm256_set1_ps(value)}; }
inline Floats add(Floats v, Floats w) { return {_mm256_add_ps(v.a, w.a), _mm256_add_ps(v.b, w.b)}; }
inline Floats sub(Floats v, Floats w) { return {_mm256_sub_ps(v.a, w.a), _mm256_sub_ps(v.b, w.b)}; }
inline Floats mul(Floats v, Floats w) { return {_mm256_mul_ps(v.a, w.a), _mm256_mul_ps(v.b, w.b)}; }
/// v · w + x
inline Floats muladd(Floats v, Floats w, Floats x) { return {_mm256_fmadd_ps(v.a, w.a, x.a), _mm256_fmadd_ps(v.b, w.b, x.b)}; }
inline Floats max(Floats v, Floats w) { return {_mm256_max_ps(v.a, w.a), _mm256_max_ps(v.b, w.b)}; }
inline Mask at_most(Floats v, Floats w) { return {_mm256_cmp_ps(v.a, w.a, _CMP_LE_OQ), _mm256_cmp_ps(v.b, w.b, _CMP_LE_OQ)}; }
inline std::uint32_t bits(Mask mask) {
  return static_cast<std::uint32_t>(_mm256_movemask_ps(mask.a)) | static_cast<std::uint32_t>(_mm256_movemask_ps(mask.b)) << 8U;
}
/// v where the mask is set, else 0.
inline Floats keep(Mask mask, Floats v) { return {_mm256_and_ps(mask.a, v.a), _mm256_and_ps(mask.b, v.b)}; }

/// For every mask of eight lanes, the positions of the set ones, then zeros: the permutation that brings them together.
struct CompressTable {
  std::uint8_t lanes[256][8];
  constexpr CompressTable() : lanes{} {
    for (unsigned mask = 0; mask < 256; ++mask) {
      unsigned count = 0;
      for (unsigned lane = 0; lane < 8; ++lane) {
        if ((mask >> lane & 1U) != 0) lanes[mask][count++] = static_cast<std::uint8_t>(lane);
      }
    }
  }
};
alignas(64) constexpr CompressTable compress_table{};

/// Writes the lanes of the mask side by side, and anything behind them up to 16.
inline void append(float* to, Floats v, Mask mask) {
  const auto first = static_cast<unsigned>(_mm256_movemask_ps(mask.a)), second = static_cast<unsigned>(_mm256_movemask_ps(mask.b));
  const auto order = [](unsigned lanes) {
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(compress_table.lanes[lanes])));
  };
  _mm256_storeu_ps(to, _mm256_permutevar8x32_ps(v.a, order(first)));
  _mm256_storeu_ps(to + __builtin_popcount(first), _mm256_permutevar8x32_ps(v.b, order(second)));
}

using Eight = __m256;
inline Eight low_half(Floats v) { return v.a; }
inline Eight high_half(Floats v) { return v.b; }
