// Parity with adaptive computation time: one vector, step by step, and how long vectors of each difficulty take.
"use strict";

(() => {
  const { element, number, slider } = report;
  const { STYLE, fitted, table } = report.charts;
  const ELEMENTS = 16;
  const TRIES = 40;
  const models = report.data("models");
  const names = Object.keys(models);
  const nets = Object.fromEntries(names.map((name) => [name, new machines.ACT(models[name])]));
  const box = document.getElementById("figure");
  const state = report.state();
  let name = names.includes(state.get("net")) ? state.get("net") : names[0];
  let vector = (state.get("vector") ?? "1 -1 0 1 0 0 1 0 0 -1 0 0 0 0 0 0").split(" ").map(Number);
  if (vector.length !== ELEMENTS || !vector.every((value) => [-1, 0, 1].includes(value))) vector = Array(ELEMENTS).fill(0);
  let found = null;

  const cells = d3.range(ELEMENTS).map((i) => element("button", { type: "button", onclick: () => {
    set(vector.map((value, j) => (j === i ? [0, 1, -1][[1, -1, 0].indexOf(value)] ?? 0 : value)));
  } }));

  function set(to) {
    vector = to;
    report.remember({ vector: vector.join(" ") });
    show();
  }

  function random(count) {
    const places = new Set(d3.shuffle(d3.range(ELEMENTS)).slice(0, count));
    return d3.range(ELEMENTS).map((i) => (places.has(i) ? (Math.random() < 0.5 ? 1 : -1) : 0));
  }

  const draw = slider("Draw a vector with so many ones and minus ones", {
    min: 1, max: ELEMENTS, value: 6, change: (count) => set(random(count)),
  });
  const select = element("select", { "aria-label": "Network" }, ...names.map((each) => (
    element("option", { value: each, selected: each === name }, `trained with time penalty ${each.replace("tau-", "")}`)
  )));
  select.addEventListener("change", () => {
    name = select.value;
    report.remember({ net: name });
    measure();
    show();
  });

  const verdict = element("p", { "aria-live": "polite", id: "answer" });
  const steps = element("div");
  const numbers = element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Numbers of each step" });
  const drawSteps = fitted(steps, (width) => Plot.plot({
    width, height: 220, marginLeft: 44, style: STYLE,
    x: { type: "band", label: "inner step", domain: d3.range(1, Math.max(8, found.steps.length) + 1) },
    y: { domain: [0, 1], label: "share, probability", grid: true, ticks: 5 },
    ariaLabel: "For each inner step its share of the answer, and the probability of odd that it alone would give",
    marks: [
      Plot.barY(found.steps, { x: (_, n) => n + 1, y: "share", fill: "#0072b2" }),
      Plot.dot(found.steps, { x: (_, n) => n + 1, y: "alone", stroke: "#d55e00", strokeWidth: 2, r: 5, symbol: "diamond" }),
      Plot.ruleY([0.5], { strokeDasharray: "4 3" }), Plot.ruleY([0]),
      Plot.tip(found.steps, Plot.pointerX({
        x: (_, n) => n + 1, y: "share",
        title: (step, n) => `step ${n + 1}\nhalting ${number(step.halting)}\nshare ${number(step.share)}\nalone ${number(step.alone)}`,
      })),
    ],
  }));

  function show() {
    cells.forEach((cell, i) => {
      cell.textContent = { "-1": "−1", 0: "0", 1: "1" }[vector[i]];
      cell.setAttribute("aria-label", `element ${i + 1}: ${vector[i]}`);
      cell.setAttribute("aria-pressed", String(vector[i] !== 0));
    });
    found = nets[name].run(vector);
    const ones = vector.filter((value) => value === 1).length;
    const says = found.output >= 0.5 ? "odd" : "even";
    const truth = ones % 2 ? "odd" : "even";
    verdict.replaceChildren(
      "After ", element("strong", {}, `${found.steps.length} step${found.steps.length > 1 ? "s" : ""}`), " it says ",
      element("strong", {}, says), ` (probability of odd ${number(found.output)}). The ones are ${ones}, which is ${truth}: `,
      element("strong", {}, says === truth ? "right" : "wrong"), ".",
    );
    numbers.replaceChildren(table(["inner step", "halting h", "share", "probability of odd, alone"],
      found.steps.map((step, n) => [String(n + 1), number(step.halting), number(step.share), number(step.alone)])));
    drawSteps();
  }

  // How long vectors of each difficulty take this network, over vectors drawn now.
  let difficulty = [];
  function measure() {
    difficulty = d3.range(1, ELEMENTS + 1).map((count) => {
      const runs = d3.range(TRIES).map(() => {
        const drawn = random(count);
        const run = nets[name].run(drawn);
        return { steps: run.steps.length, wrong: (run.output >= 0.5) !== (drawn.filter((value) => value === 1).length % 2 === 1) };
      });
      return { count, steps: d3.mean(runs, (run) => run.steps), wrong: d3.mean(runs, (run) => (run.wrong ? 1 : 0)) };
    });
    drawDifficulty();
  }
  const chart = element("div");
  const drawDifficulty = fitted(chart, (width) => Plot.plot({
    width, height: 220, marginLeft: 44, style: STYLE, x: { label: "ones and minus ones in the vector", ticks: 8 },
    y: { label: "inner steps (mean)", grid: true, zero: true, ticks: 5 },
    ariaLabel: "Mean number of inner steps by the number of ones and minus ones",
    marks: [
      Plot.lineY(difficulty, { x: "count", y: "steps", stroke: "#0072b2", marker: "circle" }),
      Plot.tip(difficulty, Plot.pointerX({
        x: "count", y: "steps", title: (each) => `${each.count}: ${number(each.steps)} steps, ${number(100 * each.wrong)} % wrong`,
      })),
    ],
  }));

  box.append(
    element("div", { class: "controls" }, select, draw.part),
    element("div", { class: "words", role: "group", "aria-label": "The vector: each element is changed by choosing it" }, ...cells),
    verdict, steps,
    element("p", { class: "source" }, "Bars: the share of each inner step in the answer. Diamonds: the probability of odd that this step alone "
      + "would give. Dashed line: a guess."),
    numbers,
    element("h2", {}, "How long it thinks, by difficulty"),
    element("p", { class: "source" }, `Means over ${TRIES} vectors for each number, drawn now, in this page.`), chart,
  );
  measure();
  show();
})();
