// Products of float32 matrices, on one core: the right-hand matrix is first packed into panels of columns, which may then
// serve many products, as the weights of a recurrent layer do at every step.
//
// A tile of the result, some rows of one panel, stays in registers while it is summed; its size suits AVX-512, where 26 of
// the 32 registers hold sums, and half of that elsewhere.

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace {

#ifdef __AVX512F__
const int WIDTH = 64, MOST_ROWS = 13;
#else
const int WIDTH = 32, MOST_ROWS = 6;
#endif

typedef float Lanes __attribute__((vector_size(WIDTH)));
typedef float Unaligned __attribute__((vector_size(WIDTH), aligned(4), may_alias));

const int64_t LANES = WIDTH / 4, PANEL = 2 * LANES;
const int64_t DEPTH = 256;  // of a panel's part that stays in the first cache
const int64_t BAND = 208;   // rows whose part of that depth stays in the second cache

template <int ROWS>
void tile(
    int64_t depth, const float* a, int64_t row, int64_t column, const float* panel, const float* bias, float* c,
    int64_t stride, int64_t width, bool add) {
  Lanes left[ROWS], right[ROWS];
  const Lanes none{};
#pragma GCC unroll 16
  for (int r = 0; r < ROWS; r++) {
    left[r] = bias ? *reinterpret_cast<const Unaligned*>(bias) : none;
    right[r] = bias ? *reinterpret_cast<const Unaligned*>(bias + LANES) : none;
  }
  for (int64_t k = 0; k < depth; k++, a += column, panel += PANEL) {
    const Lanes first = *reinterpret_cast<const Unaligned*>(panel);
    const Lanes second = *reinterpret_cast<const Unaligned*>(panel + LANES);
#pragma GCC unroll 16
    for (int r = 0; r < ROWS; r++) {
      const float x = a[r * row];
      left[r] += x * first;
      right[r] += x * second;
    }
  }
  if (width == PANEL) {
#pragma GCC unroll 16
    for (int r = 0; r < ROWS; r++) {
      Unaligned *first = reinterpret_cast<Unaligned*>(c + r * stride), *second = reinterpret_cast<Unaligned*>(c + r * stride + LANES);
      *first = add ? *first + left[r] : left[r];
      *second = add ? *second + right[r] : right[r];
    }
    return;
  }
  float sums[PANEL];
  for (int r = 0; r < ROWS; r++) {
    std::memcpy(sums, &left[r], WIDTH);
    std::memcpy(sums + LANES, &right[r], WIDTH);
    for (int64_t n = 0; n < width; n++) c[r * stride + n] = add ? c[r * stride + n] + sums[n] : sums[n];
  }
}

template <int ROWS>
void tiles(
    int64_t rows, int64_t depth, const float* a, int64_t row, int64_t column, const float* panel, const float* bias,
    float* c, int64_t stride, int64_t width, bool add) {
  if constexpr (ROWS > 0) {
    if (rows == ROWS) tile<ROWS>(depth, a, row, column, panel, bias, c, stride, width, add);
    else tiles<ROWS - 1>(rows, depth, a, row, column, panel, bias, c, stride, width, add);
  }
}

}  // namespace

extern "C" int64_t products_panel() { return PANEL; }

// B (depth, width), the element (k, n) at b[k row + n column], into panels of all rows of PANEL columns, zeros behind the last.
extern "C" void products_pack(
    int64_t depth, int64_t width, const float* b, int64_t row, int64_t column, float* packed) {
  for (int64_t n = 0; n < width; n += PANEL, packed += depth * PANEL) {
    const int64_t real = std::min(PANEL, width - n);
    const float* from = b + n * column;
    if (real < PANEL) std::memset(packed, 0, depth * PANEL * sizeof(float));
    if (column == 1) {
      for (int64_t k = 0; k < depth; k++) std::memcpy(packed + k * PANEL, from + k * row, real * sizeof(float));
      continue;
    }
    for (int64_t first = 0; first < depth; first += 16)
      for (int64_t i = 0; i < real; i++)
        for (int64_t k = first; k < std::min(depth, first + 16); k++)
          packed[k * PANEL + i] = from[k * row + i * column];
  }
}

// C = A B + bias, or C += A B: the element (m, k) of A (rows, depth) at a[m row + k column], that of C at c[m stride + n];
// `bias` has zeros to the end of the last panel, or is null.
extern "C" void products_multiply(
    int64_t rows, int64_t depth, int64_t width, const float* a, int64_t row, int64_t column, const float* packed,
    const float* bias, float* c, int64_t stride, int64_t add) {
  for (int64_t top = 0; top < rows; top += BAND) {
    const int64_t height = std::min(BAND, rows - top), blocks = (height + MOST_ROWS - 1) / MOST_ROWS;
    for (int64_t k = 0; k < depth; k += DEPTH) {
      const int64_t deep = std::min(DEPTH, depth - k);
      for (int64_t n = 0; n < width; n += PANEL) {
        const float* panel = packed + n * depth + k * PANEL;
        for (int64_t i = 0; i < blocks; i++) {
          const int64_t from = top + height * i / blocks, to = top + height * (i + 1) / blocks;
          tiles<MOST_ROWS>(
              to - from, deep, a + from * row + k * column, row, column, panel, bias && !k ? bias + n : nullptr,
              c + from * stride + n, stride, std::min(PANEL, width - n), add || k);
        }
      }
    }
  }
}
