// The Neural Turing Machine of Graves, Wayne and Danihelka 2014 and its gradient: the memory step (sections 3.1 to 3.3),
// in one pass over a sequence's memory, which stays in the processor's first cache meanwhile; and whole sequences with a
// controller of LSTM layers or of one layer of tanh units.
//
// Arrays are float32 and dense: memory (B, W, N), weightings (B, A, N), read vectors (B, H, W), where A = 2 H, reads
// first; `asked` (B, P), P = A (W + 3 + S) + 2 H W, what the controller asks for before any nonlinearity: keys, strengths,
// gates, shifts, exponents, erase and add vectors; `kept` (B, 2 A + 1, N) for the gradient: cosines and weightings by
// content of each head, and the inverse lengths of the memory's rows. All loops over N are written for the compiler to
// vectorise.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "../elementary.h"
#include "../product.h"

namespace {

const float EPSILON = 1e-8f;  // as augrnn.cells.addressing has it

using augrnn::dot, augrnn::exponential, augrnn::logarithm, augrnn::sigmoid, augrnn::tangent;

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

inline float softplus(float x) { return x > 20.0f ? x : std::log1p(std::exp(x)); }

struct Sizes {
  int64_t batch, heads, rows, width, shifts;
  bool interpolation, sharpening;

  int64_t addressing() const { return 2 * heads; }
  int64_t asked() const { return addressing() * (width + 3 + shifts) + 2 * heads * width; }
  int64_t weightings() const { return addressing() * rows; }
  int64_t memory() const { return width * rows; }
  int64_t kept() const { return 2 * weightings() + rows; }
};

// What the controller asks for at one place of a batch, after the nonlinearities.
struct Asked {
  const float *key, *add, *raw_strength, *raw_exponent;
  std::vector<float> strength, gate, shift, exponent, erase;

  explicit Asked(const Sizes& z)
      : strength(z.addressing()), gate(z.addressing()), shift(z.addressing() * z.shifts), exponent(z.addressing()),
        erase(z.heads * z.width) {}

  // The erase and add vectors alone.
  void read_writes(const Sizes& z, const float* raw) {
    const int64_t hw = z.heads * z.width;
    add = raw + z.asked() - hw;
    const float* erasing = add - hw;
    for (int64_t i = 0; i < hw; i++) erase[i] = sigmoid(erasing[i]);
  }

  void read(const Sizes& z, const float* raw) {
    const int64_t a = z.addressing();
    key = raw;
    raw_strength = raw + a * z.width;
    const float *gates = raw_strength + a, *moves = gates + a;
    raw_exponent = moves + a * z.shifts;
    for (int64_t i = 0; i < a; i++) strength[i] = softplus(raw_strength[i]);
    for (int64_t i = 0; i < a; i++) gate[i] = z.interpolation ? sigmoid(gates[i]) : 1.0f;
    std::memcpy(shift.data(), moves, a * z.shifts * sizeof(float));
    for (int64_t i = 0; i < a; i++) softmax(shift.data() + i * z.shifts, z.shifts);
    for (int64_t i = 0; i < a; i++) exponent[i] = 1.0f + softplus(raw_exponent[i]);
    read_writes(z, raw);
  }
};

// The inverse lengths of the memory's rows.
void invert_lengths(const Sizes& z, const float* m, float* inverse) {
  for (int64_t n = 0; n < z.rows; n++) inverse[n] = 0;
  for (int64_t w = 0; w < z.width; w++)
    for (int64_t n = 0; n < z.rows; n++) inverse[n] += m[w * z.rows + n] * m[w * z.rows + n];
  for (int64_t n = 0; n < z.rows; n++) inverse[n] = 1.0f / std::sqrt(inverse[n] + EPSILON);
}

// Room to work in.
struct Scratch {
  Asked want;
  std::vector<float> gated, shifted, toward, radial, from, arrived, kept_before, kept_after, product;

