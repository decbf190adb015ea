// What recurrent layers, additive attention and the cross-entropy do number by number, and the gradients.
//
// Arrays are float32; rows are dense, and where a row's array may be a part of a wider one its stride is given. A name
// with g is the gradient of the loss by what follows.

#if defined(__AVX512F__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC target("prefer-vector-width=512")
#endif

#include <vector>

#include "elementary.h"
#include "product.h"

namespace {

// Arrays do not overlap.
typedef const float* __restrict__ In;
typedef float* __restrict__ Out;

using augrnn::dot, augrnn::exponential, augrnn::sigmoid, augrnn::tangent;

const int64_t STRETCH = 4 * augrnn::LANES;

// The greatest of some numbers, in vectors, which the compiler does not make of it because of NaN.
inline float greatest(In x, int64_t count) {
  float most = -INFINITY;
  int64_t i = 0;
  if (count >= STRETCH) {
    augrnn::Vector top[4];
    for (int k = 0; k < 4; k++) top[k] = augrnn::load(x + k * augrnn::LANES);
    for (i = STRETCH; i + STRETCH <= count; i += STRETCH)
      for (int k = 0; k < 4; k++) {
        const augrnn::Vector next = augrnn::load(x + i + k * augrnn::LANES);
        top[k] = next > top[k] ? next : top[k];
      }
    for (int k = 1; k < 4; k++) top[0] = top[k] > top[0] ? top[k] : top[0];
    for (int k = 0; k < augrnn::LANES; k++) most = top[0][k] > most ? top[0][k] : most;
  }
  for (; i < count; i++) most = x[i] > most ? x[i] : most;
  return most;
}

}  // namespace

// The gated recurrent unit in torch's form: from `x` (rows, 3 size), of the input, and `h`, of the state, to the next state.
// `kept` (rows, 4 size): reset and update gates, new state, and the state's part of that before the reset.
extern "C" void gru_forward(
    int64_t rows, int64_t size, In x, int64_t x_stride, In h, In state, int64_t state_stride, Out next,
    int64_t next_stride, Out kept) {
  for (int64_t b = 0; b < rows; b++) {
    In from = x + b * x_stride, own = h + b * 3 * size, s = state + b * state_stride;
    Out to = next + b * next_stride, keep = kept + b * 4 * size;
    for (int64_t i = 0; i < size; i++) {
      const float r = sigmoid(from[i] + own[i]), z = sigmoid(from[size + i] + own[size + i]);
      const float product = own[2 * size + i], n = tangent(from[2 * size + i] + r * product);
      keep[i] = r;
      keep[size + i] = z;
      keep[2 * size + i] = n;
      keep[3 * size + i] = product;
      to[i] = (1.0f - z) * n + z * s[i];
    }
  }
}

extern "C" void gru_backward(
    int64_t rows, int64_t size, In g_next, In kept, In state, int64_t state_stride, Out g_x, int64_t x_stride,
    Out g_h, Out g_state) {
  for (int64_t b = 0; b < rows; b++) {
    In s = state + b * state_stride, g = g_next + b * size, keep = kept + b * 4 * size;
    Out to_x = g_x + b * x_stride, to_h = g_h + b * 3 * size, to = g_state + b * size;
    for (int64_t i = 0; i < size; i++) {
      const float r = keep[i], z = keep[size + i], n = keep[2 * size + i], product = keep[3 * size + i];
      const float g_n = g[i] * (1.0f - z) * (1.0f - n * n), g_z = g[i] * (s[i] - n) * z * (1.0f - z);
      const float g_r = g_n * product * r * (1.0f - r);
      to_x[i] = to_h[i] = g_r;
      to_x[size + i] = to_h[size + i] = g_z;
      to_x[2 * size + i] = g_n;
      to_h[2 * size + i] = g_n * r;
      to[i] = g[i] * z;
    }
  }
}

