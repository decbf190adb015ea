// Elementary functions of float32 that the compiler can put into vectorised loops, and the inner product.

#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace augrnn {

// e^x to a unit in the last place or two, NaN of NaN: 2^n times a polynomial on half an octave around 0 (Cephes' coefficients).
inline float exponential(float x) {
  const float y = x < -87.0f ? -87.0f : (x > 88.0f ? 88.0f : x);
  const float whole = std::nearbyint(y * 1.44269504f);
  const float part = (y - whole * 0.693359375f) + whole * 2.12194440e-4f;
  float sum = 1.9875691500e-4f;
  sum = sum * part + 1.3981999507e-3f;
  sum = sum * part + 8.3334519073e-3f;
  sum = sum * part + 4.1665795894e-2f;
  sum = sum * part + 1.6666665459e-1f;
  sum = sum * part + 5.0000001201e-1f;
  sum = sum * part * part + part + 1.0f;
  const int32_t power = (static_cast<int32_t>(whole) + 127) << 23;
  float scale;
  std::memcpy(&scale, &power, 4);
  return x == x ? sum * scale : x;
}

// log x of a positive normal number, NaN of NaN (Cephes' coefficients).
inline float logarithm(float x) {
  int32_t bits;
  std::memcpy(&bits, &x, 4);
  const int32_t shifted = bits - 0x3f3504f3;  // the bits of sqrt(1/2): the fraction is then in [sqrt(1/2), sqrt(2))
  const float octaves = static_cast<float>(shifted >> 23);
  const int32_t fraction = (shifted & 0x007fffff) + 0x3f3504f3;
  float m;
  std::memcpy(&m, &fraction, 4);
  m -= 1.0f;
  float sum = 7.0376836292e-2f;
  sum = sum * m - 1.1514610310e-1f;
  sum = sum * m + 1.1676998740e-1f;
  sum = sum * m - 1.2420140846e-1f;
  sum = sum * m + 1.4249322787e-1f;
  sum = sum * m - 1.6668057665e-1f;
  sum = sum * m + 2.0000714765e-1f;
  sum = sum * m - 2.4999993993e-1f;
  sum = sum * m + 3.3333331174e-1f;
  const float square = m * m;
  const float low = sum * m * square + octaves * -2.12194440e-4f - 0.5f * square;
  const float found = m + low + octaves * 0.693359375f;
  return x == x ? found : x;
}

inline float sigmoid(float x) { return 1.0f / (1.0f + exponential(-x)); }

// tanh x to some units in the last place, NaN of NaN: a polynomial around 0 (Cephes' coefficients), else by e^2x.
inline float tangent(float x) {
  const float square = x * x;
  float sum = -5.70498872745e-3f;
  sum = sum * square + 2.06390887954e-2f;
  sum = sum * square - 5.37397155531e-2f;
  sum = sum * square + 1.33314422036e-1f;
  sum = sum * square - 3.33332819422e-1f;
  const float near = sum * square * x + x, far = 1.0f - 2.0f / (exponential(2.0f * std::fabs(x)) + 1.0f);
  return square < 0.390625f ? near : std::copysign(far, x);
}

inline float dot(const float* a, const float* b, int64_t n) {
  float sum = 0;
  for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

}  // namespace augrnn