  explicit Scratch(const Sizes& z)
      : want(z), gated(z.rows), shifted(z.rows), toward(z.weightings()), radial(z.rows), from(z.rows),
        arrived(z.weightings()), kept_before(z.heads * z.rows), kept_after(z.rows), product(z.rows) {}
};

// From the memory at one place of a batch to the one that its heads leave (Eqs. 3 and 4).
void write(const Sizes& z, const Asked& want, const float* m, const float* writing, float* after) {
  const int64_t rows = z.rows, width = z.width, heads = z.heads;
  for (int64_t w = 0; w < width; w++) {
    const float* row = m + w * rows;
    const float e = want.erase[w];
    float* to = after + w * rows;
    for (int64_t n = 0; n < rows; n++) to[n] = row[n] * (1.0f - writing[n] * e);
    for (int64_t h = 1; h < heads; h++) {
      const float another = want.erase[h * width + w];
      for (int64_t n = 0; n < rows; n++) to[n] *= 1.0f - writing[h * rows + n] * another;
    }
  }
  augrnn::add_product(after, rows, {want.add, 1, width}, writing, rows, width, rows, heads);
}

// A head's weighting by content and the one before: gated (Eq. 7), then shifted (Eq. 8).
void gate_and_shift(
    const Sizes& z, float gate, const float* shift, const float* y, const float* w, float* gated, float* shifted) {
  for (int64_t n = 0; n < z.rows; n++) gated[n] = w[n] + gate * (y[n] - w[n]);
  for (int64_t n = 0; n < z.rows; n++) shifted[n] = 0;
  for (int64_t move = 0; move < z.shifts; move++) add_moved(shifted, gated, shift[move], move - z.shifts / 2, z.rows);
}

// The memory step at one place of a batch.
void memory_forward(
    const Sizes& z, Scratch& s, const float* m, const float* before, const float* asked, float* weighting, float* read,
    float* after, float* kept) {
  const int64_t addressing = z.addressing(), rows = z.rows, width = z.width, heads = z.heads;
  Asked& want = s.want;
  want.read(z, asked);
  float *inverse = kept + 2 * z.weightings(), *v = s.shifted.data();
  invert_lengths(z, m, inverse);
  std::fill(kept, kept + z.weightings(), 0.0f);
  augrnn::add_product(kept, rows, {want.key, width, 1}, m, rows, addressing, rows, width);
  for (int64_t a = 0; a < addressing; a++) {
    const float *k = want.key + a * width, *w = before + a * rows;
    float *c = kept + a * rows, *y = c + z.weightings(), *out = weighting + a * rows;
    const float scale = 1.0f / std::sqrt(dot(k, k, width) + EPSILON), beta = want.strength[a];
    for (int64_t n = 0; n < rows; n++) c[n] *= scale * inverse[n];
    for (int64_t n = 0; n < rows; n++) y[n] = beta * c[n];
    softmax(y, rows);
    gate_and_shift(z, want.gate[a], want.shift.data() + a * z.shifts, y, w, s.gated.data(), v);
    if (z.sharpening) {
      const float gamma = want.exponent[a];
      for (int64_t n = 0; n < rows; n++) out[n] = gamma * logarithm(v[n] + EPSILON);
      softmax(out, rows);
    } else {
      std::memcpy(out, v, rows * sizeof(float));
    }
  }
  const float* writing = weighting + heads * rows;
  for (int64_t h = 0; h < heads; h++)
    for (int64_t w = 0; w < width; w++) read[h * width + w] = dot(weighting + h * rows, m + w * rows, rows);
  write(z, want, m, writing, after);
}

// Its gradient; g_memory may not be g_after, g_before may be g_weighting.
void memory_backward(
    const Sizes& z, Scratch& s, const float* m, const float* before, const float* asked, const float* weighting,
    const float* kept, const float* g_weighting, const float* g_read, const float* g_after, float* g_memory,
    float* g_before, float* g_asked) {
  const int64_t addressing = z.addressing(), reach = z.shifts / 2, rows = z.rows, width = z.width, heads = z.heads;
  const float *reading = weighting, *writing = reading + heads * rows;
  Asked& want = s.want;
  want.read(z, asked);
  float* g_key = g_asked;
  float *g_strength = g_key + addressing * width, *g_gate = g_strength + addressing, *g_shift = g_gate + addressing;
  float *g_exponent = g_shift + addressing * z.shifts, *g_erase = g_exponent + addressing;
  float* g_add = g_erase + heads * width;
  float *gated = s.gated.data(), *v = s.shifted.data(), *from = s.from.data(), *radial = s.radial.data();
  float *product = s.product.data(), *kept_after = s.kept_after.data(), *arrived = s.arrived.data();
  const float* inverse = kept + 2 * z.weightings();
  std::memcpy(arrived, g_weighting, z.weightings() * sizeof(float));
  augrnn::add_product(arrived, rows, {g_read, width, 1}, m, rows, heads, rows, width);
  augrnn::add_product(arrived + heads * rows, rows, {want.add, width, 1}, g_after, rows, heads, rows, width);
  for (int64_t w = 0; w < width; w++) {
    const float *row = m + w * rows, *g = g_after + w * rows;
    float* to = g_memory + w * rows;
    // what the heads before and after each head leave
    const float* left = g;
    for (int64_t h = 0; h + 1 < heads; h++) {
      float* next = s.kept_before.data() + h * rows;
      const float e = want.erase[h * width + w];
      for (int64_t n = 0; n < rows; n++) next[n] = left[n] * (1.0f - writing[h * rows + n] * e);
      left = next;
    }
    for (int64_t n = 0; n < rows; n++) kept_after[n] = 1.0f;
    for (int64_t h = heads - 1; h >= 0; h--) {
      const float e = want.erase[h * width + w];
      const float* own = writing + h * rows;
      float *ga = arrived + (heads + h) * rows, erased = 0, added = 0;
      left = h ? s.kept_before.data() + (h - 1) * rows : g;
      for (int64_t n = 0; n < rows; n++) product[n] = left[n] * kept_after[n] * row[n];
      for (int64_t n = 0; n < rows; n++) {
        ga[n] -= product[n] * e;
        erased += product[n] * own[n];
        added += g[n] * own[n];
        kept_after[n] *= 1.0f - own[n] * e;
      }
      g_erase[h * width + w] = -erased * e * (1.0f - e);
      g_add[h * width + w] = added;
    }
    for (int64_t n = 0; n < rows; n++) to[n] = g[n] * kept_after[n];
  }
  augrnn::add_product(g_memory, rows, {g_read, 1, width}, reading, rows, width, rows, heads);
  for (int64_t n = 0; n < rows; n++) radial[n] = 0;
  for (int64_t a = 0; a < addressing; a++) {
    const float *k = want.key + a * width, *w = before + a * rows;
    const float *c = kept + a * rows, *y = c + z.weightings();
    const float gate = want.gate[a], beta = want.strength[a], gamma = want.exponent[a];
    float *g = arrived + a * rows, *toward = s.toward.data() + a * rows;
    gate_and_shift(z, gate, want.shift.data() + a * z.shifts, y, w, gated, v);
    g_exponent[a] = 0;
    if (z.sharpening) {
      through_softmax(g, weighting + a * rows, rows);
      float sum = 0;
      for (int64_t n = 0; n < rows; n++) {
        sum += g[n] * logarithm(v[n] + EPSILON);
        g[n] *= gamma / (v[n] + EPSILON);
      }
      g_exponent[a] = sum * sigmoid(want.raw_exponent[a]);
    }
    for (int64_t n = 0; n < rows; n++) from[n] = 0;
    for (int64_t move = 0; move < z.shifts; move++) {
      g_shift[a * z.shifts + move] = dot_moved(g, gated, move - reach, rows);
      add_moved(from, g, want.shift[a * z.shifts + move], reach - move, rows);
    }
    through_softmax(g_shift + a * z.shifts, want.shift.data() + a * z.shifts, z.shifts);
    float opened = 0, looked = 0, along = 0;
    for (int64_t n = 0; n < rows; n++) {
      opened += from[n] * (y[n] - w[n]);
      g_before[a * rows + n] = from[n] * (1.0f - gate);
      from[n] *= gate;
    }
    g_gate[a] = opened * gate * (1.0f - gate);
    through_softmax(from, y, rows);
    const float scale = 1.0f / std::sqrt(dot(k, k, width) + EPSILON);
    for (int64_t n = 0; n < rows; n++) {
      const float g_cosine = from[n] * beta;
      looked += from[n] * c[n];
      along += g_cosine * c[n];
      radial[n] += g_cosine * c[n];
      toward[n] = g_cosine * inverse[n] * scale;
    }
    g_strength[a] = looked * sigmoid(want.raw_strength[a]);
    for (int64_t i = 0; i < width; i++)
      g_key[a * width + i] = dot(toward, m + i * rows, rows) - along * scale * scale * k[i];
  }
  augrnn::add_product(g_memory, rows, {want.key, 1, width}, s.toward.data(), rows, width, rows, addressing);
  for (int64_t n = 0; n < rows; n++) radial[n] *= inverse[n] * inverse[n];
  for (int64_t w = 0; w < width; w++)
    for (int64_t n = 0; n < rows; n++) g_memory[w * rows + n] -= radial[n] * m[w * rows + n];
}

void fill_rows(float* y, const float* row, int64_t rows, int64_t size) {
  for (int64_t b = 0; b < rows; b++) std::memcpy(y + b * size, row, size * sizeof(float));
}

// A machine in time. Hidden size C; L layers of LSTM, whose gates are input, forget, candidate and output, or, where L is
// 0, one layer of tanh units, whose pre-activation is the one gate. The input of layer l at a step is what it sees but
// for x: the vectors read before (H W) or the layer below (C), then its own last output (C; none in a tanh layer).
struct Machine {
  Sizes z;
  int64_t steps, lstm_layers, hidden;
  int64_t slots;  // T + 1 to keep all steps for backward, else 2
  int64_t spacing;  // steps from one memory that is kept for backward to the next