// The gates of Bahdanau et al. 2014, appendix A.2.2, first half: `x` (rows, 3 size) of the input, `h` (rows, 2 size) of the
// state. `kept` (rows, 3 size): update and reset gates, and room for the new state; `reset_state` (rows, size): r * s.
extern "C" void attentive_gates_forward(
    int64_t rows, int64_t size, In x, In h, In state, int64_t state_stride, Out kept, Out reset_state) {
  for (int64_t b = 0; b < rows; b++) {
    In from = x + b * 3 * size, own = h + b * 2 * size, s = state + b * state_stride;
    Out keep = kept + b * 3 * size, to = reset_state + b * size;
    for (int64_t i = 0; i < size; i++) {
      const float z = sigmoid(from[i] + own[i]), r = sigmoid(from[size + i] + own[size + i]);
      keep[i] = z;
      keep[size + i] = r;
      to[i] = r * s[i];
    }
  }
}

// The second half: `candidate` (rows, size), the product of r * s.
extern "C" void attentive_next_forward(
    int64_t rows, int64_t size, In x, In candidate, In state, int64_t state_stride, Out next, int64_t next_stride,
    Out kept) {
  for (int64_t b = 0; b < rows; b++) {
    In from = x + (b * 3 + 2) * size, own = candidate + b * size, s = state + b * state_stride;
    Out keep = kept + b * 3 * size, to = next + b * next_stride;
    for (int64_t i = 0; i < size; i++) {
      const float n = tangent(from[i] + own[i]), z = keep[i];
      keep[2 * size + i] = n;
      to[i] = z < 0.5f ? s[i] + z * (n - s[i]) : n - (n - s[i]) * (1.0f - z);
    }
  }
}

// From the gradient of the next state to those of x's update and new parts; and of the state but for its products.
extern "C" void attentive_next_backward(
    int64_t rows, int64_t size, In g_next, In kept, In state, int64_t state_stride, Out g_x, int64_t x_stride,
    Out g_state) {
  for (int64_t b = 0; b < rows; b++) {
    In s = state + b * state_stride, g = g_next + b * size, keep = kept + b * 3 * size;
    Out to_x = g_x + b * x_stride, to = g_state + b * size;
    for (int64_t i = 0; i < size; i++) {
      const float z = keep[i], n = keep[2 * size + i];
      to_x[i] = g[i] * (n - s[i]) * z * (1.0f - z);
      to_x[2 * size + i] = g[i] * z * (1.0f - n * n);
      to[i] = g[i] * (1.0f - z);
    }
  }
}

// From the gradient of r * s to that of x's reset part, and what it adds to that of the state.
extern "C" void attentive_gates_backward(
    int64_t rows, int64_t size, In g_reset_state, In kept, In state, int64_t state_stride, Out g_x, int64_t x_stride,
    Out g_state) {
  for (int64_t b = 0; b < rows; b++) {
    In s = state + b * state_stride, g = g_reset_state + b * size, keep = kept + b * 3 * size;
    Out to_x = g_x + b * x_stride, to = g_state + b * size;
    for (int64_t i = 0; i < size; i++) {
      const float r = keep[size + i];
      to_x[size + i] = g[i] * s[i] * r * (1.0f - r);
      to[i] += g[i] * r;
    }
  }
}

// The LSTM: from gates before their activations (rows, 4 size: input, forget, candidate, output), which become those after, to
// the next state and its memory cells.
extern "C" void lstm_forward(
    int64_t rows, int64_t size, Out gates, In cell, Out next, int64_t next_stride, Out next_cell) {
  for (int64_t b = 0; b < rows; b++) {
    Out g = gates + b * 4 * size, h = next + b * next_stride, c = next_cell + b * size;
    In before = cell + b * size;
    for (int64_t i = 0; i < size; i++) {
      const float enter = sigmoid(g[i]), forget = sigmoid(g[size + i]);
      const float candidate = tangent(g[2 * size + i]), leave = sigmoid(g[3 * size + i]);
      g[i] = enter;
      g[size + i] = forget;
      g[2 * size + i] = candidate;
      g[3 * size + i] = leave;
      c[i] = forget * before[i] + enter * candidate;
      h[i] = leave * tangent(c[i]);
    }
  }
}

