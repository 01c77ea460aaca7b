// Eight lanes of floats in a 256-bit register, and the reduction of eight such vectors at a time. Included inside a namespace.

inline void store_eight(float* to, Eight a) { _mm256_store_ps(to, a); }
inline Eight load_eight(const float* from) { return _mm256_load_ps(from); }

struct Sum {
  static Eight join(Eight a, Eight b) { return _mm256_add_ps(a, b); }
};
struct Maximum {
  static Eight join(Eight a, Eight b) { return _mm256_max_ps(a, b); }
};

/// Joins the eight lanes of each of eight vectors, `stride` floats apart; lane i of the result belongs to vector i.
template <class Join>
inline Eight reduce_eight(const float* from, std::size_t stride) {
  const auto pair = [&](std::size_t i) {
    const Eight a = load_eight(from + i * stride), b = load_eight(from + (i + 1) * stride);
    return Join::join(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
  };
  const auto quad = [&](std::size_t i) {
    const __m256d a = _mm256_castps_pd(pair(i)), b = _mm256_castps_pd(pair(i + 2));
    return Join::join(_mm256_castpd_ps(_mm256_unpacklo_pd(a, b)), _mm256_castpd_ps(_mm256_unpackhi_pd(a, b)));
  };
  const Eight a = quad(0), b = quad(4);
  return Join::join(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
}
