// Products of float32 matrices on one core: C (M, N) = A (M, K) B (K, N), or added to what is there, all row-major.
//
// A block of C, some rows by two vectors, stays in registers while K is passed over. It is for a B of which a part of
// some columns fits the first cache: a small matrix, or a panel of a large one (products.cpp). No call, so that a product
// of 16 rows costs little more than its arithmetic.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#ifdef __AVX512F__
#include <immintrin.h>
#endif

namespace augrnn {

#if defined(__AVX512F__)
constexpr int LANES = 16, ROWS = 13;  // 26 of 32 registers hold C
#elif defined(__AVX__)
constexpr int LANES = 8, ROWS = 6;
#else
constexpr int LANES = 4, ROWS = 6;
#endif

constexpr int64_t PANEL = 2 * LANES;  // columns of a block
constexpr int64_t DEPTH = 256;        // of the part of a panel that stays in the first cache

typedef float Vector __attribute__((vector_size(LANES * 4)));
typedef float Unaligned __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

inline Vector load(const float* from) { return *reinterpret_cast<const Unaligned*>(from); }

inline void store(float* to, Vector x) { *reinterpret_cast<Unaligned*>(to) = x; }

// The first `count` numbers, and zeros after them.
inline Vector load_some(const float* from, int64_t count) {
#ifdef __AVX512F__
  return (Vector)_mm512_maskz_loadu_ps((1u << count) - 1u, from);
#else
  Vector x = {};
  std::memcpy(&x, from, count * sizeof(float));
  return x;
#endif
}

inline void store_some(float* to, Vector x, int64_t count) {
#ifdef __AVX512F__
  _mm512_mask_storeu_ps(to, (1u << count) - 1u, (__m512)x);
#else
  std::memcpy(to, &x, count * sizeof(float));
#endif
}

// A matrix, perhaps a transposed one: its entry (i, j) is data[i row + j column].
struct View {
  const float* data;
  int64_t row, column;

  View from(int64_t i, int64_t j) const { return {data + i * row + j * column, row, column}; }
};

// What a product is added to: C itself, a row for all rows, or nothing.
struct Start {
  bool added;
  const float* bias;
};

// R rows by V vectors of C; of the last vector `count` numbers where it is not WHOLE.
template <int R, int V, bool WHOLE>
inline void block(float* c, int64_t ldc, View a, const float* b, int64_t ldb, int64_t depth, int64_t count, Start start) {
  const auto get = [&](const float* from, int v) {
    return WHOLE || v < V - 1 ? load(from + v * LANES) : load_some(from + v * LANES, count);
  };
  Vector sum[R][V];
#pragma GCC unroll 16
  for (int r = 0; r < R; r++)
    for (int v = 0; v < V; v++) sum[r][v] = start.added ? get(c + r * ldc, v) : start.bias ? get(start.bias, v) : Vector{};
  for (int64_t k = 0; k < depth; k++) {
    Vector row[V];
    for (int v = 0; v < V; v++) row[v] = get(b + k * ldb, v);
#pragma GCC unroll 16
    for (int r = 0; r < R; r++) {
      const float factor = a.data[r * a.row + k * a.column];
      for (int v = 0; v < V; v++) sum[r][v] += factor * row[v];
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; r++)
    for (int v = 0; v < V; v++) {
      float* to = c + r * ldc + v * LANES;
      if (WHOLE || v < V - 1)
        store(to, sum[r][v]);
      else
        store_some(to, sum[r][v], count);
    }
}

// R rows of at most PANEL columns.
template <int R>
inline void panel(float* c, int64_t ldc, View a, const float* b, int64_t ldb, int64_t width, int64_t depth, Start start) {
  if (width == PANEL)
    block<R, 2, true>(c, ldc, a, b, ldb, depth, 0, start);
  else if (width > LANES)
    block<R, 2, false>(c, ldc, a, b, ldb, depth, width - LANES, start);
  else if (width == LANES)
    block<R, 1, true>(c, ldc, a, b, ldb, depth, 0, start);
  else
    block<R, 1, false>(c, ldc, a, b, ldb, depth, width, start);
}

// `rows` rows, at most R.
template <int R>
inline void panel_of(
    int64_t rows, float* c, int64_t ldc, View a, const float* b, int64_t ldb, int64_t width, int64_t depth, Start start) {
  if constexpr (R > 0) {
    if (rows == R)
      panel<R>(c, ldc, a, b, ldb, width, depth, start);
    else
      panel_of<R - 1>(rows, c, ldc, a, b, ldb, width, depth, start);
  }
}

// Any number of rows of at most PANEL columns and DEPTH of depth, in blocks of like numbers of rows.
inline void column_of_blocks(
    float* c, int64_t ldc, View a, const float* b, int64_t ldb, int64_t rows, int64_t width, int64_t depth, Start start) {
  const int64_t blocks = (rows + ROWS - 1) / ROWS;
  for (int64_t i = 0; i < blocks; i++) {
    const int64_t from = rows * i / blocks, to = rows * (i + 1) / blocks;
    panel_of<ROWS>(to - from, c + from * ldc, ldc, a.from(from, 0), b, ldb, width, depth, start);
  }
}

// C (rows, columns; ldc) += A (rows, depth) B (depth, columns; ldb).
inline void add_product(
    float* c, int64_t ldc, View a, const float* b, int64_t ldb, int64_t rows, int64_t columns, int64_t depth) {
  for (int64_t k = 0; k < depth; k += DEPTH)
    for (int64_t n = 0; n < columns; n += PANEL)
      column_of_blocks(
          c + n, ldc, a.from(0, k), b + k * ldb + n, ldb, rows, std::min(PANEL, columns - n), std::min(DEPTH, depth - k),
          Start{true, nullptr});
}

constexpr int64_t BAND = 208;  // rows whose part of a depth stays in the second cache

// C (rows, width; stride) = A B + bias, or C += A B, of a B (depth, width) packed into panels (products.cpp).
inline void packed_product(
    float* c, int64_t stride, View a, const float* packed, const float* bias, int64_t rows, int64_t width, int64_t depth,
    bool add) {
  for (int64_t top = 0; top < rows; top += BAND)
    for (int64_t k = 0; k < depth; k += DEPTH)
      for (int64_t n = 0; n < width; n += PANEL)
        column_of_blocks(
            c + top * stride + n, stride, a.from(top, k), packed + n * depth + k * PANEL, PANEL, std::min(BAND, rows - top),
            std::min(PANEL, width - n), std::min(DEPTH, depth - k), {add || k, bias && !k ? bias + n : nullptr});
}

}  // namespace augrnn