// From the gradients of the next state and of its memory cells, which become those of the cells before, to that of the gates
// before their activations; `gates` has those after.
extern "C" void lstm_backward(
    int64_t rows, int64_t size, In g_next, Out g_cell, In gates, In cell, In next_cell, Out g_x, int64_t x_stride) {
  for (int64_t b = 0; b < rows; b++) {
    In g = gates + b * 4 * size, before = cell + b * size, c = next_cell + b * size, gh = g_next + b * size;
    Out gc = g_cell + b * size, to = g_x + b * x_stride;
    for (int64_t i = 0; i < size; i++) {
      const float enter = g[i], forget = g[size + i], candidate = g[2 * size + i], leave = g[3 * size + i];
      const float shown = tangent(c[i]), through = gc[i] + gh[i] * leave * (1.0f - shown * shown);
      to[i] = through * candidate * enter * (1.0f - enter);
      to[size + i] = through * before[i] * forget * (1.0f - forget);
      to[2 * size + i] = through * enter * (1.0f - candidate * candidate);
      to[3 * size + i] = gh[i] * shown * leave * (1.0f - leave);
      gc[i] = through * forget;
    }
  }
}

// How much of a context (rows, width) is let in: beta = sigmoid(w . state + bias) (rows,), and `seen`, beta times the context;
// beta is 1 where w is null.
extern "C" void beta_forward(
    int64_t rows, int64_t size, int64_t width, In state, int64_t state_stride, In w, In bias, In context, Out beta, Out seen,
    int64_t seen_stride) {
  for (int64_t b = 0; b < rows; b++) {
    const float open = w ? sigmoid(dot(w, state + b * state_stride, size) + *bias) : 1.0f;
    In c = context + b * width;
    Out to = seen + b * seen_stride;
    beta[b] = open;
    for (int64_t i = 0; i < width; i++) to[i] = open * c[i];
  }
}

// From the gradient of `seen`, which becomes that of the context, and unless null that of beta, to that of w . state + bias,
// which is 0 where beta is 1.
extern "C" void beta_backward(
    int64_t rows, int64_t width, Out g_seen, In g_beta, In context, In beta, Out g_opening) {
  for (int64_t b = 0; b < rows; b++) {
    Out g = g_seen + b * width;
    const float open = beta[b], all = dot(g, context + b * width, width) + (g_beta ? g_beta[b] : 0.0f);
    g_opening[b] = all * open * (1.0f - open);
    for (int64_t i = 0; i < width; i++) g[i] *= open;
  }
}

// Layer normalisation of the rows of x in place; `kept` (rows, size), the rows before scale and shift, and `inverse` (rows,),
// one over their deviations, are for the gradient.
extern "C" void layer_norm_forward(int64_t rows, int64_t size, Out x, In scale, In shift, In epsilon, Out kept, Out inverse) {
  for (int64_t b = 0; b < rows; b++) {
    Out row = x + b * size, keep = kept + b * size;
    float sum = 0, squares = 0;
    for (int64_t i = 0; i < size; i++) sum += row[i];
    const float mean = sum / size;
    for (int64_t i = 0; i < size; i++) squares += (row[i] - mean) * (row[i] - mean);
    const float share = 1.0f / std::sqrt(squares / size + *epsilon);
    inverse[b] = share;
    for (int64_t i = 0; i < size; i++) {
      keep[i] = (row[i] - mean) * share;
      row[i] = keep[i] * scale[i] + shift[i];
    }
  }
}

