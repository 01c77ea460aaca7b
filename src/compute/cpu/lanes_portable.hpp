// Sixteen lanes of floats in an array, for any processor. Included inside a kernel version's own namespace. No include guard by design.

struct Floats {
  float lane[16];
};
struct Mask {
  std::uint32_t set;
};

inline Floats load(const float* from) {
  Floats v;
  for (int i = 0; i < 16; ++i) v.lane[i] = from[i];
  return v;
}
inline Floats load_unaligned(const float* from) { return load(from); }
inline void store_unaligned(float* to, const Floats& v) {
  for (int i = 0; i < 16; ++i) to[i] = v.lane[i];
}
template <class Operation>
inline Floats each(Operation&& operation) {
  Floats v;
  for (int i = 0; i < 16; ++i) v.lane[i] = operation(i);
  return v;
}
inline Floats all(float value) {
  return each([&](int) { return value; });
}
inline Floats add(const Floats& v, const Floats& w) {
  return each([&](int i) { return v.lane[i] + w.lane[i]; });
}
inline Floats sub(const Floats& v, const Floats& w) {
  return each([&](int i) { return v.lane[i] - w.lane[i]; });
}
inline Floats mul(const Floats& v, const Floats& w) {
  return each([&](int i) { return v.lane[i] * w.lane[i]; });
}
/// v · w + x
inline Floats muladd(const Floats& v, const Floats& w, const Floats& x) {
  return each([&](int i) { return v.lane[i] * w.lane[i] + x.lane[i]; });
}
inline Floats max(const Floats& v, const Floats& w) {
  return each([&](int i) { return v.lane[i] > w.lane[i] ? v.lane[i] : w.lane[i]; });
}
inline Mask at_most(const Floats& v, const Floats& w) {
  Mask mask{0};
  for (unsigned i = 0; i < 16; ++i) mask.set |= (v.lane[i] <= w.lane[i] ? 1U : 0U) << i;
  return mask;
}
inline std::uint32_t bits(Mask mask) { return mask.set; }
/// v where the mask is set, else 0.
inline Floats keep(Mask mask, const Floats& v) {
  return each([&](int i) { return (mask.set >> i & 1U) != 0 ? v.lane[i] : 0.0F; });
}
/// Writes the lanes of the mask side by side, and anything behind them up to 16.
inline void append(float* to, const Floats& v, Mask mask) {
  for (int i = 0; i < 16; ++i) {
    *to = v.lane[i];
    to += mask.set >> i & 1U;
  }
}

struct Eight {
  float lane[8];
};
inline Eight low_half(const Floats& v) {
  Eight half;
  for (int i = 0; i < 8; ++i) half.lane[i] = v.lane[i];
  return half;
}
inline Eight high_half(const Floats& v) {
  Eight half;
  for (int i = 0; i < 8; ++i) half.lane[i] = v.lane[i + 8];
  return half;
}
inline void store_eight(float* to, const Eight& v) {
  for (int i = 0; i < 8; ++i) to[i] = v.lane[i];
}

struct Sum {
  static float one(float a, float b) { return a + b; }
  static Eight join(const Eight& a, const Eight& b) {
    Eight v;
    for (int i = 0; i < 8; ++i) v.lane[i] = one(a.lane[i], b.lane[i]);
    return v;
  }
};
struct Maximum {
  static float one(float a, float b) { return a > b ? a : b; }
  static Eight join(const Eight& a, const Eight& b) {
    Eight v;
    for (int i = 0; i < 8; ++i) v.lane[i] = one(a.lane[i], b.lane[i]);
    return v;
  }
};

/// Joins the eight lanes of each of eight vectors, `stride` floats apart; lane i of the result belongs to vector i.
template <class Join>
inline Eight reduce_eight(const float* from, std::size_t stride) {
  Eight v;
  for (std::size_t i = 0; i < 8; ++i) {
    v.lane[i] = from[i * stride];
    for (std::size_t lane = 1; lane < 8; ++lane) v.lane[i] = Join::one(v.lane[i], from[i * stride + lane]);
  }
  return v;
}
