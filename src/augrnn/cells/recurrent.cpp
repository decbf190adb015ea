// A layer of tanh units or of an LSTM over whole sequences, and adaptive computation time (Graves 2016) around it: forward
// and backward.
//
// Arrays are float32 and dense. A layer has H units and G gates: 4 H of an LSTM (input, forget, candidate, output), else H.
// States have a slot more than there are steps, the first for the state before them. Weights come in panels (products.cpp).

#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "../elementary.h"
#include "../product.h"

namespace {

using augrnn::dot, augrnn::sigmoid, augrnn::tangent;

struct Layer {
  int64_t units;
  bool lstm, squashes;  // whether an LSTM emits the tanh of its memory cells, or these themselves
  const float *panels, *bias, *back_panels;  // of W (G, H): of its transpose with the bias, and of itself

  int64_t gates() const { return lstm ? 4 * units : units; }

  // The product of the states with W and its bias, (rows, G).
  void product(int64_t rows, const float* seen, float* out) const {
    augrnn::packed_product(out, gates(), {seen, units, 1}, panels, bias, rows, gates(), units, false);
  }

  // From the gradient of gates (rows, G) to that of the states they were computed from, (rows, H).
  void back_product(int64_t rows, const float* g_gates, float* g_seen) const {
    augrnn::packed_product(g_seen, units, {g_gates, gates(), 1}, back_panels, nullptr, rows, units, gates(), false);
  }

  // One row: gates before their nonlinearities, in place of those after them; an LSTM's new memory cells; what is emitted.
  void activate(float* g, const float* before, float* cell, float* out) const {
    const int64_t n = units;
    if (!lstm) {
      for (int64_t i = 0; i < n; i++) out[i] = g[i] = tangent(g[i]);
      return;
    }
    float *enter = g, *forget = g + n, *candidate = g + 2 * n, *leave = g + 3 * n;
    for (int64_t i = 0; i < n; i++) enter[i] = sigmoid(enter[i]);
    for (int64_t i = 0; i < n; i++) forget[i] = sigmoid(forget[i]);
    for (int64_t i = 0; i < n; i++) candidate[i] = tangent(candidate[i]);
    for (int64_t i = 0; i < n; i++) leave[i] = sigmoid(leave[i]);
    for (int64_t i = 0; i < n; i++) cell[i] = forget[i] * before[i] + enter[i] * candidate[i];
    emitted(g, cell, out);
  }

  // What a row emitted, from its gates.
  void emitted(const float* g, const float* cell, float* out) const {
    const float* leave = g + 3 * units;
    if (!lstm)
      std::memcpy(out, g, units * sizeof(float));
    else if (squashes)
      for (int64_t i = 0; i < units; i++) out[i] = leave[i] * tangent(cell[i]);
    else
      for (int64_t i = 0; i < units; i++) out[i] = leave[i] * cell[i];
  }

  // One row: from the gradients of what it emitted and of its memory cells to those of its gates before their
  // nonlinearities and, in the place of the latter, of the memory cells before it.
  void through(const float* g, const float* before, const float* cell, const float* g_out, float* g_cell, float* g_gates) const {
    const int64_t n = units;
    if (!lstm) {
      for (int64_t i = 0; i < n; i++) g_gates[i] = g_out[i] * (1.0f - g[i] * g[i]);
      return;
    }
    const float *enter = g, *forget = g + n, *candidate = g + 2 * n, *leave = g + 3 * n;
    for (int64_t i = 0; i < n; i++) {
      const float squashed = squashes ? tangent(cell[i]) : cell[i], slope = squashes ? 1.0f - squashed * squashed : 1.0f;
      const float g_c = g_cell[i] + g_out[i] * leave[i] * slope;
      g_gates[i] = g_c * candidate[i] * enter[i] * (1.0f - enter[i]);
      g_gates[n + i] = g_c * before[i] * forget[i] * (1.0f - forget[i]);
      g_gates[2 * n + i] = g_c * enter[i] * (1.0f - candidate[i] * candidate[i]);
      g_gates[3 * n + i] = g_out[i] * squashed * leave[i] * (1.0f - leave[i]);
      g_cell[i] = g_c * forget[i];
    }
  }
};

inline void add(float* to, const float* from, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] += from[i];
}

inline void scale(float* x, const float* by, int64_t n) {
  for (int64_t i = 0; i < n; i++) x[i] *= by[i];
}

inline void add_scaled(float* to, float scale, const float* from, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] += scale * from[i];
}

