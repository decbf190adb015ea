// Trained networks in plain JavaScript: the Neural Turing Machine's memory and machine, adaptive computation time, and a
// program of arithmetic.
// The same equations as src/augrnn/cells; tests hold both to the same numbers. Everything is in double precision.
// Memory is a list of rows; a weighting has one weight a row.
"use strict";

const machines = (() => {
  const EPSILON = 1e-8;
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const dot = (a, b) => {
    let total = 0;
    for (let i = 0; i < a.length; i++) total += a[i] * b[i];
    return total;
  };
  const sigmoid = (x) => 1 / (1 + Math.exp(-x));
  const softplus = (x) => (x > 20 ? x : Math.log1p(Math.exp(x)));

  function softmax(scores) {
    const most = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - most));
    const total = sum(powers);
    return powers.map((power) => power / total);
  }

  function unit(row) {
    const length = Math.sqrt(dot(row, row) + EPSILON);
    return row.map((value) => value / length);
  }

  // Addressing: Graves, Wayne and Danihelka 2014, section 3.3.

  // How like each row is to the key: the cosine (Eq. 6).
  function similarity(key, memory) {
    const direction = unit(key);
    return memory.map((row) => dot(direction, unit(row)));
  }

  // Look-up by content: softmax of strength beta times likeness (Eq. 5).
  const content = (likeness, strength) => softmax(likeness.map((each) => strength * each));

  // The gate g between look-up and the previous weighting (Eq. 7).
  const interpolate = (found, previous, gate) => found.map((each, n) => previous[n] + gate * (each - previous[n]));

  // Rotation by a distribution over shifts, the middle one of no shift, around the ends of the memory (Eq. 8).
  function shift(weighting, shifts) {
    const [rows, reach] = [weighting.length, (shifts.length - 1) / 2];
    return weighting.map((_, n) => sum(shifts.map((share, k) => share * weighting[(n - (k - reach) + 2 * rows) % rows])));
  }

  // To the power gamma, and normalised (Eq. 9).
  const sharpen = (weighting, gamma) => softmax(weighting.map((weight) => gamma * Math.log(weight + EPSILON)));

  // The whole chain, with what each equation gives.
  function address(memory, previous, { key, strength, gate, shifts, gamma }) {
    const likeness = similarity(key, memory);
    const found = content(likeness, strength);
    const gated = interpolate(found, previous, gate);
    const shifted = shift(gated, shifts);
    return { similarity: likeness, content: found, gated, shifted, weighting: sharpen(shifted, gamma) };
  }

  // The read vector (Eq. 2).
  const read = (memory, weighting) => memory[0].map((_, w) => sum(memory.map((row, n) => weighting[n] * row[w])));

  // Erase, then add (Eqs. 3 and 4).
  const write = (memory, weighting, erase, add) => memory.map((row, n) => (
    row.map((value, w) => value * (1 - weighting[n] * erase[w]) + weighting[n] * add[w])
  ));

  // Weights as a page carries them: for each name its shape, and its numbers as the bytes of float32.
  function decoded(weights) {
    return Object.fromEntries(Object.entries(weights).map(([name, { shape, data }]) => {
      const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
      const values = Array.from(new Float32Array(bytes.buffer));
      const [rows, columns] = [shape[0], shape.slice(1).reduce((a, b) => a * b, 1)];
      const matrix = Array.from({ length: rows }, (_, i) => values.slice(i * columns, (i + 1) * columns));
      return [name, shape.length === 1 ? values : matrix];
    }));
  }

  const linear = (matrix, bias, x) => matrix.map((row, i) => dot(row, x) + bias[i]);

  // A machine with one read and one write head and a feedforward controller.
  class NTM {
    constructor({ cell, weights }) {
      this.weights = decoded(weights);
      const { rows, width, shift_range: range = 1 } = cell.init_args;
      [this.rows, this.width, this.shifts] = [rows, width, 2 * range + 1];
    }

    start() {
      const { first_focus_AN: focus, first_read_HW: reading } = this.weights;
      const memory = Array.from({ length: this.rows }, () => Array(this.width).fill(1e-6));
      return { memory, read: reading[0], weightings: focus.map(softmax) };
    }

    // What the controller asks of each head, in the order of `head_sizes` in cells/ntm_memory.py.
    _asked(hidden) {
      const raw = linear(this.weights["to_heads.weight"], this.weights["to_heads.bias"], hidden);
      let from = 0;
      const take = (size) => raw.slice(from, (from += size));
      const [keys, strengths, gates] = [take(2 * this.width), take(2), take(2)];
      const [shifts, gammas, erase, add] = [take(2 * this.shifts), take(2), take(this.width), take(this.width)];
      const heads = [0, 1].map((head) => ({
        key: keys.slice(head * this.width, (head + 1) * this.width),
        strength: softplus(strengths[head]),
        gate: sigmoid(gates[head]),
        shifts: softmax(shifts.slice(head * this.shifts, (head + 1) * this.shifts)),
        gamma: 1 + softplus(gammas[head]),
      }));
      return { heads, erase: erase.map(sigmoid), add };
    }

    // One step: the new state, the probabilities of ones, and what the heads were asked. Reads come before writes.
    step(input, state) {
      const { weights } = this;
      const seen = [...input, ...state.read];
      const hidden = linear(weights["controller.hidden.weight"], weights["controller.hidden.bias"], seen).map(Math.tanh);
      const asked = this._asked(hidden);
      const weightings = asked.heads.map((head, i) => address(state.memory, state.weightings[i], head).weighting);
      const reading = read(state.memory, weightings[0]);
      const memory = write(state.memory, weightings[1], asked.erase, asked.add);
      const output = linear(weights["output.weight"], weights["output.bias"], [...hidden, ...reading]).map(sigmoid);
      return { state: { memory, read: reading, weightings }, output, asked, before: state };
    }

    run(inputs) {
      let state = this.start();
      return inputs.map((input) => {
        const step = this.step(input, state);
        state = step.state;
        return step;
      });
    }
  }

  // Adaptive computation time around a plain recurrent layer, for one step in time (Graves 2016).
  class ACT {
    constructor({ cell, weights }) {
      this.weights = decoded(weights);
      this.epsilon = cell.init_args.epsilon ?? 0.01;
      this.cap = cell.init_args.cap ?? 100;
    }

    // Whether an input is halted is decided in single precision, in the order of the steps, as in the cell.
    run(input) {
      const { weights } = this;
      const projected = linear(weights["cell.from_input.weight"], weights["cell.from_input.bias"], [...input, 0]);
      const flag = weights["cell.from_input.weight"].map((row) => row[row.length - 1]);
      const steps = [];
      let hidden = Array(projected.length).fill(0);
      let near = 0;
      const end = Math.fround(1 - this.epsilon);
      do {
        const carried = linear(weights["cell.from_hidden.weight"], weights["cell.from_hidden.bias"], hidden);
        const flagged = steps.length ? 0 : 1;
        hidden = carried.map((value, i) => Math.tanh(value + projected[i] + flagged * flag[i]));
        const halting = sigmoid(linear(weights["halting_unit.weight"], weights["halting_unit.bias"], hidden)[0]);
        near = Math.fround(near + Math.fround(halting));
        const alone = sigmoid(linear(weights["cell.output.weight"], weights["cell.output.bias"], hidden)[0]);
        steps.push({ hidden, halting, alone });
      } while (near < end && steps.length < this.cap);
      const before = steps.slice(0, -1).map((step) => step.halting);
      const remainder = 1 - sum(before);
      const shares = [...before, remainder];
      const mean = hidden.map((_, i) => sum(steps.map((step, n) => shares[n] * step.hidden[i])));
      const output = sigmoid(linear(weights["cell.output.weight"], weights["cell.output.bias"], mean)[0]);
      return { steps: steps.map((step, n) => ({ ...step, share: shares[n] })), remainder, output };
    }
  }

  // A program of arithmetic: an LSTM sees the kinds of symbols and chooses an operation and two operands at each step
  // (programs/arithmetic.py). As it never sees a number, its choices are the same however they are run.
  class Arithmetic {
    constructor({ cell, weights }) {
      this.weights = decoded(weights);
      this.kinds = cell.init_args.input_size - 1;
      this.window = cell.init_args.window ?? 2;
    }

    _choices(kind, state) {
      const { weights } = this;
      const seen = linear(weights["controller.from_input.weight"], weights["controller.from_input.bias"],
        Array.from({ length: this.kinds }, (_, i) => (i === kind ? 1 : 0)));
      const carried = linear(weights["controller.from_hidden.weight"], weights["controller.from_hidden.bias"], state.hidden);
      const size = state.hidden.length;
      const part = (gate, f) => seen.slice(gate * size, (gate + 1) * size).map((value, i) => f(value + carried[gate * size + i]));
      const [enter, keep, candidate, show] = [part(0, sigmoid), part(1, sigmoid), part(2, Math.tanh), part(3, sigmoid)];
      const memory = state.memory.map((value, i) => keep[i] * value + enter[i] * candidate[i]);
      const hidden = memory.map((value, i) => show[i] * Math.tanh(value));
      const scores = linear(weights["chooser.weight"], weights["chooser.bias"], hidden);
      const operands = 1 + this.window;
      const operation = softmax(scores.slice(0, -2 * operands));
      const [left, right] = [softmax(scores.slice(-2 * operands, -operands)), softmax(scores.slice(-operands))];
      return { state: { hidden, memory }, operation, left, right };
    }

    // Symbols, each its kind and its number (0 where it has none): at each step the choices, and the result when they
    // are soft, and when the likeliest of each gets all weight.
    run(symbols) {
      const size = this.weights["controller.from_hidden.bias"].length / 4;
      let state = { hidden: Array(size).fill(0), memory: Array(size).fill(0) };
      let before = { soft: Array(this.window).fill(0), hard: Array(this.window).fill(0) };
      return symbols.map(({ kind, number }) => {
        const chosen = this._choices(kind, state);
        state = chosen.state;
        const results = {};
        for (const way of ["soft", "hard"]) {
          const weighed = way === "soft" ? (weights) => weights : hardest;
          const operands = [number, ...before[way]];
          const [l, r] = [dot(weighed(chosen.left), operands), dot(weighed(chosen.right), operands)];
          results[way] = dot(weighed(chosen.operation), [l + r, l - r, l * r, l, -l]);
        }
        before = Object.fromEntries(Object.entries(before).map(([way, list]) => [way, [results[way], ...list].slice(0, this.window)]));
        return { operation: chosen.operation, left: chosen.left, right: chosen.right, ...results };
      });
    }
  }

  // All weight on the first of the largest.
  function hardest(weights) {
    const best = weights.indexOf(Math.max(...weights));
    return weights.map((_, i) => (i === best ? 1 : 0));
  }

  return { address, similarity, content, interpolate, shift, sharpen, read, write, softmax, NTM, ACT, Arithmetic };
})();