// From the gradient of the result to that of the rows, in place; adds to those of scale and shift.
extern "C" void layer_norm_backward(
    int64_t rows, int64_t size, Out g, In scale, In kept, In inverse, Out g_scale, Out g_shift) {
  for (int64_t b = 0; b < rows; b++) {
    Out row = g + b * size;
    In keep = kept + b * size;
    float sum = 0, along = 0;
    for (int64_t i = 0; i < size; i++) {
      g_scale[i] += row[i] * keep[i];
      g_shift[i] += row[i];
      row[i] *= scale[i];
      sum += row[i];
      along += row[i] * keep[i];
    }
    const float mean = sum / size, share = along / size;
    for (int64_t i = 0; i < size; i++) row[i] = inverse[b] * (row[i] - mean - keep[i] * share);
  }
}

// Additive attention, e_l = v . tanh(q + k_l): weights (batch, length) and contexts from queries (batch, size), keys
// (batch, length, size) and values (batch, length, width); no weight where `mask` is 0.
extern "C" void additive_forward(
    int64_t batch, int64_t length, int64_t size, int64_t width, In query, In keys, In values, const uint8_t* mask, In v,
    Out weights, Out context, int64_t context_stride) {
  for (int64_t b = 0; b < batch; b++) {
    In q = query + b * size;
    const uint8_t* real = mask + b * length;
    Out w = weights + b * length, c = context + b * context_stride;
    float most = -INFINITY, sum = 0;
    for (int64_t l = 0; l < length; l++) {
      In k = keys + (b * length + l) * size;
      float energy = 0;
      for (int64_t a = 0; a < size; a++) energy += v[a] * tangent(q[a] + k[a]);
      w[l] = energy;
      if (real[l]) most = energy > most ? energy : most;
    }
    for (int64_t l = 0; l < length; l++) {
      w[l] = real[l] ? exponential(w[l] - most) : 0.0f;
      sum += w[l];
    }
    const float share = sum != 0.0f ? 1.0f / sum : 0.0f;
    for (int64_t i = 0; i < width; i++) c[i] = 0;
    for (int64_t l = 0; l < length; l++) {
      In value = values + (b * length + l) * width;
      const float weight = w[l] * share;
      w[l] = weight;
      for (int64_t i = 0; i < width; i++) c[i] += weight * value[i];
    }
  }
}

// From the gradients of contexts (batch, width) and, unless null, weights to that of the queries; adds to those of keys and v.
// Those of the values are products over all steps: weights times gradients of contexts. `room` (length,) is scratch.
extern "C" void additive_backward(
    int64_t batch, int64_t length, int64_t size, int64_t width, In query, In keys, In values, const uint8_t* mask, In v,
    In weights, In g_context, In g_weights, Out g_query, Out g_keys, Out g_v, Out room) {
  for (int64_t b = 0; b < batch; b++) {
    In q = query + b * size, w = weights + b * length, gc = g_context + b * width;
    Out gq = g_query + b * size;
    float mean = 0;
    for (int64_t l = 0; l < length; l++) {
      room[l] = dot(gc, values + (b * length + l) * width, width) + (g_weights ? g_weights[b * length + l] : 0.0f);
      mean += w[l] * room[l];
    }
    for (int64_t a = 0; a < size; a++) gq[a] = 0;
    for (int64_t l = 0; l < length; l++) {
      if (!mask[b * length + l]) continue;
      In k = keys + (b * length + l) * size;
      Out gk = g_keys + (b * length + l) * size;
      const float g = w[l] * (room[l] - mean);
      for (int64_t a = 0; a < size; a++) {
        const float h = tangent(q[a] + k[a]), through = g * v[a] * (1.0f - h * h);
        gq[a] += through;
        gk[a] += through;
        g_v[a] += g * h;
      }
    }
  }
}

