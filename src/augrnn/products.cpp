// Products of float32 matrices, on one core: the right-hand matrix is first packed into panels of columns, which may then
// serve many products, as the weights of a recurrent layer do at every step.

#include "product.h"

using augrnn::PANEL;

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
  augrnn::packed_product(c, stride, {a, row, column}, packed, bias, rows, width, depth, add);
}