// The inner steps that some rows of a batch took at the same time.
struct Inner {
  std::vector<int64_t> row, before;  // their numbers in the batch, and their places among those of the inner step before
  std::vector<float> halting, share;  // h^n and p^n
  std::vector<char> last;             // whether a row halts here
  std::unique_ptr<float[]> room;
  float *seen, *gates, *cell;  // (rows, H), (rows, G), (rows, H)

  Inner(std::vector<int64_t> rows, std::vector<int64_t> places, int64_t units, int64_t gate_units)
      : row(std::move(rows)), before(std::move(places)), halting(row.size()), share(row.size()), last(row.size()),
        room(new float[row.size() * (2 * units + gate_units)]) {
    seen = room.get();
    cell = seen + row.size() * units;
    gates = cell + row.size() * units;
  }
};

using Tape = std::vector<std::vector<Inner>>;  // of each step in time

// Gradients of gates and the states they belong to, gathered until a product of them is worth its call.
struct Gathered {
  static constexpr int64_t MOST = 256;
  const int64_t units, gates;
  float* g_weight;
  int64_t rows = 0;
  std::vector<float> g_gates, seen;

  Gathered(const Layer& layer, float* g_weight)
      : units(layer.units), gates(layer.gates()), g_weight(g_weight), g_gates(MOST * gates), seen(MOST * units) {}

  void add(const float* g_gates_row, const float* seen_row) {
    std::memcpy(g_gates.data() + rows * gates, g_gates_row, gates * sizeof(float));
    std::memcpy(seen.data() + rows * units, seen_row, units * sizeof(float));
    if (++rows == MOST) flush();
  }

  void flush() {
    augrnn::add_product(g_weight, units, {g_gates.data(), 1, gates}, seen.data(), units, gates, units, rows);
    rows = 0;
  }
};

Layer layer_of(const int64_t* sizes, float* const* arrays) {
  return {sizes[2], sizes[3] != 0, sizes[3] != 2, arrays[0], arrays[1], arrays[2]};
}

}  // namespace

// Sizes: T, B, H, the kind of layer: 0 of tanh units, 1 an LSTM, 2 one that does not squash its memory cells. Arrays: panels,
// bias, back panels; projected (T, B, G), hidden (T + 1, B, H), cell (T + 1, B, H), gates (T, B, G), and what all outputs are
// multiplied by (B, H), or null. Those of layers of tanh units have no cell.
extern "C" void layer_forward(const int64_t* sizes, float* const* arrays) {
  const Layer layer = layer_of(sizes, arrays);
  const int64_t steps = sizes[0], batch = sizes[1], units = layer.units, gate_units = layer.gates();
  const float* projected = arrays[3];
  float *hidden = arrays[4], *cell = arrays[5], *gates = arrays[6], *kept = arrays[7];
  for (int64_t t = 0; t < steps; t++) {
    layer.product(batch, hidden + t * batch * units, gates + t * batch * gate_units);
    for (int64_t b = t * batch; b < (t + 1) * batch; b++) {
      add(gates + b * gate_units, projected + b * gate_units, gate_units);
      const float* before = layer.lstm ? cell + b * units : nullptr;
      layer.activate(
          gates + b * gate_units, before, layer.lstm ? cell + (b + batch) * units : nullptr, hidden + (b + batch) * units);
    }
    if (kept) scale(hidden + (t + 1) * batch * units, kept, batch * units);
  }
}

// Arrays of layer_forward; then the gradients of hidden and cell (T, B, H), each or null; then those of the first hidden
// vector and cell (B, H), of the projected inputs (T, B, G) and of the weights (G, H), all but the inputs' zero before.
extern "C" void layer_backward(const int64_t* sizes, float* const* arrays) {
  const Layer layer = layer_of(sizes, arrays);
  const int64_t steps = sizes[0], batch = sizes[1], units = layer.units, gate_units = layer.gates();
  const float *hidden = arrays[4], *cell = arrays[5], *gates = arrays[6], *kept = arrays[7];
  const float *given_hidden = arrays[8], *given_cell = arrays[9];
  float *g_hidden = arrays[10], *g_cell = arrays[11], *g_projected = arrays[12], *g_weight = arrays[13];
  for (int64_t t = steps - 1; t >= 0; t--) {
    float* g_gates = g_projected + t * batch * gate_units;
    if (given_hidden) add(g_hidden, given_hidden + t * batch * units, batch * units);
    if (given_cell && layer.lstm) add(g_cell, given_cell + t * batch * units, batch * units);
    if (kept) scale(g_hidden, kept, batch * units);
    for (int64_t b = 0; b < batch; b++) {
      const int64_t now = t * batch + b;
      layer.through(
          gates + now * gate_units, layer.lstm ? cell + now * units : nullptr,
          layer.lstm ? cell + (now + batch) * units : nullptr, g_hidden + b * units, layer.lstm ? g_cell + b * units : nullptr,
          g_gates + b * gate_units);
    }
    layer.back_product(batch, g_gates, g_hidden);
  }
  augrnn::add_product(g_weight, units, {g_projected, 1, gate_units}, hidden, units, gate_units, units, steps * batch);
}

