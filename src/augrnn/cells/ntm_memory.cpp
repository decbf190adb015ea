// The memory step of a Neural Turing Machine and its gradient: sections 3.1 to 3.3 of Graves, Wayne and Danihelka 2014,
// in one pass over a sequence's memory, which stays in the processor's first cache meanwhile.
//
// Arrays are float32 and dense: memory (B, W, N), weightings (B, A, N), read vectors (B, H, W), where A = 2 H, reads
// first; `asked` (B, A (W + 3 + S) + 2 H W), what the controller asks for before any nonlinearity: keys, strengths, gates,
// shifts, exponents, erase and add vectors; `kept` (B, 3, A, N) for the gradient: cosines, weightings by content, and
// shifted weightings. All loops over N are written for the compiler to vectorise.

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

namespace {

const float EPSILON = 1e-8f;  // as augrnn.cells.addressing has it

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

inline float dot(const float* a, const float* b, int64_t n) {
  float sum = 0;
  for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

// x in place of its softmax; NaN where any of x is.
inline void softmax(float* x, int64_t n) {
  float most = x[0], sum = 0;
  for (int64_t i = 1; i < n; i++) most = x[i] > most ? x[i] : most;
  for (int64_t i = 0; i < n; i++) {
    x[i] = exponential(x[i] - most);
    sum += x[i];
  }
  const float share = 1.0f / sum;
  for (int64_t i = 0; i < n; i++) x[i] *= share;
}

// From the gradient of softmax(z) = y to that of z, in place.
inline void through_softmax(float* gradient, const float* y, int64_t n) {
  const float mean = dot(gradient, y, n);
  for (int64_t i = 0; i < n; i++) gradient[i] = y[i] * (gradient[i] - mean);
}

// y += scale x, y[i] from x[i - by] around the ring.
inline void add_moved(float* y, const float* x, float scale, int64_t by, int64_t n) {
  const int64_t first = ((by % n) + n) % n;
  for (int64_t i = 0; i < first; i++) y[i] += scale * x[n - first + i];
  for (int64_t i = first; i < n; i++) y[i] += scale * x[i - first];
}

inline float dot_moved(const float* y, const float* x, int64_t by, int64_t n) {
  const int64_t first = ((by % n) + n) % n;
  return dot(y, x + n - first, first) + dot(y + first, x, n - first);
}

inline float sigmoid(float x) { return 1.0f / (1.0f + std::exp(-x)); }

inline float softplus(float x) { return x > 20.0f ? x : std::log1p(std::exp(x)); }

struct Sizes {
  int64_t batch, heads, rows, width, shifts;
  bool interpolation, sharpening;

  int64_t addressing() const { return 2 * heads; }
  int64_t asked() const { return addressing() * (width + 3 + shifts) + 2 * heads * width; }
};

// What the controller asks for at one place of a batch, after the nonlinearities.
struct Asked {
  const float *key, *add, *raw_strength, *raw_exponent;
  std::vector<float> strength, gate, shift, exponent, erase;

  explicit Asked(const Sizes& z)
      : strength(z.addressing()), gate(z.addressing()), shift(z.addressing() * z.shifts), exponent(z.addressing()),
        erase(z.heads * z.width) {}

  void read(const Sizes& z, const float* raw) {
    const int64_t a = z.addressing(), hw = z.heads * z.width;
    key = raw;
    raw_strength = raw + a * z.width;
    const float *gates = raw_strength + a, *moves = gates + a;
    raw_exponent = moves + a * z.shifts;
    const float* erasing = raw_exponent + a;
    add = erasing + hw;
    for (int64_t i = 0; i < a; i++) strength[i] = softplus(raw_strength[i]);
    for (int64_t i = 0; i < a; i++) gate[i] = z.interpolation ? sigmoid(gates[i]) : 1.0f;
    std::memcpy(shift.data(), moves, a * z.shifts * sizeof(float));
    for (int64_t i = 0; i < a; i++) softmax(shift.data() + i * z.shifts, z.shifts);
    for (int64_t i = 0; i < a; i++) exponent[i] = 1.0f + softplus(raw_exponent[i]);
    for (int64_t i = 0; i < hw; i++) erase[i] = sigmoid(erasing[i]);
  }
};

// The inverse lengths of the memory's rows.
void invert_lengths(const Sizes& z, const float* m, float* inverse) {
  for (int64_t n = 0; n < z.rows; n++) inverse[n] = 0;
  for (int64_t w = 0; w < z.width; w++)
    for (int64_t n = 0; n < z.rows; n++) inverse[n] += m[w * z.rows + n] * m[w * z.rows + n];
  for (int64_t n = 0; n < z.rows; n++) inverse[n] = 1.0f / std::sqrt(inverse[n] + EPSILON);
}

}  // namespace

extern "C" void ntm_memory_forward(
    int64_t batch, int64_t heads, int64_t rows, int64_t width, int64_t shifts, int64_t interpolation,
    int64_t sharpening, const float* memory, const float* before, const float* asked, float* weighting, float* read,
    float* after, float* kept) {
  const Sizes z{batch, heads, rows, width, shifts, interpolation != 0, sharpening != 0};
  const int64_t addressing = z.addressing(), reach = shifts / 2, size = addressing * rows;
  std::vector<float> inverse(rows), gated(rows);
  Asked want(z);
  for (int64_t b = 0; b < batch; b++) {
    const float* m = memory + b * width * rows;
    want.read(z, asked + b * z.asked());
    invert_lengths(z, m, inverse.data());
    for (int64_t a = 0; a < addressing; a++) {
      const float *k = want.key + a * width, *w = before + b * size + a * rows;
      float *c = kept + 3 * b * size + a * rows, *y = c + size, *v = y + size, *out = weighting + b * size + a * rows;
      const float scale = 1.0f / std::sqrt(dot(k, k, width) + EPSILON), beta = want.strength[a], g = want.gate[a];
      for (int64_t n = 0; n < rows; n++) c[n] = 0;
      for (int64_t i = 0; i < width; i++)
        for (int64_t n = 0; n < rows; n++) c[n] += k[i] * m[i * rows + n];
      for (int64_t n = 0; n < rows; n++) c[n] *= scale * inverse[n];
      for (int64_t n = 0; n < rows; n++) y[n] = beta * c[n];
      softmax(y, rows);
      for (int64_t n = 0; n < rows; n++) gated[n] = w[n] + g * (y[n] - w[n]);
      for (int64_t n = 0; n < rows; n++) v[n] = 0;
      for (int64_t s = 0; s < shifts; s++) add_moved(v, gated.data(), want.shift[a * shifts + s], s - reach, rows);
      if (sharpening) {
        const float gamma = want.exponent[a];
        for (int64_t n = 0; n < rows; n++) out[n] = gamma * logarithm(v[n] + EPSILON);
        softmax(out, rows);
      } else {
        std::memcpy(out, v, rows * sizeof(float));
      }
    }
    const float *reading = weighting + b * size, *writing = reading + heads * rows;
    for (int64_t h = 0; h < heads; h++)
      for (int64_t w = 0; w < width; w++)
        read[(b * heads + h) * width + w] = dot(reading + h * rows, m + w * rows, rows);
    for (int64_t w = 0; w < width; w++) {
      float* to = after + (b * width + w) * rows;
      std::memcpy(to, m + w * rows, rows * sizeof(float));
      for (int64_t h = 0; h < heads; h++) {
        const float e = want.erase[h * width + w];
        for (int64_t n = 0; n < rows; n++) to[n] *= 1.0f - writing[h * rows + n] * e;
      }
      for (int64_t h = 0; h < heads; h++) {
        const float value = want.add[h * width + w];
        for (int64_t n = 0; n < rows; n++) to[n] += writing[h * rows + n] * value;
      }
    }
  }
}

extern "C" void ntm_memory_backward(
    int64_t batch, int64_t heads, int64_t rows, int64_t width, int64_t shifts, int64_t interpolation,
    int64_t sharpening, const float* memory, const float* before, const float* asked, const float* weighting,
    const float* kept, const float* g_weighting, const float* g_read, const float* g_after, float* g_memory,
    float* g_before, float* g_asked) {
  const Sizes z{batch, heads, rows, width, shifts, interpolation != 0, sharpening != 0};
  const int64_t addressing = z.addressing(), reach = shifts / 2, size = addressing * rows;
  std::vector<float> inverse(rows), gated(rows), toward(rows), radial(rows), others(rows), from(rows), arrived(size);
  Asked want(z);
  for (int64_t b = 0; b < batch; b++) {
    const float* m = memory + b * width * rows;
    float* gm = g_memory + b * width * rows;
    const float *reading = weighting + b * size, *writing = reading + heads * rows;
    want.read(z, asked + b * z.asked());
    float* g_key = g_asked + b * z.asked();
    float *g_strength = g_key + addressing * width, *g_gate = g_strength + addressing, *g_shift = g_gate + addressing;
    float *g_exponent = g_shift + addressing * shifts, *g_erase = g_exponent + addressing;
    float* g_add = g_erase + heads * width;
    std::memcpy(arrived.data(), g_weighting + b * size, size * sizeof(float));
    invert_lengths(z, m, inverse.data());
    for (int64_t w = 0; w < width; w++) {
      const float *row = m + w * rows, *g = g_after + (b * width + w) * rows;
      float* to = gm + w * rows;
      // the write
      std::memcpy(to, g, rows * sizeof(float));
      for (int64_t h = 0; h < heads; h++) {
        const float e = want.erase[h * width + w];
        for (int64_t n = 0; n < rows; n++) to[n] *= 1.0f - writing[h * rows + n] * e;
      }
      for (int64_t h = 0; h < heads; h++) {
        const float e = want.erase[h * width + w], value = want.add[h * width + w];
        const float* own = writing + h * rows;
        float *ga = arrived.data() + (heads + h) * rows, erased = 0, added = 0;
        for (int64_t n = 0; n < rows; n++) others[n] = g[n] * row[n];
        for (int64_t other = 0; other < heads; other++) {
          if (other == h) continue;
          const float its = want.erase[other * width + w];
          for (int64_t n = 0; n < rows; n++) others[n] *= 1.0f - writing[other * rows + n] * its;
        }
        for (int64_t n = 0; n < rows; n++) {
          ga[n] += g[n] * value - others[n] * e;
          erased += others[n] * own[n];
          added += g[n] * own[n];
        }
        g_erase[h * width + w] = -erased * e * (1.0f - e);
        g_add[h * width + w] = added;
      }
      // the read
      for (int64_t h = 0; h < heads; h++) {
        const float value = g_read[(b * heads + h) * width + w];
        const float* own = reading + h * rows;
        float* ga = arrived.data() + h * rows;
        for (int64_t n = 0; n < rows; n++) {
          ga[n] += value * row[n];
          to[n] += value * own[n];
        }
      }
    }
    for (int64_t n = 0; n < rows; n++) radial[n] = 0;
    for (int64_t a = 0; a < addressing; a++) {
      const float *k = want.key + a * width, *w = before + b * size + a * rows;
      const float *c = kept + 3 * b * size + a * rows, *y = c + size, *v = y + size;
      const float gate = want.gate[a], beta = want.strength[a], gamma = want.exponent[a];
      float* g = arrived.data() + a * rows;
      g_exponent[a] = 0;
      if (sharpening) {
        through_softmax(g, weighting + b * size + a * rows, rows);
        float sum = 0;
        for (int64_t n = 0; n < rows; n++) {
          sum += g[n] * logarithm(v[n] + EPSILON);
          g[n] *= gamma / (v[n] + EPSILON);
        }
        g_exponent[a] = sum * sigmoid(want.raw_exponent[a]);
      }
      for (int64_t n = 0; n < rows; n++) gated[n] = w[n] + gate * (y[n] - w[n]);
      for (int64_t n = 0; n < rows; n++) from[n] = 0;
      for (int64_t s = 0; s < shifts; s++) {
        g_shift[a * shifts + s] = dot_moved(g, gated.data(), s - reach, rows);
        add_moved(from.data(), g, want.shift[a * shifts + s], reach - s, rows);
      }
      through_softmax(g_shift + a * shifts, want.shift.data() + a * shifts, shifts);
      float opened = 0, looked = 0, along = 0;
      for (int64_t n = 0; n < rows; n++) {
        opened += from[n] * (y[n] - w[n]);
        g_before[b * size + a * rows + n] = from[n] * (1.0f - gate);
        from[n] *= gate;
      }
      g_gate[a] = opened * gate * (1.0f - gate);
      through_softmax(from.data(), y, rows);
      const float scale = 1.0f / std::sqrt(dot(k, k, width) + EPSILON);
      for (int64_t n = 0; n < rows; n++) {
        const float g_cosine = from[n] * beta;
        looked += from[n] * c[n];
        along += g_cosine * c[n];
        radial[n] += g_cosine * c[n];
        toward[n] = g_cosine * inverse[n] * scale;
      }
      g_strength[a] = looked * sigmoid(want.raw_strength[a]);
      for (int64_t i = 0; i < width; i++) {
        g_key[a * width + i] = dot(toward.data(), m + i * rows, rows) - along * scale * scale * k[i];
        for (int64_t n = 0; n < rows; n++) gm[i * rows + n] += toward[n] * k[i];
      }
    }
    for (int64_t n = 0; n < rows; n++) radial[n] *= inverse[n] * inverse[n];
    for (int64_t w = 0; w < width; w++)
      for (int64_t n = 0; n < rows; n++) gm[w * rows + n] -= radial[n] * m[w * rows + n];
  }
}
