// What a programmer answers to questions about tables, whole or without a word, with the rows as they are or reversed:
// all of it was computed before.
"use strict";

(() => {
  const { element, number, select, slider, whole } = report;
  const { choices, fitted, table: numbersTable } = report.charts;
  const SHOWN = 0.02;
  const ORDERS = ["as they are", "in reverse order"];
  const WAYS = ["hard: the likeliest is done", "soft: all are done, weighted"];
  const { operations: OPERATIONS, tables, questions } = report.data("models").questions;
  const [COUNT, PRINT] = [0, OPERATIONS.length - 1];
  const box = document.getElementById("figure");
  const NONE = -1;
  let question = whole("question", questions.length - 1);
  let asked = questions[question];
  let order = whole("order", ORDERS.length - 1);
  let left = whole("without", asked.words.length - 1, NONE);
  let soft = whole("soft", 1);
  let step = whole("step", asked.told[0][0].steps.length - 1, asked.told[0][0].steps.length - 1);

  const told = () => asked.told[order][left + 1];
  const most = (weights) => weights.indexOf(Math.max(...weights));
  const operation = (t) => most(told().steps[t].operations);
  const header = () => tables[asked.table].header;
  const rows = () => (order ? tables[asked.table].rows.toReversed() : tables[asked.table].rows);
  // How far each row is selected after a step; all rows are before the first.
  const after = (t) => {
    if (t < 0) return rows().map(() => 1);
    return soft ? told().steps[t].soft : rows().map((_, row) => Number(told().steps[t].rows.includes(row)));
  };
  const before = (t) => after(t - 1);
  const counted = (shares) => Number(d3.sum(shares).toFixed(2));
  const line = (t) => OPERATIONS[operation(t)] + (told().steps[t].column ? ` of ${told().steps[t].column}` : "");
  const several = (count) => (count === 1 ? "1 row" : `${count || "no"} rows`);

  function choose(to) {
    if ("question" in to) left = NONE;
    ({ question = question, order = order, left = left, step = step, soft = soft } = to);
    asked = questions[question];
    report.remember({ question, order, without: left === NONE ? "" : left, step, soft: soft || "" });
    show();
  }

  const numbered = (label, options, value, change) => (
    select(label, options.map((text, i) => [i, text]), value, (key) => change(Number(key)))
  );
  const chooser = numbered("Question", questions.map((each) => `${each.words.join(" ")}?`), question, (to) => choose({ question: to }));
  const orders = numbered("Rows", ORDERS.map((words) => `rows ${words}`), order, (to) => choose({ order: to }));
  const ways = numbered("Choices", WAYS, soft, (to) => choose({ soft: to }));
  const words = element("div", { class: "words", role: "group", "aria-label": "The words of the question" });
  const says = element("p", { "aria-live": "polite", id: "answer" });
  const steps = element("div", { class: "words", role: "group", "aria-label": "The steps of the program" });
  const stepper = slider("Step", { min: 0, max: 1, value: 0, tell: (t) => String(t + 1), change: (to) => choose({ step: to }) });
  const does = element("p", { "aria-live": "polite", id: "step" });
  const cells = element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "The table" });
  const about = element("p", { class: "source" });
  const parts = [["operations", "Operation", () => OPERATIONS], ["columns", "Column", header]].map(([key, title, names]) => {
    const chart = element("div");
    const draw = fitted(chart, (width) => {
      const weights = told().steps[step][key];
      const bars = weights.map((weight, i) => ({ name: names()[i], weight, best: i === most(weights) })).filter((bar) => bar.weight >= SHOWN);
      return choices(title, bars, { width, marginLeft: 120, marginRight: 56 });
    });
    return { draw, part: element("div", {}, element("div", { class: "panel" }, title), chart) };
  });

  // How likely the last step prints each cell.
  function printing(row, column) {
    if (step < told().steps.length - 1) return 0;
    if (!soft) return Number(told().cells.some(([r, c]) => r === row && c === column));
    return told().steps[step].operations[PRINT] * told().steps[step].columns[column] * before(step)[row];
  }

  // The table: rows are marked as far as they are selected before the step, and what it prints is framed.
  function drawTable() {
    const made = numbersTable(header(), rows());
    made.classList.add("cells");
    [...made.querySelectorAll("tbody tr")].forEach((each, row) => {
      const share = before(step)[row];
      if (share >= SHOWN) each.className = "selected";
      each.style.setProperty("--share", share);
      [...each.children].forEach((cell, column) => {
        const chance = printing(row, column);
        if (chance > 0.5) cell.className = "printed";
        if (soft && chance >= SHOWN) cell.append(` (${number(Number(chance.toFixed(2)))})`);
      });
    });
    cells.replaceChildren(made);
    about.textContent = `Marked: the rows that are selected before step ${step + 1}. Framed: the cells that it prints.`
      + (soft ? " The fainter a mark, the less a row is selected; in brackets how likely a cell is printed." : "");
  }

  // What a step does, in words.
  function doing(t) {
    const likely = told().steps[t].operations;
    const start = `Step ${t + 1} does: ${line(t)} (${number(likely[operation(t)])}).`;
    if (soft) {
      const count = likely[COUNT] >= SHOWN ? ` It counts ${counted(before(t))}, with a weight of ${number(likely[COUNT])}.` : "";
      return `${start}${count}${t < told().steps.length - 1 ? ` After it ${counted(after(t))} rows are selected in all.` : ""}`;
    }
    if (operation(t) === COUNT) return `${start} It counts ${several(counted(before(t)))}.`;
    if (operation(t) === PRINT) return `${start} It prints the cells of ${several(counted(before(t)))}.`;
    return `${start} After it ${several(counted(after(t)))} ${counted(after(t)) === 1 ? "is" : "are"} selected.`;
  }

  // Buttons in the place of others; the one that has the focus keeps it.
  function replace(holder, buttons) {
    const focused = [...holder.children].indexOf(document.activeElement);
    holder.replaceChildren(...buttons);
    if (focused >= 0) buttons[focused]?.focus();
  }

  function show() {
    chooser.value = question;
    orders.value = order;
    ways.value = soft;
    replace(words, asked.words.map((word, i) => element("button", {
      type: "button", "aria-pressed": String(i === left), onclick: () => choose({ left: i === left ? NONE : i }),
    }, i === left ? element("s", {}, word) : word)));
    const kept = asked.words.filter((_, i) => i !== left).join(" ");
    const right = told().answer === asked.answer;
    says.replaceChildren(`Asked “${kept}?”, it answers `, element("strong", {}, told().answer),
      `. The right answer to the whole question is ${asked.answer}: `, element("strong", {}, right ? "right" : "wrong"), ".");
    replace(steps, told().steps.map((_, t) => element("button", {
      type: "button", "aria-pressed": String(t === step), onclick: () => choose({ step: t }),
    }, `${t + 1}. ${line(t)}`)));
    stepper.input.max = told().steps.length - 1;
    stepper.set(step);
    does.textContent = doing(step);
    parts.forEach(({ draw }) => draw());
    drawTable();
  }

  box.append(
    element("div", { class: "controls" }, chooser, orders, ways),
    element("p", { class: "source" }, "Choose a word to leave it out."), words, says, steps,
    element("div", { class: "controls" }, stepper.part), does, about, cells,
    element("div", { class: "side-by-side" }, ...parts.map(({ part }) => part)),
    element("p", { class: "source" }, `Bars: how likely each choice is, where that is ${SHOWN} or more. ✓: the likeliest, which alone is done when the program is run; all are while it learns.`),
  );
  show();
})();
