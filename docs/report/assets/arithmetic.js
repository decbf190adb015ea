// A program of arithmetic on what the reader types: its choices at each step, and its results soft and hard.
"use strict";

(() => {
  const { element, number, slider } = report;
  const { choices, fitted, table } = report.charts;
  const SYMBOLS = ["number", "+", "-", "*", "="];
  const OPERATIONS = ["add", "subtract", "multiply", "keep", "negate"];
  const [MOST, TOLERANCE] = [30, 1e-3];
  const net = new machines.Arithmetic(report.data("models").arithmetic);
  const box = document.getElementById("figure");
  const state = report.state();
  let text = state.get("text") ?? "1.5 - 0.25 * 2 + 1";
  let symbols = [];
  let steps = [];
  let step = report.whole("step", 2 * MOST, 3);

  // The symbols of an expression; null where it is none.
  function read(line) {
    const value = "[+-]?\\d+(?:\\.\\d+)?";
    if (!new RegExp(`^\\s*${value}(?:\\s*[-+*]\\s*${value})*\\s*=?\\s*$`).test(line)) return null;
    const found = [...line.trim().matchAll(new RegExp(`(?:^|([-+*]))\\s*(${value})`, "g"))];
    const list = found.flatMap(([, operator, digits]) => [
      ...(operator ? [{ kind: SYMBOLS.indexOf(operator), number: 0 }] : []), { kind: 0, number: Number(digits) },
    ]);
    return [...list, { kind: 4, number: 0 }];
  }

  // What it comes to: products before sums.
  function answer() {
    let [done, term] = [0, symbols[0].number];
    for (let i = 1; i + 1 < symbols.length; i += 2) {
      const value = symbols[i + 1].number;
      if (SYMBOLS[symbols[i].kind] === "*") term *= value;
      else [done, term] = [done + term, SYMBOLS[symbols[i].kind] === "-" ? -value : value];
    }
    return done + term;
  }

  const written = ({ kind, number: value }) => (kind ? SYMBOLS[kind].replace("-", "−").replace("*", "×") : String(value));
  const operand = (k, t) => (k ? `${k} ${k > 1 ? "steps" : "step"} ago` : symbols[t].kind ? "no number" : String(symbols[t].number));
  const most = (weights) => weights.indexOf(Math.max(...weights));

  // The program of a step: the likeliest choices.
  function line(t) {
    const { operation, left, right } = steps[t];
    const name = OPERATIONS[most(operation)];
    const [l, r] = [left, right].map((weights) => operand(most(weights), t));
    return name === "keep" || name === "negate" ? `${name} ${l}` : `${name} ${l} and ${r}`;
  }

  const input = element("input", { type: "text", value: text, size: 34, "aria-label": "An expression with +, - and *" });
  input.addEventListener("input", () => {
    text = input.value;
    step = 0;
    report.remember({ text, step });
    update();
  });
  const says = element("p", { "aria-live": "polite", id: "answer" });
  const buttons = element("div", { class: "words", role: "group", "aria-label": "The symbols, a step each" });
  const choice = slider("Step", { min: 0, max: 1, value: 0, tell: (t) => String(t + 1), change: (to) => move(to) });
  const told = element("p", { "aria-live": "polite", id: "step" });
  const parts = [["operation", "Operation"], ["left", "First operand"], ["right", "Second operand"]].map(([key, title]) => {
    const chart = element("div");
    const name = (i) => (key === "operation" ? OPERATIONS[i] : operand(i, step));
    const draw = fitted(chart, (width) => {
      const rows = steps.length ? steps[step][key].map((weight, i) => ({ name: name(i), weight, best: i === most(steps[step][key]) })) : [];
      return choices(title, rows, { width, marginLeft: 96, marginRight: 46 });
    });
    return { draw, part: element("div", {}, element("div", { class: "panel" }, title), chart) };
  });
  const numbers = element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "The whole program" });

  function move(to) {
    step = to;
    report.remember({ step });
    show();
  }

  function show() {
    choice.input.max = Math.max(0, steps.length - 1);
    choice.input.disabled = !steps.length;
    choice.set(step);
    [...buttons.children].forEach((button, t) => button.setAttribute("aria-pressed", String(t === step)));
    told.textContent = steps.length
      ? `Step ${step + 1} reads ${written(symbols[step])} and does: ${line(step)}. Soft result ${number(steps[step].soft)}, hard result ${number(steps[step].hard)}.`
      : "";
    parts.forEach(({ draw }) => draw());
  }

  function update() {
    const found = read(text);
    const count = found ? found.length / 2 : 0;
    [symbols, steps] = found && count <= MOST ? [found, net.run(found)] : [[], []];
    step = Math.max(0, Math.min(step, steps.length - 1));
    if (!steps.length) {
      says.textContent = found ? `Up to ${MOST} numbers, please: these are ${count}.` : "Numbers with +, - and * between them, please: 1.5 - 0.25 * 2.";
    } else {
      const [hard, truth] = [steps[steps.length - 1].hard, answer()];
      const right = Math.abs(hard - truth) <= TOLERANCE * Math.max(1, Math.abs(truth));
      says.replaceChildren("It answers ", element("strong", {}, number(hard)), `. The expression comes to ${number(truth)}: `,
        element("strong", {}, right ? "right" : "wrong"), ".");
    }
    buttons.replaceChildren(...symbols.map((symbol, t) => (
      element("button", { type: "button", "aria-label": `step ${t + 1}: ${written(symbol)}`, onclick: () => move(t) }, written(symbol))
    )));
    numbers.replaceChildren(table(["step", "reads", "likeliest program", "soft result", "hard result"],
      steps.map((each, t) => [String(t + 1), written(symbols[t]), line(t), number(each.soft), number(each.hard)])));
    show();
  }

  box.append(
    element("div", { class: "controls" }, input), says, buttons,
    element("div", { class: "controls" }, choice.part), told,
    element("div", { class: "side-by-side" }, ...parts.map(({ part }) => part)),
    element("p", { class: "source" }, "Bars: the weights of the choices. ✓: the likeliest, which alone counts in the hard program."),
    element("h2", {}, "The whole program"), numbers,
  );
  update();
})();