// Adaptive computation time. Sizes: T, B, H, the kind of layer, M, whether a tape is wanted for a gradient. Arrays:
// panels, bias, back panels; projected (T, B, G), flag (B, G), weight (H) and bias (1) of the halting unit, the end (1) of a
// sum of halting probabilities, steps left before padding (B); hidden and cell (T + 1, B, H), steps and remainder (T, B),
// halting (T, B, M), zero before. Gives a tape, which act_free frees, or null.
extern "C" void* act_forward(const int64_t* sizes, float* const* arrays) {
  const Layer layer = layer_of(sizes, arrays);
  const int64_t times = sizes[0], batch = sizes[1], units = layer.units, gate_units = layer.gates(), most = sizes[4];
  const float *projected = arrays[3], *flag = arrays[4], *weight = arrays[5], bias = *arrays[6], end = *arrays[7];
  const float* left = arrays[8];
  float *hidden = arrays[9], *cell = arrays[10], *steps = arrays[11], *remainder = arrays[12], *halting = arrays[13];
  auto tape = std::make_unique<Tape>();
  std::vector<float> emitted(batch * units), near(batch), spent(batch);
  for (int64_t t = 0; t < times; t++) {
    const float *hidden_before = hidden + t * batch * units, *cell_before = cell + t * batch * units;
    float *hidden_after = hidden + (t + 1) * batch * units, *cell_after = cell + (t + 1) * batch * units;
    std::vector<int64_t> rows, places;
    for (int64_t b = 0; b < batch; b++) {
      const bool real = left[b] > static_cast<float>(t);
      near[b] = spent[b] = steps[t * batch + b] = remainder[t * batch + b] = 0;
      if (real) rows.push_back(b);
      const auto start = [&](float* after, const float* before) {
        if (real)
          std::memset(after + b * units, 0, units * sizeof(float));
        else
          std::memcpy(after + b * units, before + b * units, units * sizeof(float));
      };
      start(hidden_after, hidden_before);
      if (layer.lstm) start(cell_after, cell_before);
    }
    std::vector<Inner> inner;
    for (int64_t n = 0; !rows.empty(); n++) {
      inner.emplace_back(std::move(rows), std::move(places), units, gate_units);
      Inner& now = inner.back();
      const Inner* before = n ? &inner[n - 1] : nullptr;
      const int64_t count = now.row.size();
      for (int64_t i = 0; i < count; i++) {
        const float* from = n ? emitted.data() + now.before[i] * units : hidden_before + now.row[i] * units;
        std::memcpy(now.seen + i * units, from, units * sizeof(float));
      }
      layer.product(count, now.seen, now.gates);
      rows.clear();
      places.clear();
      for (int64_t i = 0; i < count; i++) {
        const int64_t b = now.row[i], here = t * batch + b;
        float *g = now.gates + i * gate_units, *c = now.cell + i * units, *h = emitted.data() + i * units;
        add(g, projected + here * gate_units, gate_units);
        if (!n) add(g, flag + b * gate_units, gate_units);
        layer.activate(g, n ? before->cell + now.before[i] * units : cell_before + b * units, c, h);
        const float chance = sigmoid(dot(weight, h, units) + bias);
        near[b] += chance;
        now.halting[i] = halting[here * most + n] = chance;
        now.last[i] = n + 1 == most || !(near[b] < end);
        if (now.last[i]) {
          steps[here] = static_cast<float>(n + 1);
          remainder[here] = now.share[i] = 1.0f - spent[b];
        } else {
          now.share[i] = chance;
          spent[b] += chance;
          rows.push_back(b);
          places.push_back(i);
        }
        add_scaled(hidden_after + b * units, now.share[i], h, units);
        if (layer.lstm) add_scaled(cell_after + b * units, now.share[i], c, units);
      }
    }
    if (sizes[5]) tape->push_back(std::move(inner));
  }
  return sizes[5] ? tape.release() : nullptr;
}