// The cross-entropy of each row of scores (rows, vocabulary) and a target in which `smoothing` is spread evenly, in nats: 0 for
// a target below 0. `total` (rows,), the logarithm of the sum of e^score, is for the gradient.
extern "C" void cross_entropy_forward(
    int64_t rows, int64_t vocabulary, In scores, const int64_t* target, In smoothing, Out total, Out loss) {
  for (int64_t n = 0; n < rows; n++) {
    loss[n] = 0;
    if (target[n] < 0) continue;
    In x = scores + n * vocabulary;
    const float most = greatest(x, vocabulary);
    float sum = 0, plain = 0;
    for (int64_t v = 0; v < vocabulary; v++) sum += exponential(x[v] - most);
    total[n] = most + std::log(sum);
    if (*smoothing != 0.0f)
      for (int64_t v = 0; v < vocabulary; v++) plain += x[v];
    const float shared = *smoothing != 0.0f ? *smoothing * (plain / vocabulary) : 0.0f;
    loss[n] = total[n] - (1.0f - *smoothing) * x[target[n]] - shared;
  }
}

// The gradient of the scores, where each loss counts `scale` times.
extern "C" void cross_entropy_backward(
    int64_t rows, int64_t vocabulary, In scores, const int64_t* target, In smoothing, In total, In scale, Out g_scores) {
  const float share = *smoothing / vocabulary, factor = *scale;
  for (int64_t n = 0; n < rows; n++) {
    In x = scores + n * vocabulary;
    Out g = g_scores + n * vocabulary;
    if (target[n] < 0) {
      std::memset(g, 0, vocabulary * sizeof(float));
      continue;
    }
    const float whole = total[n];
    for (int64_t v = 0; v < vocabulary; v++) g[v] = factor * (exponential(x[v] - whole) - share);
    g[target[n]] -= factor * (1.0f - *smoothing);
  }
}

namespace {

// log of the sum of e^x. A function of its own, or the compiler calls one for every number.
__attribute__((noinline)) float log_of_sum(In x, int64_t count) {
  const float most = greatest(x, count);
  float sum = 0;
  for (int64_t i = 0; i < count; i++) sum += exponential(x[i] - most);
  return most + std::log(sum);
}

}  // namespace

// Logarithms of the softmax of each row of scores, as if the two choices `never` were not there: theirs are -inf.
extern "C" void log_softmax_without(
    int64_t rows, int64_t vocabulary, int64_t never, int64_t nor, In scores, Out found) {
  for (int64_t n = 0; n < rows; n++) {
    In x = scores + n * vocabulary;
    Out y = found + n * vocabulary;
    for (int64_t v = 0; v < vocabulary; v++) y[v] = x[v];
    y[never] = y[nor] = -INFINITY;
    const float whole = log_of_sum(y, vocabulary);
    for (int64_t v = 0; v < vocabulary; v++) y[v] -= whole;
  }
}

// Beam search --------------------------------------------------------------------------------------------------------

namespace {

// The best continuations of a sentence found so far, the best first; the first `kept` are hypotheses that are done.
struct Best {
  int64_t beam, kept;
  int64_t *rows, *words;
  float* totals;

  // The hypotheses that are done go on as they are, with the word `padding`.
  Best(int64_t s, int64_t beam, int64_t padding, In total, const uint8_t* done, int64_t* row, int64_t* word, float* best)
      : beam(beam), kept(0), rows(row + s * beam), words(word + s * beam), totals(best + s * beam) {
    for (int64_t k = 0; k < beam; k++) {
      rows[k] = s * beam;
      words[k] = padding;
      totals[k] = -INFINITY;
    }
    for (int64_t n = s * beam; n < (s + 1) * beam; n++) {
      if (!done[n] || !std::isfinite(total[n])) continue;
      rows[kept] = n;
      totals[kept++] = total[n];
    }
  }

  float last() const { return totals[beam - 1]; }

  void add(int64_t row, int64_t word, float total) {
    int64_t place = beam - 1;
    for (; place > kept && totals[place - 1] < total; place--) {
      totals[place] = totals[place - 1];
      rows[place] = rows[place - 1];
      words[place] = words[place - 1];
    }
    totals[place] = total;
    rows[place] = row;
    words[place] = word;
  }