  int64_t layers() const { return lstm_layers ? lstm_layers : 1; }
  int64_t gates() const { return lstm_layers ? 4 * hidden : hidden; }
  int64_t reads() const { return z.heads * z.width; }
  int64_t below(int64_t l) const { return l ? hidden : reads(); }
  int64_t input(int64_t l) const { return below(l) + (lstm_layers ? hidden : 0); }
  int64_t emitted() const { return hidden + reads(); }
  // Where the memory before step t is: first come those that are kept, then two for the others in turn, then the end's.
  int64_t memory_slot(int64_t t) const {
    const int64_t kept = (steps - 1) / spacing + 1;
    return t == steps ? kept + 2 : t % spacing ? kept + t % 2 : t / spacing;
  }
};

// The arrays of a machine. Per layer l: weight[l] (gates, input) and its transpose, bias[l] (gates) above the first layer, whose bias is in
// `projected` (T, B, gates); seen[l] (slots, B, input); gate[l] (slots, B, gates) after the nonlinearities; cell[l] and
// output[l] (slots, B, C), slot 0 before the first step. The memory has the slots of `memory_slot`; all others have
// one for each step too, those of the state with slot 0 before the first step.
struct Arrays {
  const float *projected, *heads_weight, *heads_transposed, *heads_bias;
  float *emitted, *asked, *memory, *weighting, *read, *kept;
  std::vector<const float*> weight, bias, transposed;
  std::vector<float*> seen, gate, cell, output;

