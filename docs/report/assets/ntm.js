// The copying machine and the calculator of its addressing.
"use strict";

(() => {
  const { element, number, slider } = report;
  const { trace, fitted, table } = report.charts;
  const MOST = 20;
  const HEADS = ["read head", "write head"];
  const machine = new machines.NTM(report.data("models").copy);
  const box = document.getElementById("figure");
  const state = report.state();

  // Text as the machine sees it: a vector of eight bits for each byte, the delimiter, then blanks.

  const bytes = (text) => [...new TextEncoder().encode(text)].slice(0, MOST);
  const bits = (byte) => d3.range(8).map((i) => (byte >> (7 - i)) & 1);
  const inputs = (given) => [
    ...given.map((byte) => [...bits(byte), 0]), [...Array(8).fill(0), 1], ...given.map(() => Array(9).fill(0)),
  ];
  const letter = (output) => output.reduce((byte, value) => 2 * byte + (value >= 0.5 ? 1 : 0), 0);
  const spoken = (list) => new TextDecoder().decode(Uint8Array.from(list));

  let given = [];
  let steps = [];
  let step = null;

  // The machine

  const field = element("input", { type: "text", maxlength: MOST, value: state.get("text") ?? "attention" });
  const delimiter = bytes(field.value || " ").length; // a look-up by content
  const first = report.whole("step", 2 * delimiter, delimiter);
  const answer = element("p", { "aria-live": "polite", id: "answer" });
  const follow = element("div");

  function run() {
    given = bytes(field.value || " ");
    steps = machine.run(inputs(given));
    const outputs = steps.slice(given.length + 1).map((each) => each.output);
    const back = outputs.map(letter);
    const wrong = d3.sum(outputs, (output, i) => d3.sum(output, (value, k) => (value >= 0.5 ? 1 : 0) !== bits(given[i])[k]));
    answer.replaceChildren("It gives back: ", element("strong", {}, spoken(back)), ` with ${wrong} of ${8 * given.length} bits wrong.`);
    step = Math.min(step ?? first, steps.length - 1);
    follow.replaceChildren();
    trace({
      first: 0, panels: [
        { title: "input (eight bits, and the delimiter)", rows: "channel", values: inputs(given) },
        { title: "output (probability of a one)", rows: "channel", values: steps.map((each) => each.output) },
        { title: "write weighting", rows: "memory row", values: steps.map((each) => each.state.weightings[1]) },
        { title: "read weighting", rows: "memory row", values: steps.map((each) => each.state.weightings[0]) },
      ],
    }, follow, "step", step, (to) => {
      step = to;
      start();
    });
  }

  field.addEventListener("input", () => {
    report.remember({ text: field.value });
    run();
    start();
  });

  // The calculator: one head at one step. What is not changed is the machine's own.

  const own = () => ({ ...steps[step].asked.heads[head], previous: steps[step].before.weightings[head], keyed: -1, placed: -1 });
  let head = state.get("head") === "1" ? 1 : 0;
  let now = null;
  const log = (value) => Math.log10(value);
  const power = (value) => 10 ** value;
  const onRow = (row) => d3.range(machine.rows).map((n) => (n === row ? 1 : 0));
  const rowed = (row) => (row < 0 ? "the machine's" : `row ${row}`);
  const last = machine.rows - 1;

  const controls = {
    keyed: slider("Key", { min: -1, max: last, value: -1, tell: rowed, change: (row) => change({ keyed: row }) }),
    strength: slider("Strength β", {
      min: -2, max: 3, step: 0.01, value: 0, tell: (x) => number(power(x)), change: (x) => change({ strength: power(x) }),
    }),
    placed: slider("Previous weighting", { min: -1, max: last, value: -1, tell: rowed, change: (row) => change({ placed: row }) }),
    gate: slider("Gate g", { min: 0, max: 1, step: 0.01, value: 0, tell: number, change: (gate) => change({ gate }) }),
    back: slider("Shift by -1", { min: 0, max: 1, step: 0.01, value: 0, tell: number, change: (share) => shifted(0, share) }),
    stay: slider("Shift by 0", { min: 0, max: 1, step: 0.01, value: 0, tell: number, change: (share) => shifted(1, share) }),
    on: slider("Shift by +1", { min: 0, max: 1, step: 0.01, value: 0, tell: number, change: (share) => shifted(2, share) }),
    gamma: slider("Sharpening γ", {
      min: 0, max: 2, step: 0.01, value: 0, tell: (x) => number(power(x)), change: (x) => change({ gamma: power(x) }),
    }),
  };

  // One share set by hand; the others keep their proportion, so that all add up to one.
  function shifted(which, share) {
    const others = 1 - now.shifts[which];
    const scale = others > 1e-9 ? (1 - share) / others : 0;
    const even = others > 1e-9 ? 0 : (1 - share) / 2;
    change({ shifts: now.shifts.map((each, k) => (k === which ? share : each * scale + even)) });
  }

  function change(changes) {
    now = { ...now, ...changes };
    if ("keyed" in changes) now.key = now.keyed < 0 ? own().key : steps[step].before.memory[now.keyed];
    if ("placed" in changes) now.previous = now.placed < 0 ? own().previous : onRow(now.placed);
    const kept = (name, value) => (value === own()[name] ? "" : String(Number(value.toPrecision(6))));
    report.remember({
      key: now.keyed < 0 ? "" : now.keyed, previous: now.placed < 0 ? "" : now.placed, head,
      strength: kept("strength", now.strength), gate: kept("gate", now.gate), gamma: kept("gamma", now.gamma),
      shifts: now.shifts === own().shifts || now.shifts.every((each, k) => each === own().shifts[k])
        ? "" : now.shifts.map((each) => each.toPrecision(6)).join(" "),
    });
    show();
  }

  function start() {
    now = own();
    report.remember({ key: "", previous: "", strength: "", gate: "", gamma: "", shifts: "", head });
    show();
  }

  // The view that the address asks for.
  function restore() {
    now = own();
    const changes = {};
    for (const name of ["strength", "gate", "gamma"]) if (Number.isFinite(Number(state.get(name) ?? NaN))) changes[name] = Number(state.get(name));
    const last = steps[step].before.memory.length - 1;
    if (state.has("key")) changes.keyed = report.whole("key", last, -1);
    if (state.has("previous")) changes.placed = report.whole("previous", last, -1);
    const shifts = (state.get("shifts") ?? "").split(" ").map(Number);
    if (shifts.length === 3 && shifts.every(Number.isFinite)) changes.shifts = shifts;
    change(changes);
  }

  const STAGES = [
    ["similarity", "Likeness of each row to the key, K(k, M(i)) = k · M(i) / (|k| |M(i)|)", "Eq. 6"],
    ["content", "Look-up by content: softmax of β K", "Eq. 5"],
    ["gated", "Gate: g of the look-up, 1 - g of the previous weighting", "Eq. 7"],
    ["shifted", "Shift: moved by -1, 0 and +1 rows, around the ends", "Eq. 8"],
    ["weighting", "Sharpening: to the power γ, normalised", "Eq. 9"],
  ];
  let found = null;
  const weights = (name, label) => {
    const holder = element("div");
    const draw = fitted(holder, (width) => Plot.plot({
      width, height: 110, marginLeft: 40, marginBottom: 22, style: { background: "transparent", fontSize: "12px" },
      x: { type: "band", domain: d3.range(machine.rows), ticks: d3.range(0, machine.rows, 8), label: null },
      y: { domain: name === "similarity" ? [-1, 1] : [0, 1], ticks: 3, label: null, grid: true },
      ariaLabel: `${label}, for each memory row`,
      marks: [
        Plot.barY(value(name), { x: (_, n) => n, y: (each) => each, fill: "#0072b2" }),
        Plot.tip(value(name), Plot.pointerX({ x: (_, n) => n, y: (each) => each, title: (each, n) => `row ${n}: ${number(each)}` })),
        Plot.ruleY([0]),
      ],
    }));
    return { holder, draw };
  };
  const value = (name) => (name === "previous" ? now.previous : found[name]);
  const charts = Object.fromEntries([["previous", "Previous weighting"], ...STAGES].map(([name, label]) => [name, weights(name, label)]));
  charts.previous.holder.addEventListener("click", (event) => {
    const place = event.clientX - charts.previous.holder.getBoundingClientRect().left - 40;
    const row = Math.floor((place / (charts.previous.holder.clientWidth - 60)) * machine.rows);
    if (row >= 0 && row <= last) change({ placed: row });
  });

  const readings = Object.fromEntries(STAGES.map(([name]) => [name, element("p", { class: "source value", id: `reading-${name}` })]));
  const vectors = element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Vectors" });
  const consequence = element("p", { "aria-live": "polite", id: "consequence" });
  const map = element("div");
  let maps = [];
  const drawMaps = fitted(map, (width) => Plot.plot({
    width, height: 260, marginLeft: 40, style: { background: "transparent", fontSize: "12px" },
    x: { type: "band", domain: d3.range(machine.rows), ticks: d3.range(0, machine.rows, 8), label: "memory row" },
    y: { type: "band", label: "entry", ticks: d3.range(0, machine.width, 5) },
    color: { type: "diverging", scheme: "PuOr", pivot: 0, legend: true, label: "value", width: Math.min(width, 240) },
    ariaLabel: head === 0 ? "The memory" : "The memory after this write",
    marks: [Plot.cell(maps, { x: "n", y: "w", fill: "value" }), Plot.tip(maps, Plot.pointer({
      x: "n", y: "w", title: (each) => `row ${each.n}, entry ${each.w}: ${number(each.value)}`,
    }))],
  }));

  const short = (vector) => vector.map((each) => each.toFixed(2)).join("  ");

  function show() {
    const { before, asked } = steps[step];
    found = machines.address(before.memory, now.previous, now);
    controls.keyed.set(now.keyed);
    controls.strength.set(log(Math.max(0.01, now.strength)), number(now.strength));
    controls.placed.set(now.placed);
    controls.gate.set(now.gate);
    ["back", "stay", "on"].forEach((name, k) => controls[name].set(now.shifts[k]));
    controls.gamma.set(log(now.gamma), number(now.gamma));
    Object.values(charts).forEach((chart) => chart.draw());
    for (const [name] of STAGES) {
      const most = d3.greatestIndex(found[name]);
      readings[name].textContent = `most at row ${most}: ${number(found[name][most])}`;
    }
    const after = machines.write(before.memory, found.weighting, asked.erase, asked.add);
    const shown = head === 0 ? before.memory : after;
    maps = shown.flatMap((row, n) => row.map((each, w) => ({ n, w, value: each })));
    drawMaps();
    const rows = head === 0 ? [["key k", now.key], ["read vector r", machines.read(before.memory, found.weighting)]]
      : [["key k", now.key], ["erase vector e", asked.erase], ["add vector a", asked.add]];
    vectors.replaceChildren(table(["vector", "entries"], rows.map(([name, vector]) => [name, short(vector)])));
    const most = d3.greatestIndex(found.weighting);
    consequence.textContent = head === 0
      ? `It reads r = Σ w(i) M(i) (Eq. 2): ${number(100 * found.weighting[most])} % of it is row ${most}.`
      : `Row i becomes M(i) (1 - w(i) e) + w(i) a (Eqs. 3 and 4): row ${most} takes ${number(100 * found.weighting[most])} % of the write.`;
  }

  const choice = element("select", { "aria-label": "Head" }, ...HEADS.map((name, i) => element("option", { value: i, selected: i === head }, name)));
  choice.addEventListener("change", () => {
    head = Number(choice.value);
    start();
  });
  const reset = element("button", { type: "button", onclick: start }, "As the machine had it");
  const panel = (...names) => element("div", { class: "controls" }, ...names.map((name) => controls[name].part));
  const stage = (i, ...names) => {
    const [name, label, equation] = STAGES[i];
    return [element("h3", {}, `${i + 1}. ${label} (${equation})`), ...(names.length ? [panel(...names)] : []), charts[name].holder, readings[name]];
  };
  box.append(
    element("label", {}, "Type up to 20 letters ", field), answer, follow,
    element("h2", { id: "calculator" }, "The calculator"),
    element("div", { class: "controls" }, choice, reset),
    ...stage(0, "keyed"), ...stage(1, "strength"),
    element("h3", {}, "Previous weighting: click on a row to move it there"), panel("placed"), charts.previous.holder,
    ...stage(2, "gate"), ...stage(3, "back", "stay", "on"), ...stage(4, "gamma"),
    element("h3", {}, "What the head then does"), consequence, vectors, map,
  );
  run();
  restore();
})();
