// Sixteen lanes of floats in one 512-bit register. Included inside a kernel version's own namespace. No include guard by design.

using Floats = __m512;
using Mask = __mmask16;

inline Floats load(const float* from) { return _mm512_load_ps(from); }
inline Floats load_unaligned(const float* from) { return _mm512_loadu_ps(from); }
inline void store_unaligned(float* to, Floats a) { _mm512_storeu_ps(to, a); }
inline Floats all(float value) { return _mm512_set1_ps(value); }
inline Floats add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
inline Floats sub(Floats a, Floats b) { return _mm512_sub_ps(a, b); }
inline Floats mul(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
/// a · b + c
inline Floats muladd(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
inline Floats max(Floats a, Floats b) { return _mm512_max_ps(a, b); }
inline Mask at_most(Floats a, Floats b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
inline std::uint32_t bits(Mask mask) { return mask; }
/// a where the mask is set, else 0.
inline Floats keep(Mask mask, Floats a) { return _mm512_maskz_mov_ps(mask, a); }
/// Writes the lanes of the mask side by side, and anything behind them up to 16. In a register first: the form that stores is slow on Zen.
inline void append(float* to, Floats a, Mask mask) { _mm512_storeu_ps(to, _mm512_maskz_compress_ps(mask, a)); }

using Eight = __m256;
inline Eight low_half(Floats a) { return _mm512_castps512_ps256(a); }
inline Eight high_half(Floats a) { return _mm512_extractf32x8_ps(a, 1); }