  Arrays(const Machine& m, float* const* a) {
    projected = *a++, heads_weight = *a++, heads_transposed = *a++, heads_bias = *a++;
    emitted = *a++, asked = *a++, memory = *a++, weighting = *a++, read = *a++, kept = *a++;
    for (int64_t l = 0; l < m.layers(); l++) {
      weight.push_back(*a++), transposed.push_back(*a++), bias.push_back(*a++);
      seen.push_back(*a++), gate.push_back(*a++), cell.push_back(*a++), output.push_back(*a++);
    }
  }
};

void controller_forward(const Machine& m, const Arrays& a, int64_t l, int64_t t, int64_t from, int64_t to) {
  const int64_t batch = m.z.batch, c = m.hidden, size = m.gates(), in = m.input(l), under = m.below(l);
  float *seen = a.seen[l] + from * batch * in, *gate = a.gate[l] + from * batch * size;
  const float* below = l ? a.output[l - 1] + to * batch * c : a.read + from * batch * under;
  const float *last = a.output[l] + from * batch * c, *old = a.cell[l] + from * batch * c;
  float *output = a.output[l] + to * batch * c, *cell = a.cell[l] + to * batch * c;
  for (int64_t b = 0; b < batch; b++) {
    std::memcpy(seen + b * in, below + b * under, under * sizeof(float));
    if (m.lstm_layers) std::memcpy(seen + b * in + under, last + b * c, c * sizeof(float));
  }
  if (l)
    fill_rows(gate, a.bias[l], batch, size);
  else
    std::memcpy(gate, a.projected + t * batch * size, batch * size * sizeof(float));
  augrnn::add_product(gate, size, {seen, in, 1}, a.transposed[l], size, batch, size, in);
  for (int64_t b = 0; b < batch; b++) {
    float *g = gate + b * size, *h = output + b * c;
    if (!m.lstm_layers) {
      for (int64_t i = 0; i < c; i++) h[i] = g[i] = tangent(g[i]);
      continue;
    }
    float* next = cell + b * c;
    const float* before = old + b * c;
    for (int64_t i = 0; i < 2 * c; i++) g[i] = sigmoid(g[i]);
    for (int64_t i = 2 * c; i < 3 * c; i++) g[i] = tangent(g[i]);
    for (int64_t i = 3 * c; i < 4 * c; i++) g[i] = sigmoid(g[i]);
    for (int64_t i = 0; i < c; i++) next[i] = g[c + i] * before[i] + g[i] * g[2 * c + i];
    for (int64_t i = 0; i < c; i++) h[i] = g[3 * c + i] * tangent(next[i]);
  }
}

// From the gradient of a layer's output (B, C) to that of its pre-activations (B, gates), and g_cell (B, C) from after the
// step to before it.
void controller_backward(
    const Machine& m, const Arrays& a, int64_t l, int64_t t, const float* g_output, float* g_cell, float* g_gate) {
  const int64_t c = m.hidden, size = m.gates();
  std::vector<float> squashed(c);
  for (int64_t b = 0; b < m.z.batch; b++) {
    const float *g = a.gate[l] + (t * m.z.batch + b) * size, *gh = g_output + b * c;
    float* to = g_gate + b * size;
    if (!m.lstm_layers) {
      for (int64_t i = 0; i < c; i++) to[i] = gh[i] * (1.0f - g[i] * g[i]);
      continue;
    }
    const float *old = a.cell[l] + (t * m.z.batch + b) * c, *now = old + m.z.batch * c;
    float* gc = g_cell + b * c;
    for (int64_t i = 0; i < c; i++) squashed[i] = tangent(now[i]);
#pragma GCC ivdep
    for (int64_t i = 0; i < c; i++) {
      const float in = g[i], forget = g[c + i], candidate = g[2 * c + i], out = g[3 * c + i];
      const float arriving = gc[i] + gh[i] * out * (1.0f - squashed[i] * squashed[i]);
      to[i] = arriving * candidate * in * (1.0f - in);
      to[c + i] = arriving * old[i] * forget * (1.0f - forget);
      to[2 * c + i] = arriving * in * (1.0f - candidate * candidate);
      to[3 * c + i] = gh[i] * squashed[i] * out * (1.0f - out);
      gc[i] = arriving * forget;
    }
  }
}

}  // namespace

