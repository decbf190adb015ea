// A translator's attention, moved: kept off a word, or pulled to it. What the network then says was computed before.
"use strict";

(() => {
  const { element, number, select, slider } = report;
  const { STYLE, arcs, fitted, table } = report.charts;
  const WAYS = { own: "as it is", off: "kept off", pull: "pulled to" };
  const NAMES = { rnnsearch: "with attention", rnnenc: "without attention", untrained: "with attention, untrained" };
  const models = report.data("models");
  const box = document.getElementById("figure");
  const state = report.state();
  const { whole } = report;
  let name = Object.keys(models).includes(state.get("net")) ? state.get("net") : Object.keys(models)[0];
  const count = models[name].sentences.length;
  let sentence = whole("sentence", count - 1);
  let told = models[name].sentences[sentence];
  // The page begins where there is something to see: off the adjective, at the step that looks at it most.
  const FIRST = 4;
  let word = whole("word", told.source.length - 1, FIRST);
  let step = whole("step", told.target.length - 1, d3.greatestIndex(told.own.weights, (row) => row[word]));
  let way = Object.keys(WAYS).includes(state.get("way")) ? state.get("way") : "off";
  const shares = [0, ...models[name].shares];
  let share = whole("share", shares.length - 1, shares.length - 1);

  const shown = (unit) => unit.replace("▁", "");
  const movable = () => told.without.length > 0;
  // Whether the attention is moved at a step: a pull moves that step alone.
  const moved = (t) => movable() && (way === "off" || (way === "pull" && share > 0 && t === step));

  // The likeliest next units at a step, as the attention stands now.
  function next(t) {
    if (!moved(t)) return told.own.next[t];
    return way === "off" ? told.without[word].next[t] : told.pulled[word][share - 1][t];
  }

  // The weights of a step, as the attention stands now.
  function weights(t) {
    const own = told.own.weights[t];
    if (!moved(t)) return own;
    if (way === "off") return told.without[word].weights[t];
    return own.map((weight, i) => (1 - shares[share]) * weight + (i === word ? shares[share] : 0));
  }

  function choose(to) {
    ({ name = name, sentence = sentence, step = step, word = word, way = way, share = share } = to);
    told = models[name].sentences[sentence];
    step = Math.min(step, told.target.length - 1);
    word = Math.min(word, told.source.length - 1);
    report.remember({ net: name, sentence, step, word, way, share });
    show();
  }

  const sentences = select("Sentence", models[name].sentences.map((each, i) => [i, each.source.slice(0, -1).join(" ")]), sentence,
    (to) => choose({ sentence: Number(to), step: 0, word: 0 }));
  const networks = select("Network", Object.keys(models).map((each) => [each, NAMES[each]]), name, (to) => choose({ name: to }));

  const says = element("p", { "aria-live": "polite", id: "answer" });
  const holder = element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Words, and arcs between them" });
  const ways = Object.entries(WAYS).map(([key, words]) => {
    const input = element("input", { type: "radio", name: "way", value: key, checked: key === way, onchange: () => choose({ way: key }) });
    return element("label", {}, input, element("span", { "data-way": key }, words));
  });
  const pull = slider("Share of the weight", {
    min: 0, max: shares.length - 1, value: share, tell: (i) => `${100 * shares[i]} %`, change: (to) => choose({ way: "pull", share: to }),
  });
  const chart = element("div");
  const numbers = element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Probabilities of the next unit" });

  function row(side, texts) {
    return element("div", { class: "row" }, ...texts.map((text, i) => element("button", {
      type: "button", "data-side": side, onclick: () => choose(side === "source" ? { word: i } : { step: i }),
    }, text)));
  }

  // Units of either distribution with what both say; units that one does not tell of have less than its last.
  function both() {
    const [own, now] = [new Map(told.own.next[step]), new Map(next(step))];
    return [...new Set([...own.keys(), ...(moved(step) ? now.keys() : [])])].map((unit) => ({ unit, own: own.get(unit), now: now.get(unit) }));
  }

  const drawChart = fitted(chart, (width) => {
    const rows = both();
    const bars = rows.flatMap(({ unit, own, now }) => [
      { unit, whose: "as it is", p: own ?? 0 }, ...(moved(step) ? [{ unit, whose: "now", p: now ?? 0 }] : []),
    ]);
    return Plot.plot({
      width, height: 46 + 44 * rows.length, marginLeft: 110, marginRight: 10, style: STYLE,
      x: { domain: [0, 1], label: "probability of the next unit", ticks: 5, grid: true },
      fy: { domain: rows.map(({ unit }) => unit), label: null, tickFormat: shown, padding: 0.15 },
      y: { axis: null, domain: moved(step) ? ["as it is", "now"] : ["as it is"] },
      color: { domain: ["as it is", "now"], range: ["#0072b2", "#d55e00"], legend: moved(step) },
      ariaLabel: "Probabilities of the next unit. The table below has the numbers.",
      marks: [Plot.barX(bars, { fy: "unit", y: "whose", x: "p", fill: "whose" }), Plot.ruleX([0])],
    });
  });

  let between = element("div");
  const drawArcs = () => {
    const [above, below] = ["source", "target"].map((side) => [...holder.querySelectorAll(`[data-side=${side}]`)]);
    arcs(between, above, below, told.target.map((_, t) => weights(t)), (i, t) => (t === step ? 1 : 0.15));
  };

  function show() {
    const likeliest = (list) => list[0][0];
    const target = told.target.map((unit, t) => {
      const now = likeliest(next(t));
      return now !== likeliest(told.own.next[t]) ? `${shown(unit)} → ${shown(now)}` : shown(unit);
    });
    between = element("div", { class: "arcs" });
    const focused = [...holder.querySelectorAll("button")].indexOf(document.activeElement);
    holder.replaceChildren(element("div", { class: "strip" }, row("source", told.source), between, row("target", target)));
    if (focused >= 0) holder.querySelectorAll("button")[focused]?.focus();
    for (const [side, chosen] of [["source", word], ["target", step]]) {
      holder.querySelectorAll(`[data-side=${side}]`).forEach((each, i) => each.setAttribute("aria-pressed", String(i === chosen)));
    }
    drawArcs();
    for (const { firstChild: input, lastChild: words } of ways) {
      input.disabled = !movable() && input.value !== "own";
      input.checked = movable() ? input.value === way : input.value === "own";
      words.textContent = input.value === "own" ? WAYS.own : `${WAYS[input.value]} “${told.source[word]}”`;
    }
    pull.set(share);
    pull.input.disabled = !movable();
    const before = told.target.slice(0, step).map(shown).join(" ") || "nothing";
    const best = next(step)[0];
    const now = moved(step) && way === "off" ? ["With attention kept off ", element("strong", {}, told.source[word]),
      " it translates: ", element("strong", {}, told.without[word].text)] : [
      models[name].untrained ? "It is given: " : "It translates: ", element("strong", {}, told.text)];
    says.replaceChildren(...now, ` After ${before} the likeliest next unit is `, element("strong", {}, shown(best[0])), ` (${number(best[1])}).`);
    const less = (value) => (value === undefined ? "less" : number(value));
    numbers.replaceChildren(table(["next unit", "as it is", ...(moved(step) ? ["now"] : [])],
      both().map(({ unit, own, now: p }) => [shown(unit), less(own), ...(moved(step) ? [less(p)] : [])])));
    drawChart();
  }

  box.append(
    element("div", { class: "controls" }, sentences, networks), says, holder,
    element("div", { class: "controls", role: "radiogroup", "aria-label": "The attention" }, element("span", {}, "Attention:"), ...ways, pull.part),
    chart, numbers,
    element("p", { class: "source" }, "An arrow beside a unit: what would be likeliest there instead. “less”: less likely than all that are told."),
  );
  new ResizeObserver(drawArcs).observe(holder);
  show();
})();