  // The continuations of a hypothesis by words whose log probabilities are score - whole.
  void consider(int64_t row, float total, In score, float whole, int64_t vocabulary) {
    if (kept == beam) return;
    for (int64_t from = 0; from < vocabulary; from += STRETCH) {
      const int64_t to = std::min(from + STRETCH, vocabulary);
      if (!(total + (greatest(score + from, to - from) - whole) > last())) continue;
      for (int64_t v = from; v < to; v++) {
        const float found = total + (score[v] - whole);
        if (found > last()) add(row, v, found);
      }
    }
  }
};

inline bool goes_on(int64_t n, In total, const uint8_t* done) { return !done[n] && std::isfinite(total[n]); }

}  // namespace

// The `beam` best continuations of each sentence's `beam` hypotheses, the best first: the hypothesis that each goes on from, its
// word, and its total, which is -inf where there are no more. A hypothesis that is done goes on as it is, with the word
// `padding`, and keeps its place before all others. `at`: which row of `log_p` a hypothesis has that is not done.
extern "C" void beam_best(
    int64_t sentences, int64_t beam, int64_t vocabulary, int64_t padding, In log_p, const int64_t* at, In total,
    const uint8_t* done, int64_t* row, int64_t* word, Out best) {
  for (int64_t s = 0; s < sentences; s++) {
    Best found(s, beam, padding, total, done, row, word, best);
    for (int64_t n = s * beam; n < (s + 1) * beam; n++)
      if (goes_on(n, total, done)) found.consider(n, total[n], log_p + at[n] * vocabulary, 0.0f, vocabulary);
  }
}

// The same from outputs `y` (rows, depth), whose scores of words are their products with `packed` (depth, vocabulary) and
// `bias`; the words `never` and `nor` do not come. `room` (most, vocabulary) is for the scores of some sentences' rows at a
// time, at least `beam` of them.
extern "C" void vocabulary_best(
    int64_t sentences, int64_t beam, int64_t vocabulary, int64_t depth, int64_t padding, int64_t never, int64_t nor,
    int64_t most, In y, In packed, In bias, const int64_t* at, In total, const uint8_t* done, Out room, int64_t* row,
    int64_t* word, Out best) {
  for (int64_t s = 0; s < sentences;) {
    int64_t end = s, first = -1, last = -1;  // the sentences whose rows there is room for
    for (; end < sentences; end++) {
      int64_t low = first, high = last;
      for (int64_t n = end * beam; n < (end + 1) * beam; n++) {
        if (!goes_on(n, total, done)) continue;
        if (low < 0) low = at[n];
        high = at[n];
      }
      if (end > s && high - low >= most) break;
      first = low;
      last = high;
    }
    const int64_t rows = first < 0 ? 0 : last - first + 1;
    augrnn::packed_product(room, vocabulary, {y + first * depth, depth, 1}, packed, bias, rows, vocabulary, depth, false);
    for (; s < end; s++) {
      Best found(s, beam, padding, total, done, row, word, best);
      for (int64_t n = s * beam; n < (s + 1) * beam; n++) {
        if (!goes_on(n, total, done)) continue;
        float* score = room + (at[n] - first) * vocabulary;
        score[never] = score[nor] = -INFINITY;
        found.consider(n, total[n], score, log_of_sum(score, vocabulary), vocabulary);
      }
    }
  }
}