extern "C" void ntm_memory_forward(
    int64_t batch, int64_t heads, int64_t rows, int64_t width, int64_t shifts, int64_t interpolation,
    int64_t sharpening, const float* memory, const float* before, const float* asked, float* weighting, float* read,
    float* after, float* kept) {
  const Sizes z{batch, heads, rows, width, shifts, interpolation != 0, sharpening != 0};
  const int64_t size = z.weightings();
  Scratch s(z);
  for (int64_t b = 0; b < batch; b++)
    memory_forward(
        z, s, memory + b * z.memory(), before + b * size, asked + b * z.asked(), weighting + b * size,
        read + b * heads * width, after + b * z.memory(), kept + b * z.kept());
}

extern "C" void ntm_memory_backward(
    int64_t batch, int64_t heads, int64_t rows, int64_t width, int64_t shifts, int64_t interpolation,
    int64_t sharpening, const float* memory, const float* before, const float* asked, const float* weighting,
    const float* kept, const float* g_weighting, const float* g_read, const float* g_after, float* g_memory,
    float* g_before, float* g_asked) {
  const Sizes z{batch, heads, rows, width, shifts, interpolation != 0, sharpening != 0};
  const int64_t size = z.weightings();
  Scratch s(z);
  for (int64_t b = 0; b < batch; b++)
    memory_backward(
        z, s, memory + b * z.memory(), before + b * size, asked + b * z.asked(), weighting + b * size,
        kept + b * z.kept(), g_weighting + b * size, g_read + b * heads * width, g_after + b * z.memory(),
        g_memory + b * z.memory(), g_before + b * size, g_asked + b * z.asked());
}