// Arrays of act_forward; then the gradients of hidden and cell (T, B, H) and remainder (T, B), each or null; then those of
// the first hidden vector and cell (B, H), of the projected inputs (T, B, G), the flag (B, G), the weights (G, H), and weight
// (H) and bias (1) of the halting unit, all zero before.
extern "C" void act_backward(const int64_t* sizes, float* const* arrays, const void* taken) {
  const Layer layer = layer_of(sizes, arrays);
  const int64_t times = sizes[0], batch = sizes[1], units = layer.units, gate_units = layer.gates();
  const float *weight = arrays[5], *cell = arrays[10];
  const float *given_hidden = arrays[14], *given_cell = arrays[15], *given_remainder = arrays[16];
  float *g_hidden = arrays[17], *g_cell = arrays[18], *g_projected = arrays[19], *g_flag = arrays[20];
  float *g_weight = arrays[21], *g_halting_weight = arrays[22], *g_halting_bias = arrays[23];
  const Tape& tape = *static_cast<const Tape*>(taken);
  Gathered gathered(layer, g_weight);
  std::vector<float> h(units), g_gates(batch * gate_units), g_seen(batch * units), g_remainder(batch);
  std::vector<float> from_later(batch * units), cell_from_later(batch * units), g_out(units), g_c(batch * units);
  for (int64_t t = times - 1; t >= 0; t--) {
    if (given_hidden) add(g_hidden, given_hidden + t * batch * units, batch * units);
    if (given_cell && layer.lstm) add(g_cell, given_cell + t * batch * units, batch * units);
    const std::vector<Inner>& inner = tape[t];
    for (int64_t n = static_cast<int64_t>(inner.size()) - 1; n >= 0; n--) {
      const Inner& now = inner[n];
      const int64_t count = now.row.size();
      // from_later has the gradients that the next inner step gives, zero where a row halts here
      for (int64_t i = 0; i < count; i++) {
        const int64_t b = now.row[i], here = t * batch + b;
        const float *g = now.gates + i * gate_units, *c = now.cell + i * units;
        const float *g_mean = g_hidden + b * units, *g_cell_mean = g_cell + b * units;
        layer.emitted(g, c, h.data());
        float g_share = dot(g_mean, h.data(), units), g_logit = 0;
        if (layer.lstm) g_share += dot(g_cell_mean, c, units);
        if (now.last[i])
          g_remainder[b] = g_share + (given_remainder ? given_remainder[here] : 0.0f);
        else
          g_logit = (g_share - g_remainder[b]) * now.halting[i] * (1.0f - now.halting[i]);
        for (int64_t k = 0; k < units; k++) g_out[k] = now.share[i] * g_mean[k] + g_logit * weight[k];
        if (!now.last[i]) add(g_out.data(), from_later.data() + i * units, units);
        float* g_before = g_c.data() + i * units;
        if (layer.lstm) {
          for (int64_t k = 0; k < units; k++) g_before[k] = now.share[i] * g_cell_mean[k];
          if (!now.last[i]) add(g_before, cell_from_later.data() + i * units, units);
        }
        add_scaled(g_halting_weight, g_logit, h.data(), units);
        *g_halting_bias += g_logit;
        const float* cell_before = n ? inner[n - 1].cell + now.before[i] * units : cell + here * units;
        float* g_here = g_gates.data() + i * gate_units;
        layer.through(g, cell_before, c, g_out.data(), g_before, g_here);
        add(g_projected + here * gate_units, g_here, gate_units);
        if (!n) add(g_flag + b * gate_units, g_here, gate_units);
        gathered.add(g_here, now.seen + i * units);
      }
      layer.back_product(count, g_gates.data(), g_seen.data());
      for (int64_t i = 0; i < count; i++) {
        const int64_t at = (n ? now.before[i] : now.row[i]) * units;
        std::memcpy((n ? from_later.data() : g_hidden) + at, g_seen.data() + i * units, units * sizeof(float));
        if (layer.lstm)
          std::memcpy((n ? cell_from_later.data() : g_cell) + at, g_c.data() + i * units, units * sizeof(float));
      }
    }
  }
  gathered.flush();
}

extern "C" void act_free(void* tape) { delete static_cast<Tape*>(tape); }