// The weights (rows, length) of additive attention, where row n looks at the source `source[n]`: from queries (rows, size) and
// e^2k of the keys k (sources, length, size), as tanh(q + k) = 1 - 2 / (e^2q e^2k + 1). Keys are at most 43 either way, so that
// both are normal numbers; a larger query goes the long way. `room` (size,) is scratch.
extern "C" void shared_weights(
    int64_t rows, int64_t length, int64_t size, const int64_t* source, In query, int64_t stride, In keys,
    const uint8_t* mask, In v, Out room, Out weights) {
  for (int64_t n = 0; n < rows; n++) {
    In q = query + n * stride;
    const uint8_t* real = mask + source[n] * length;
    Out w = weights + n * length;
    float furthest = 0, most = -INFINITY, sum = 0;
    for (int64_t a = 0; a < size; a++) furthest = std::fabs(q[a]) > furthest ? std::fabs(q[a]) : furthest;
    for (int64_t a = 0; a < size; a++) room[a] = exponential(2.0f * q[a]);
    for (int64_t l = 0; l < length; l++) {
      In k = keys + (source[n] * length + l) * size;
      float energy = 0;
      if (furthest <= 43.0f)
        for (int64_t a = 0; a < size; a++) energy -= 2.0f * v[a] / (room[a] * k[a] + 1.0f);
      else
        for (int64_t a = 0; a < size; a++) energy += v[a] * (tangent(q[a] + 0.5f * augrnn::logarithm(k[a])) - 1.0f);
      w[l] = energy;
      if (real[l]) most = energy > most ? energy : most;
    }
    for (int64_t l = 0; l < length; l++) {
      w[l] = real[l] ? exponential(w[l] - most) : 0.0f;
      sum += w[l];
    }
    const float share = sum != 0.0f ? 1.0f / sum : 0.0f;
    for (int64_t l = 0; l < length; l++) w[l] *= share;
  }
}

// Adds to each row of `to` (rows, width) the mean of the values (sources, length, width) of its source by its weights.
extern "C" void shared_mix(
    int64_t rows, int64_t length, int64_t width, const int64_t* source, In weights, In values, Out to, int64_t stride) {
  for (int64_t from = 0, end; from < rows; from = end) {
    for (end = from + 1; end < rows && source[end] == source[from];) end++;
    augrnn::add_product(
        to + from * stride, stride, {weights + from * length, length, 1}, values + source[from] * length * width, width,
        end - from, width, length);
  }
}

// The first of some rows, softly: a row counts so far as it is selected and none before it is. `selected` (batch, rows);
// `order` (batch, columns, rows) says in which order rows are looked at, null for their own; rows of which `comparable`
// (batch, columns, rows) is false are left out, null for none. Backwards the order's last row comes first. `out` (batch,
// columns, rows), zero before.
extern "C" void first_forward(
    int64_t batch, int64_t columns, int64_t rows, int64_t backwards, In selected, const int64_t* order,
    const bool* comparable, Out out) {
  for (int64_t each = 0; each < batch * columns; each++) {
    In s = selected + each / columns * rows;
    float free = 1.0f;
    for (int64_t i = 0; i < rows; i++) {
      const int64_t place = each * rows + (backwards ? rows - 1 - i : i);
      const int64_t row = order ? order[place] : place - each * rows;
      if (comparable && !comparable[each * rows + row]) continue;
      out[each * rows + row] = s[row] * free;
      free *= 1.0f - s[row];
    }
  }
}

// From the gradient of `out` to that of `selected`, zero before.
extern "C" void first_backward(
    int64_t batch, int64_t columns, int64_t rows, int64_t backwards, In selected, const int64_t* order,
    const bool* comparable, In g_out, Out g_selected) {
  std::vector<int64_t> seen(rows);
  std::vector<float> free(rows);
  for (int64_t each = 0; each < batch * columns; each++) {
    In s = selected + each / columns * rows, g = g_out + each * rows;
    Out to = g_selected + each / columns * rows;
    int64_t count = 0;
    float left = 1.0f;
    for (int64_t i = 0; i < rows; i++) {
      const int64_t place = each * rows + (backwards ? rows - 1 - i : i);
      const int64_t row = order ? order[place] : place - each * rows;
      if (comparable && !comparable[each * rows + row]) continue;
      seen[count] = row;
      free[count++] = left;
      left *= 1.0f - s[row];
    }
    float later = 0.0f;  // the gradient of what is free after a row
    while (count--) {
      const int64_t row = seen[count];
      to[row] += free[count] * (g[row] - later);
      later = g[row] * s[row] + later * (1.0f - s[row]);
    }
  }
}