namespace {

Machine machine(const int64_t* n) {
  const Sizes z{n[1], n[2], n[3], n[4], n[5], n[6] != 0, n[7] != 0};
  return Machine{z, n[0], n[8], n[9], n[10], n[11]};
}

// Write the memories before the steps from first + 1 to `last` anew; that before step `first` is kept.
void write_again(const Machine& m, const Arrays& a, Scratch& s, int64_t first, int64_t last, float* memories) {
  const Sizes& z = m.z;
  for (int64_t b = 0; b < z.batch; b++) {
    const float* memory = a.memory + (m.memory_slot(first) * z.batch + b) * z.memory();
    for (int64_t t = first; t < last; t++) {
      const int64_t here = t * z.batch + b;
      float* after = memories + ((t - first) * z.batch + b) * z.memory();
      s.want.read_writes(z, a.asked + here * z.asked());
      write(z, s.want, memory, a.weighting + (here + z.batch) * z.weightings() + z.heads * z.rows, after);
      memory = after;
    }
  }
}

}  // namespace

// Unroll a machine over T steps. `sizes`: T, B, H, N, W, S, interpolation, sharpening, LSTM layers, C, slots, spacing.
// `arrays`: as in Arrays, with the state before the first step in the slots 0; the state after step t is left in slot
// (t + 1) % slots, the last memory in the last slot.
extern "C" void ntm_sequence_forward(const int64_t* sizes, float* const* arrays) {
  const Machine m = machine(sizes);
  const Arrays a(m, arrays);
  const Sizes& z = m.z;
  const int64_t batch = z.batch, c = m.hidden, reads = m.reads(), asks = z.asked(), size = z.weightings();
  Scratch s(z);
  for (int64_t t = 0; t < m.steps; t++) {
    const int64_t from = t % m.slots, to = (t + 1) % m.slots;
    for (int64_t l = 0; l < m.layers(); l++) controller_forward(m, a, l, t, from, to);
    const float* top = a.output[m.layers() - 1] + to * batch * c;
    float* asked = a.asked + from * batch * asks;
    fill_rows(asked, a.heads_bias, batch, asks);
    augrnn::add_product(asked, asks, {top, c, 1}, a.heads_transposed, asks, batch, asks, c);
    for (int64_t b = 0; b < batch; b++) {
      const int64_t here = from * batch + b, next = to * batch + b;
      const float* memory = a.memory + (m.memory_slot(t) * batch + b) * z.memory();
      memory_forward(
          z, s, memory, a.weighting + here * size, asked + b * asks, a.weighting + next * size, a.read + next * reads,
          a.memory + (m.memory_slot(t + 1) * batch + b) * z.memory(), a.kept + here * z.kept());
      float* emitted = a.emitted + (t * batch + b) * m.emitted();
      std::memcpy(emitted, top + b * c, c * sizeof(float));
      std::memcpy(emitted + c, a.read + next * reads, reads * sizeof(float));
    }
  }
}

