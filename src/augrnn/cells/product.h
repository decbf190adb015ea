// Products of small dense matrices, added to what is there: C (M, N) += A (M, K) B (K, N), all float32 and row-major.
//
// It is for matrices that fit a processor's second cache. A block of C stays in registers while K is passed over. One
// thread; no call, so that a product of 16 rows costs little more than its arithmetic.

#pragma once

#include <cstdint>
#include <cstring>

#ifdef __AVX512F__
#include <immintrin.h>
#endif

namespace augrnn {

#if defined(__AVX512F__)
constexpr int LANES = 16, ROWS = 6, VECTORS = 4;  // 24 of 32 registers hold C
#elif defined(__AVX__)
constexpr int LANES = 8, ROWS = 4, VECTORS = 3;
#else
constexpr int LANES = 4, ROWS = 6, VECTORS = 4;
#endif

constexpr int64_t SLICE = 128;

typedef float Vector __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

inline Vector load(const float* from) { return *reinterpret_cast<const Vector*>(from); }

inline void store(float* to, Vector x) { *reinterpret_cast<Vector*>(to) = x; }

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

// A matrix, perhaps a transposed one: where its entry (i, j) is.
struct View {
  const float* data;
  int64_t row, column;

  View from(int64_t i, int64_t j) const { return {data + i * row + j * column, row, column}; }
};

// R rows by V vectors of C; of the last vector only `count` numbers if there are fewer than all.
template <int R, int V, bool SOME>
inline void block(float* c, int64_t ldc, View a, const float* b, int64_t ldb, int64_t depth, int64_t count) {
  Vector sum[R][V];
  for (int r = 0; r < R; r++)
    for (int v = 0; v < V; v++) {
      const float* from = c + r * ldc + v * LANES;
      sum[r][v] = SOME && v == V - 1 ? load_some(from, count) : load(from);
    }
  for (int64_t k = 0; k < depth; k++) {
    Vector row[V];
    for (int v = 0; v < V; v++) {
      const float* from = b + k * ldb + v * LANES;
      row[v] = SOME && v == V - 1 ? load_some(from, count) : load(from);
    }
    for (int r = 0; r < R; r++) {
      const float factor = a.data[r * a.row + k * a.column];
      for (int v = 0; v < V; v++) sum[r][v] += factor * row[v];
    }
  }
  for (int r = 0; r < R; r++)
    for (int v = 0; v < V; v++) {
      float* to = c + r * ldc + v * LANES;
      if (SOME && v == V - 1)
        store_some(to, sum[r][v], count);
      else
        store(to, sum[r][v]);
    }
}

// R rows of C: whole blocks, then one of fewer vectors.
template <int R, int V>
inline void rest(float* c, int64_t ldc, View a, const float* b, int64_t ldb, int64_t columns, int64_t depth) {
  if constexpr (V > 0) {
    if (columns > (V - 1) * LANES) {
      const int64_t count = columns - (V - 1) * LANES;
      if (count == LANES)
        block<R, V, false>(c, ldc, a, b, ldb, depth, 0);
      else
        block<R, V, true>(c, ldc, a, b, ldb, depth, count);
    } else {
      rest<R, V - 1>(c, ldc, a, b, ldb, columns, depth);
    }
  }
}

template <int R>
inline void rows(float* c, int64_t ldc, View a, const float* b, int64_t ldb, int64_t columns, int64_t depth) {
  int64_t at = 0;
  for (; at + VECTORS * LANES <= columns; at += VECTORS * LANES)
    block<R, VECTORS, false>(c + at, ldc, a, b + at, ldb, depth, 0);
  rest<R, VECTORS>(c + at, ldc, a, b + at, ldb, columns - at, depth);
}

template <int R>
inline void last_rows(
    float* c, int64_t ldc, View a, const float* b, int64_t ldb, int64_t left, int64_t columns, int64_t depth) {
  if constexpr (R > 0) {
    if (left == R)
      rows<R>(c, ldc, a, b, ldb, columns, depth);
    else
      last_rows<R - 1>(c, ldc, a, b, ldb, left, columns, depth);
  }
}

// C (m, n; ldc) += A (m, depth) B (depth, n; ldb), in slices of the depth that fit the first cache.
inline void add_product(
    float* c, int64_t ldc, View a, const float* b, int64_t ldb, int64_t m, int64_t n, int64_t depth) {
  for (int64_t from = 0; from < depth; from += SLICE) {
    const int64_t slice = depth - from < SLICE ? depth - from : SLICE;
    const float* part = b + from * ldb;
    int64_t at = 0;
    for (; at + ROWS <= m; at += ROWS)
      rows<ROWS>(c + at * ldc, ldc, a.from(at, from), part, ldb, n, slice);
    last_rows<ROWS - 1>(c + at * ldc, ldc, a.from(at, from), part, ldb, m - at, n, slice);
  }
}

}  // namespace augrnn