// Its gradient. `gradients`: in g_emitted (T, B, C + H W); in and out, of the last state and then of the first, memory,
// other_memory (room), weighting, read; `between` (spacing - 1, B, W, N), room for the memories that are not kept; out
// g_asked (T, B, P), which holds what arrives at the last step's first, and g_heads (P, C), added to; and for each
// layer out g_gate (T, B, gates), in and out of the state g_cell and g_output (B, C), and g_weight (gates, input),
// added to. `projected` and `emitted` are not read.
extern "C" void ntm_sequence_backward(
    const int64_t* sizes, float* const* arrays, float* const* gradients) {
  const Machine m = machine(sizes);
  const Arrays a(m, arrays);
  const Sizes& z = m.z;
  const int64_t batch = z.batch, c = m.hidden, reads = m.reads(), asks = z.asked(), size = z.weightings();
  const int64_t top = m.layers() - 1, out = m.emitted();
  const float* g_emitted = *gradients++;
  float *g_memory = *gradients++, *room = *gradients++, *g_weighting = *gradients++, *g_read = *gradients++;
  float *between = *gradients++, *g_asked = *gradients++, *g_heads = *gradients++;
  float* const* g_layer = gradients;  // g_gate, g_cell, g_output and g_weight of each layer
  int64_t widest = 0;
  for (int64_t l = 0; l <= top; l++) widest = std::max(widest, m.input(l));
  std::vector<float> arriving(batch * c), g_seen(batch * widest), last(batch * asks);
  Scratch s(z);
  std::memcpy(last.data(), g_asked + (m.steps - 1) * batch * asks, batch * asks * sizeof(float));
  for (int64_t t = m.steps - 1; t >= 0; t--) {
    float* g_now = g_asked + t * batch * asks;
    const int64_t since = t % m.spacing, slot = batch * z.memory();
    if (t == m.steps - 1 || since == m.spacing - 1) write_again(m, a, s, t - since, t, between);
    const float* memory = since ? between + (since - 1) * slot : a.memory + m.memory_slot(t) * slot;
    for (int64_t b = 0; b < batch; b++) {
      const int64_t here = t * batch + b;
      const float* emitted = g_emitted + here * out;
      for (int64_t i = 0; i < reads; i++) g_read[b * reads + i] += emitted[c + i];
      memory_backward(
          z, s, memory + b * z.memory(), a.weighting + here * size, a.asked + here * asks,
          a.weighting + (here + batch) * size, a.kept + here * z.kept(), g_weighting + b * size, g_read + b * reads,
          g_memory + b * z.memory(), room + b * z.memory(), g_weighting + b * size, g_now + b * asks);
      if (t == m.steps - 1)
        for (int64_t i = 0; i < asks; i++) g_now[b * asks + i] += last[b * asks + i];
      float* above = g_layer[4 * top + 2] + b * c;
      for (int64_t i = 0; i < c; i++) arriving[b * c + i] = emitted[i] + above[i];
    }
    std::swap(g_memory, room);
    augrnn::add_product(arriving.data(), c, {g_now, asks, 1}, a.heads_weight, c, batch, c, asks);
    for (int64_t l = top; l >= 0; l--) {
      const int64_t in = m.input(l), under = m.below(l);
      float *g_gate = g_layer[4 * l] + t * batch * m.gates(), *g_cell = g_layer[4 * l + 1], *g_output = g_layer[4 * l + 2];
      controller_backward(m, a, l, t, arriving.data(), g_cell, g_gate);
      std::fill(g_seen.begin(), g_seen.begin() + batch * in, 0.0f);
      augrnn::add_product(g_seen.data(), in, {g_gate, m.gates(), 1}, a.weight[l], in, batch, in, m.gates());
      for (int64_t b = 0; b < batch; b++) {
        const float* seen = g_seen.data() + b * in;
        if (m.lstm_layers) std::memcpy(g_output + b * c, seen + under, c * sizeof(float));
        if (l)
          for (int64_t i = 0; i < c; i++) arriving[b * c + i] = g_layer[4 * (l - 1) + 2][b * c + i] + seen[i];
        else
          std::memcpy(g_read + b * reads, seen, reads * sizeof(float));
      }
    }
  }
  const int64_t all = m.steps * batch;
  augrnn::add_product(g_heads, c, {g_asked, 1, asks}, a.output[top] + batch * c, c, asks, c, all);
  for (int64_t l = 0; l <= top; l++)
    augrnn::add_product(g_layer[4 * l + 3], m.input(l), {g_layer[4 * l], 1, m.gates()}, a.seen[l], m.input(l), m.gates(), m.input(l), all);
  // as many steps as swaps: an odd number has left the gradient in what was the room
  if (m.steps % 2) std::memcpy(room, g_memory, batch * z.memory() * sizeof(float));
}
