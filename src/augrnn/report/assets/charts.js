// The charts of an experiment's page, one for each exhibit: drawn by Observable Plot, read off by mouse, touch and keys.
"use strict";

(() => {
  const { element, number, slider } = report;
  const PALETTE = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "currentColor"];
  const DASHES = ["", "7 4", "7 3 2 3", "2 3", "9 2 2 2 2 2", "12 4"];
  const SYMBOLS = ["circle", "square", "triangle", "diamond", "star", "cross"];
  const STYLE = { background: "transparent", fontSize: "12px" };
  const turn = (list, i) => list[i % list.length];

  // To a screen reader a drawing is one picture.
  function whole(drawing) {
    for (const svg of drawing.matches("svg[aria-label]") ? [drawing] : drawing.querySelectorAll("svg[aria-label]")) {
      svg.setAttribute("role", "img");
      for (const part of svg.children) part.setAttribute("aria-hidden", "true");
    }
    return drawing;
  }

  // Draws at the width of its box, and again when that changes.
  function fitted(box, draw) {
    let width = 0;
    const redraw = () => {
      width = box.clientWidth;
      if (width) box.replaceChildren(whole(draw(width)));
    };
    new ResizeObserver(() => box.clientWidth !== width && redraw()).observe(box);
    return redraw;
  }

  function table(head, rows) {
    const line = (cells, name) => element("tr", {}, ...cells.map((cell) => element(name, {}, cell)));
    return element("table", { class: "numbers" }, element("thead", {}, line(head, "th")),
      element("tbody", {}, ...rows.map((row) => line(row, "td"))));
  }

  // The weights of choices as bars, with the best one ticked; rows have a name, a weight, and whether it is the best.
  function choices(title, rows, { width, marginLeft, marginRight }) {
    return Plot.plot({
      width, height: 34 + 24 * Math.max(1, rows.length), marginLeft, marginRight, marginBottom: 26, style: STYLE,
      x: { domain: [0, 1], ticks: 3, label: null, grid: true }, y: { domain: rows.map((row) => row.name), label: null },
      ariaLabel: `${title}: ${rows.map((row) => `${row.name} ${number(row.weight)}`).join(", ")}`,
      marks: [
        Plot.barX(rows, { y: "name", x: "weight", fill: "#0072b2", fillOpacity: (row) => (row.best ? 1 : 0.55) }), Plot.ruleX([0]),
        Plot.text(rows, { y: "name", x: "weight", text: (row) => `${number(Number(row.weight.toFixed(3)))}${row.best ? " ✓" : ""}`, dx: 4, textAnchor: "start" }),
      ],
    });
  }

  // The numbers of a chart as a table, made when it is opened.
  function numbers(make) {
    const details = element("details", {}, element("summary", {}, "The numbers"));
    details.addEventListener("toggle", () => {
      if (details.children.length === 1) details.append(element("div", { class: "scroll", tabindex: "0" }, make()));
    });
    return details;
  }

  // A switch for each series, in its look.
  function legend(series, change) {
    const shown = new Set(series.map((each) => each.name));
    const parts = series.map(({ name, look }) => {
      const input = element("input", { type: "checkbox", checked: true });
      input.addEventListener("change", () => {
        if (input.checked) shown.add(name);
        else shown.delete(name);
        change();
      });
      const swatch = element("span", { class: "swatch" });
      swatch.style.background = look.colour;
      return element("label", {}, input, swatch, name);
    });
    return { shown, part: element("div", { class: "controls" }, ...parts) };
  }

  function looked(series) {
    return series.map((each, i) => ({
      ...each,
      look: { colour: turn(PALETTE, each.colour ?? i), dash: turn(DASHES, each.dash ?? i), symbol: turn(SYMBOLS, i) },
    }));
  }

  function vertical(data, values) {
    if (data.floor) {
      const top = Math.max(10 * data.floor, d3.max(values));
      return { type: "log", domain: [data.floor, top], clamp: true, tickFormat: "~g" };
    }
    if (!data.small) return { tickFormat: number };
    const top = d3.max([data.small, ...values, ...(data.bars || []), ...(data.lines || []).flat()]);
    const decades = d3.range(Math.floor(Math.log10(top / data.small) + 1e-9) + 1);
    const ticks = [0, ...decades.map((decade) => data.small * 10 ** decade)];
    return { type: "symlog", constant: data.small, domain: [0, top], ticks, tickFormat: number };
  }

  const rules = (bars) => bars.map((value) => Plot.ruleY([value], { strokeDasharray: "4 3", strokeOpacity: 0.7 }));

  // Curves and quantities by size: every run thin, the median thick, a rule to read them off.
  function curves(data, box, key) {
    const places = data.sizes && data.sizes.map((size, i) => (data.even ? i : Number(size)));
    const named = (x) => (data.even ? data.sizes[x] : number(x));
    const letters = data.even ? d3.max(data.sizes, (size) => size.length) : 0;
    const points = (values) => (places ? values.map((value, i) => [places[i], value]) : values);
    const series = looked(data.series.map((each) => (
      { ...each, runs: each.runs.map(points), median: points(each.median) }
    )));
    if (!series.length) return box.append("No run has ended.");
    const every = series.flatMap((each) => each.runs.flatMap((run, i) => run.filter((point) => point[1] !== null)
      .map(([x, y]) => ({ name: each.name, x, y, words: `${each.name}, run ${i + 1}\n${named(x)}: ${number(y)}` }))));
    const stops = places || d3.greatest(series, (each) => each.median.length).median.map(([x]) => x);
    let stop = report.whole(key, stops.length - 1, stops.length - 1);

    const chart = element("div");
    const redraw = fitted(chart, (width) => {
      const kept = series.filter((each) => switches.shown.has(each.name));
      const marks = kept.flatMap(({ runs, median, look }) => [
        ...runs.map((run) => Plot.line(run, {
          x: "0", y: ([, y]) => y ?? NaN, stroke: look.colour, strokeWidth: 1, strokeOpacity: 0.45, clip: true,
        })),
        ...(places ? runs.map((run) => Plot.dot(run, {
          x: "0", y: ([, y]) => y ?? NaN, fill: look.colour, fillOpacity: 0.5, r: 2.5, symbol: look.symbol,
        })) : []),
        Plot.line(median, {
          x: "0", y: ([, y]) => y ?? NaN, stroke: look.colour, strokeWidth: 2.5, strokeDasharray: look.dash, clip: true,
        }),
        ...(median.length === 1 ? [Plot.dot(median, { x: "0", y: "1", fill: look.colour, r: 4 })] : []),
      ]);
      const lines = (data.lines || []).map((values) => Plot.line(points(values), {
        x: "0", y: ([, y]) => y ?? NaN, stroke: "currentColor", strokeOpacity: 0.5, strokeWidth: 1,
      }));
      const slanted = 8 * letters * stops.length > width - 80; // texts below that would run into each other
      return Plot.plot({
        width, height: Math.min(430, 130 + width * 0.45), marginLeft: 56, marginBottom: slanted ? 44 + 4 * letters : 40, style: STYLE,
        color: { type: "identity" },
        x: {
          label: data.x, ...(places ? { ticks: places } : { ticks: Math.max(3, width / 110) }),
          ...(data.even ? { tickFormat: named, tickRotate: slanted ? -40 : 0 } : {}),
        },
        y: { label: data.y, grid: true, ticks: 6, ...vertical(data, every.map((point) => point.y)) },
        ariaLabel: `Chart: ${data.y}, by ${data.x}. The numbers stand in the table below it.`,
        marks: [
          ...rules(data.bars || []), ...lines,
          ...(data.marks || []).map((place) => Plot.ruleX([place], { strokeDasharray: "4 3" })),
          Plot.ruleX([stops[stop]], { stroke: "currentColor", strokeOpacity: 0.5 }), ...marks,
          Plot.tip(every.filter((point) => switches.shown.has(point.name)), Plot.pointer({ x: "x", y: "y", title: "words" })),
        ],
      });
    });
    // Runs that were resumed have their values at other places than the rest: the nearest one counts.
    const near = stops.length > 1 ? d3.min(d3.pairs(stops, (a, b) => b - a)) / 2 : 0;
    const at = (run, x) => {
      const point = d3.least(run, ([place]) => Math.abs(place - x));
      return point && Math.abs(point[0] - x) <= near ? point[1] : null;
    };
    const told = (each, x) => {
      const found = each.runs.map((run) => at(run, x)).filter((y) => y !== null && y !== undefined);
      const median = number(at(each.median, x));
      return found.length > 1 ? `${median} (${number(d3.min(found))} to ${number(d3.max(found))})` : median;
    };
    const readings = element("div", { "aria-live": "polite" });
    const read = () => readings.replaceChildren(table(
      [data.x, "median over runs (least to most)"],
      series.filter((each) => switches.shown.has(each.name)).map((each) => [each.name, told(each, stops[stop])]),
    ));
    const both = () => (redraw(), read());
    const switches = legend(series, both);
    const choice = slider(`Read off at ${data.x}`, {
      min: 0, max: stops.length - 1, value: stop, tell: (i) => named(stops[i]),
      change: (to) => {
        stop = to;
        report.remember({ [key]: to });
        both();
      },
    });
    box.append(switches.part, chart, choice.part, readings, numbers(() => table(
      [data.x, ...series.map((each) => each.name)], stops.map((x) => [named(x), ...series.map((each) => told(each, x))]),
    )));
    both();
  }

  // Intervals by bucket: a point and its ends for each run.
  function buckets(data, box) {
    const names = [...new Set(data.points.map((point) => point.name))];
    const series = looked(names.map((name) => ({ name })));
    const look = new Map(series.map((each) => [each.name, each.look]));
    const found = data.points.map((point) => ({
      ...point, run: `${point.name} ${point.seed}`, colour: look.get(point.name).colour,
      words: `${point.name}, run ${point.seed + 1}\n${point.bucket}: ${number(point.ends[1])} `
        + `[${number(point.ends[0])}, ${number(point.ends[2])}]`,
    }));
    const chart = element("div");
    const switches = legend(series, () => redraw());
    const redraw = fitted(chart, (width) => {
      const kept = found.filter((point) => switches.shown.has(point.name));
      const longest = d3.max(data.buckets, (bucket) => bucket.length);
      const crowded = width < 60 + data.buckets.length * (14 + 7 * longest);
      const runs = [...new Set(kept.map((point) => point.run))];
      return Plot.plot({
        width, height: crowded ? 300 + 5 * longest : 320, marginLeft: 56, marginBottom: crowded ? 36 + 5 * longest : 40, style: STYLE,
        fx: { label: data.x, labelAnchor: "right", domain: data.buckets, tickRotate: crowded ? -40 : 0, labelOffset: crowded ? 32 + 5 * longest : 36 },
        x: { axis: null, domain: runs }, y: { label: data.y, grid: true }, color: { type: "identity" },
        ariaLabel: `Chart: ${data.y}, by ${data.x}. The numbers stand in the table below it.`,
        marks: [
          Plot.ruleX(kept, { fx: "bucket", x: "run", y1: (p) => p.ends[0], y2: (p) => p.ends[2], stroke: "colour" }),
          Plot.dot(kept, { fx: "bucket", x: "run", y: (p) => p.ends[1], fill: "colour" }),
          Plot.tip(kept, Plot.pointerX({ fx: "bucket", x: "run", y: (p) => p.ends[1], title: "words" })),
        ],
      });
    });
    box.append(switches.part, chart, numbers(() => table(
      ["variant", "run", data.x, data.y, "2.5 %", "97.5 %"],
      found.map((p) => [p.name, String(p.seed + 1), p.bucket, number(p.ends[1]), number(p.ends[0]), number(p.ends[2])]),
    )));
    redraw();
  }

  // A point for each run.
  function scatter(data, box) {
    const series = looked(data.series);
    const found = series.flatMap((each) => each.runs.map(([x, y], i) => ({ name: each.name, look: each.look, i, x, y })))
      .filter((point) => point.x !== null && point.y !== null);
    const chart = element("div");
    const switches = legend(series, () => redraw());
    const redraw = fitted(chart, (width) => {
      const kept = found.filter((point) => switches.shown.has(point.name));
      return Plot.plot({
        width, height: 350, marginLeft: 56, marginBottom: 40, style: STYLE, color: { type: "identity" },
        x: { label: data.x, nice: true, ...(data.log ? { type: "log", tickFormat: "~g" } : {}) },
        y: { label: data.y, grid: true, ticks: 6, ...vertical(data, found.map((point) => point.y)) },
        ariaLabel: `Chart: ${data.y}, by ${data.x}. The numbers stand in the table below it.`,
        marks: [
          ...rules(data.bars),
          ...series.map((each) => Plot.dot(kept.filter((point) => point.name === each.name), {
            x: "x", y: "y", stroke: each.look.colour, symbol: each.look.symbol, strokeWidth: 1.5, r: 5,
          })),
          Plot.tip(kept, Plot.pointer({
            x: "x", y: "y", title: (p) => `${p.name}, run ${p.i + 1}\n${data.x} ${number(p.x)}: ${number(p.y)}`,
          })),
        ],
      });
    });
    box.append(switches.part, chart, numbers(() => table(
      ["variant", "run", data.x, data.y], found.map((p) => [p.name, String(p.i + 1), number(p.x), number(p.y)]),
    )));
    redraw();
  }

  // A map of numbers over time, drawn as one picture.
  function heat(values, { first, width, height, label, step }) {
    const rows = values[0].length;
    const flat = new Float64Array(rows * values.length);
    values.forEach((row, t) => row.forEach((value, n) => (flat[n * values.length + t] = value ?? NaN)));
    const [low, high] = d3.extent(flat);
    const within = low >= 0 && high <= 1;
    return Plot.plot({
      width, height, marginLeft: 44, marginBottom: 24, style: STYLE,
      x: { domain: [first - 0.5, first + values.length - 0.5], label: null },
      y: { domain: [rows - 0.5, -0.5], label, ticks: rows > 1 ? Math.min(4, rows) : 0 },
      color: { type: "linear", scheme: "viridis", domain: within ? [0, 1] : [low, high] },
      ariaLabel: `Map: ${label} over time; a slider below reads it off step by step.`,
      marks: [
        Plot.raster(flat, {
          width: values.length, height: rows, x1: first - 0.5, x2: first + values.length - 0.5, y1: -0.5, y2: rows - 0.5,
          imageRendering: "pixelated",
        }),
        Plot.rect([0], {
          x1: first + step - 0.5, x2: first + step + 0.5, y1: -0.5, y2: rows - 0.5, stroke: "white", strokeWidth: 1.5, fill: "none",
        }),
      ],
    });
  }

  // A sequence step by step: all maps with a frame on the step, and what stands in them there; tells where it moves.
  function trace(data, box, key, first = 0, moved = () => {}) {
    const steps = data.panels[0].values.length;
    let step = report.whole(key, steps - 1, first);
    const maps = data.panels.map(() => element("div"));
    const bars = data.panels.map(() => element("div"));
    const words = data.panels.map(() => element("td"));
    const height = (panel) => Math.max(56, Math.min(230, 26 + 7 * panel.values[0].length));
    const draws = data.panels.map((panel, i) => fitted(maps[i], (width) => heat(panel.values, {
      first: data.first, width, height: height(panel), label: panel.rows, step,
    })));
    const beside = data.panels.map((panel, i) => fitted(bars[i], (width) => Plot.plot({
      width, height: 90, marginLeft: 36, marginBottom: 20, style: STYLE,
      x: { label: null, type: "band", domain: d3.range(panel.values[0].length), ticks: d3.ticks(0, panel.values[0].length - 1, 5) },
      y: { label: null, ticks: 3, domain: d3.extent([0, 1, ...panel.values.flat()]) },
      ariaLabel: `${panel.title} at step ${data.first + step}`,
      marks: [Plot.barY(panel.values[step], { x: (_, n) => n, y: (value) => value ?? 0, fill: PALETTE[0] }), Plot.ruleY([0])],
    })));
    const told = (panel) => {
      const row = panel.values[step];
      if (panel.rows !== "memory row") {
        return row.length > 10 ? `${number(d3.min(row))} to ${number(d3.max(row))}` : row.map((each) => Number(each.toFixed(2))).join("  ");
      }
      const most = d3.greatestIndex(row);
      return `row ${most} most: ${number(row[most])}`;
    };
    const show = () => {
      draws.forEach((draw) => draw());
      beside.forEach((draw) => draw());
      data.panels.forEach((panel, i) => (words[i].textContent = told(panel)));
    };
    const move = (to) => {
      step = Math.max(0, Math.min(steps - 1, to));
      choice.set(step);
      report.remember({ [key]: step });
      show();
      moved(step);
    };
    const choice = slider("Step in time", {
      min: 0, max: steps - 1, value: step, tell: (t) => String(data.first + t), change: move,
    });
    const buttons = [["Back", -1], ["On", 1]].map(([name, by]) => (
      element("button", { type: "button", onclick: () => move(step + by) }, name)
    ));
    maps.forEach((map) => map.addEventListener("click", (event) => {
      const [left, right] = [44, map.clientWidth - 20];
      const share = (event.clientX - map.getBoundingClientRect().left - left) / (right - left);
      move(Math.floor(share * steps));
    }));
    const rows = data.panels.map((panel, i) => element("tr", {}, element("th", { scope: "row" }, panel.title),
      element("td", {}, bars[i]), words[i]));
    box.append(
      ...data.panels.flatMap((panel, i) => [element("div", { class: "panel" }, panel.title), maps[i]]),
      element("div", { class: "controls" }, buttons[0], choice.part, buttons[1]),
      element("table", { class: "beside", "aria-live": "polite" }, element("tbody", {}, ...rows)),
    );
    show();
  }

  // Maps of numbers, and clouds of points with a line through them.
  function maps(data, box) {
    for (const { title, x, y, rows, values, points, line } of data.panels) {
      const chart = element("div");
      const ariaLabel = `${title}: ${y}, by ${x}. The numbers stand in the table below it.`;
      const cells = values ? values.flatMap((row, i) => row.map((value, j) => ({ i, j, value }))) : [];
      const map = (width) => Plot.plot({
        width, height: Math.max(160, 60 + 12 * values.length), marginLeft: 56, marginBottom: 36, style: STYLE, ariaLabel,
        x: { label: x, domain: [-0.5, values[0].length - 0.5] },
        y: { label: y, domain: [values.length - 0.5, -0.5], ticks: rows ? d3.range(rows.length) : 5, tickFormat: (i) => (rows ? rows[i] : i) },
        color: { type: "linear", scheme: "viridis", domain: [0, Math.max(1, d3.max(values.flat()))] },
        marks: [
          Plot.raster(values.flat(), {
            width: values[0].length, height: values.length, x1: -0.5, x2: values[0].length - 0.5, y1: -0.5, y2: values.length - 0.5,
            imageRendering: "pixelated",
          }),
          Plot.tip(cells, Plot.pointer({
            x: "j", y: "i", title: ({ i, j, value }) => `${y} ${rows ? rows[i] : i}, ${x} ${j}: ${number(value)}`,
          })),
        ],
      });
      const cloud = (width) => Plot.plot({
        width, height: 320, marginLeft: 56, marginBottom: 36, style: STYLE, ariaLabel, x: { label: x }, y: { label: y, grid: true },
        marks: [
          Plot.dot(points, { x: "0", y: "1", r: 1.5, fill: PALETTE[0], fillOpacity: 0.4 }),
          Plot.line(line, { x: "0", y: "1", stroke: PALETTE[1], strokeWidth: 2 }),
          Plot.tip(points, Plot.pointer({ x: "0", y: "1", title: (point) => `${x} ${number(point[0])}\n${y} ${number(point[1])}` })),
        ],
      });
      const redraw = fitted(chart, values ? map : cloud);
      const listed = () => (values
        ? table([y, ...values[0].map((_, j) => String(j))], values.map((row, i) => [rows ? rows[i] : String(i), ...row.map(number)]))
        : table([x, y], points.map((point) => point.map(number))));
      box.append(element("div", { class: "panel" }, title), chart, numbers(listed));
      redraw();
    }
  }

  // Arcs from the words above to those below, as wide as the weights, one row of them for each word below.
  function arcs(box, above, below, weights, opacity) {
    const centre = (button) => button.offsetLeft + button.offsetWidth / 2;
    const links = weights.flatMap((row, j) => row.map((weight, i) => ({
      x1: centre(above[i]), x2: centre(below[j]), weight, opacity: opacity(i, j) * Math.min(1, 0.08 + weight),
    }))).filter((link) => link.weight >= 0.02);
    box.replaceChildren(whole(Plot.plot({
      width: box.clientWidth, height: 110, margin: 0, style: STYLE, axis: null,
      x: { type: "identity" }, y: { type: "identity" }, opacity: { type: "identity" },
      ariaLabel: "Arcs from each word of one sentence to the words of the other, as wide as the weight.",
      marks: [Plot.link(links, {
        x1: "x1", x2: "x2", y1: 2, y2: 108, curve: "bump-y", stroke: PALETTE[0], strokeOpacity: "opacity",
        strokeWidth: (link) => 7 * link.weight, strokeLinecap: "round",
      })],
    })));
  }

  // Words of two sentences, arcs between them, and the matrix; either side shows what belongs to one word.
  function alignments(data, box, key) {
    const [kept, word] = (report.state().get(key) || "0").split(".");
    let number_of = Math.min(Number(kept) || 0, data.sentences.length - 1);
    let chosen = word ? [word[0] === "t" ? "target" : "source", Number(word.slice(1))] : null;
    const holder = element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Words and arcs" });
    const matrix = element("div");
    const reading = element("p", { "aria-live": "polite" });

    function choose(side, i) {
      chosen = side === null || (chosen && chosen[0] === side && chosen[1] === i) ? null : [side, i];
      report.remember({ [key]: chosen ? `${number_of}.${chosen[0][0]}${chosen[1]}` : `${number_of}` });
      mark();
    }

    function row(sentence, side) {
      return element("div", { class: "row" }, ...sentence[side].map((text, i) => element("button", {
        type: "button", "data-side": side, "data-word": i, onclick: () => choose(side, i), onpointerenter: (event) => {
          if (event.pointerType === "mouse") hover([side, i]);
        }, onpointerleave: () => hover(null), onfocus: () => hover([side, i]), onblur: () => hover(null),
      }, text)));
    }

    let hovered = null;
    const hover = (to) => {
      hovered = to;
      mark();
    };
    const lit = () => hovered || chosen;
    let strip = null;

    function mark() {
      const sentence = data.sentences[number_of];
      const now = lit();
      const opacity = (i, j) => (now && now[1] !== (now[0] === "target" ? j : i) ? 0.04 : 1);
      const [above, below] = ["source", "target"].map((side) => [...holder.querySelectorAll(`[data-side=${side}]`)]);
      arcs(strip, above, below, sentence.weights, opacity);
      for (const button of [...above, ...below]) {
        const pressed = now && button.dataset.side === now[0] && Number(button.dataset.word) === now[1];
        button.setAttribute("aria-pressed", String(Boolean(pressed)));
      }
      reading.textContent = now ? told(sentence, now) : "Point at a word, or choose one, to see where its weight goes.";
      drawMatrix();
    }

    function told(sentence, [side, i]) {
      const weights = side === "target" ? sentence.weights[i] : sentence.weights.map((line) => line[i]);
      const others = side === "target" ? sentence.source : sentence.target;
      const best = d3.range(weights.length).sort((a, b) => weights[b] - weights[a]).slice(0, 3);
      return `${sentence[side][i]}: ${best.map((j) => `${others[j]} ${number(weights[j])}`).join(", ")}`;
    }

    const drawMatrix = fitted(matrix, (width) => {
      const sentence = data.sentences[number_of];
      const now = lit();
      const cells = sentence.weights.flatMap((weights, j) => weights.map((weight, i) => ({
        i, j, weight, words: `${sentence.target[j]} looks at ${sentence.source[i]}: ${number(weight)}`,
      })));
      const on = now ? cells.filter((cell) => (now[0] === "target" ? cell.j : cell.i) === now[1]) : [];
      const size = Math.min(width, 150 + 26 * sentence.source.length);
      const letters = (words) => 12 + 7 * d3.max(words, (text) => Math.min(text.length, 14));
      return Plot.plot({
        width: size, height: letters(sentence.source) + 24 * sentence.target.length,
        marginLeft: letters(sentence.target), marginTop: letters(sentence.source), marginBottom: 4, style: STYLE,
        x: { type: "band", axis: "top", label: null, tickRotate: -90, tickFormat: (i) => sentence.source[i] },
        y: { type: "band", label: null, tickFormat: (j) => sentence.target[j] },
        color: { type: "linear", scheme: "greys", reverse: true, domain: [0, 1] },
        ariaLabel: `Matrix of weights. Columns: ${data.sides[0]}. Rows: ${data.sides[1]}. Black is 0, white is 1.`,
        marks: [
          Plot.cell(cells, { x: "i", y: "j", fill: "weight", inset: 0 }),
          Plot.cell(on, { x: "i", y: "j", stroke: PALETTE[1], strokeWidth: 1.5, inset: 0.5 }),
          Plot.tip(cells, Plot.pointer({ x: "i", y: "j", title: "words" })),
        ],
      });
    });

    function show() {
      const sentence = data.sentences[number_of];
      strip = element("div", { class: "arcs" });
      holder.replaceChildren(element("div", { class: "strip" }, row(sentence, "source"), strip, row(sentence, "target")));
      mark();
    }

    const select = element("select", { "aria-label": "Sentence" }, ...data.sentences.map((each, i) => (
      element("option", { value: i, selected: i === number_of }, each.source.join(" "))
    )));
    select.addEventListener("change", () => {
      number_of = Number(select.value);
      show();
      choose(null);
    });
    const sides = element("p", { class: "source" }, `Above: ${data.sides[0]}. Below: ${data.sides[1]}.`);
    box.append(...(data.sentences.length > 1 ? [select] : []), sides, holder, reading, matrix);
    new ResizeObserver(() => mark()).observe(holder);
    show();
  }

  // A picture that is as bright as the map of the chosen word says.
  function wordMaps(data, box, key) {
    const state = report.state().get(key);
    let chosen = state === null ? -1 : Number(state);
    const canvas = element("canvas", { class: "shade", "aria-hidden": "true" });
    const reading = element("p", { "aria-live": "polite" });
    function show(i) {
      const map = data.maps[i];
      canvas.hidden = !map;
      buttons.forEach((button, j) => button.setAttribute("aria-pressed", String(j === i)));
      if (!map) return (reading.textContent = "Point at a word, or choose one, to see where the model looked.");
      const most = d3.max(map.flat());
      [canvas.width, canvas.height] = [map[0].length, map.length];
      const context = canvas.getContext("2d");
      const pixels = context.createImageData(canvas.width, canvas.height);
      map.flat().forEach((weight, at) => (pixels.data[4 * at + 3] = 255 * 0.85 * (1 - (most > 0 ? weight / most : 0))));
      context.putImageData(pixels, 0, 0);
      const at = d3.greatestIndex(map.flat());
      const place = `row ${1 + Math.floor(at / map[0].length)}, column ${1 + (at % map[0].length)}`;
      reading.textContent = `${data.words[i]}: most weight, ${number(most)}, at ${place} of ${map.length} x ${map[0].length}`;
    }
    const buttons = data.words.map((word, i) => element("button", {
      type: "button", onclick: () => {
        chosen = chosen === i ? -1 : i;
        report.remember({ [key]: chosen < 0 ? "" : chosen });
        show(chosen);
      }, onpointerenter: (event) => event.pointerType === "mouse" && show(i), onpointerleave: () => show(chosen),
      onfocus: () => show(i), onblur: () => show(chosen),
    }, word));
    const { side, pixels } = data.picture;
    const picture = element("canvas", { width: side, height: side, role: "img", "aria-label": "The picture that the model was given" });
    const colours = atob(pixels);
    const content = new ImageData(side, side);
    for (let i = 0; i < side * side; i++) {
      for (let k = 0; k < 4; k++) content.data[4 * i + k] = k < 3 ? colours.charCodeAt(3 * i + k) : 255;
    }
    picture.getContext("2d").putImageData(content, 0, 0);
    box.append(element("div", { class: "words" }, ...buttons), element("div", { class: "overlay" }, picture, canvas), reading);
    show(chosen);
  }

  // A text byte by byte in rows, with the inner steps as bars and the bits of the byte after it as a line.
  function ponderedText(data, box, key) {
    const [LETTER, MARGIN] = [14, 34];
    const most = { steps: Math.max(1, d3.max(data.steps)), bits: Math.max(1, d3.max(data.bits)) };
    const signs = [...data.text];
    let at = report.whole(key, signs.length - 1);
    const chart = element("div");
    const redraw = fitted(chart, (width) => {
      const long = Math.max(10, Math.floor((width - MARGIN - 10) / LETTER));
      const rows = d3.range(0, signs.length, long).map((from) => d3.range(from, Math.min(from + long, signs.length)));
      return element("div", {}, ...rows.map((places) => Plot.plot({
        width, height: 96, marginLeft: MARGIN, marginRight: 10, marginTop: 6, marginBottom: 22, style: STYLE,
        x: { type: "band", domain: d3.range(places[0], places[0] + long), label: null, tickSize: 0, tickFormat: (i) => signs[i] ?? "" },
        y: { domain: [0, most.steps * 1.05], label: null, ticks: Math.min(4, most.steps), tickFormat: "d", grid: true },
        ariaLabel: `Inner steps at each of ${places.length} bytes: ${places.map((i) => signs[i]).join("")}`,
        marks: [
          Plot.barY(places, { x: (i) => i, y: (i) => data.steps[i], fill: PALETTE[0], fillOpacity: (i) => (i === at ? 1 : 0.6) }),
          Plot.line(places, { x: (i) => i, y: (i) => (data.bits[i] / most.bits) * most.steps, stroke: PALETTE[1] }),
          Plot.tip(places, Plot.pointerX({ x: (i) => i, y: (i) => data.steps[i], title: told })),
        ],
      })));
    });
    const told = (i) => `${signs[i]}: ${number(data.steps[i])} inner step${data.steps[i] === 1 ? "" : "s"}; the byte after it costs ${number(data.bits[i])} bits`;
    const reading = element("p", { "aria-live": "polite" }, told(at));
    const choice = slider("Byte", {
      min: 0, max: signs.length - 1, value: at, tell: (i) => `${i + 1}, “${signs[i]}”`,
      change: (to) => {
        at = to;
        report.remember({ [key]: to });
        reading.textContent = told(at);
        redraw();
      },
    });
    box.append(chart, choice.part, reading, numbers(() => table(
      ["byte", "sign", "inner steps", "bits of the next"],
      signs.map((sign, i) => [String(i + 1), sign, number(data.steps[i]), number(data.bits[i])]),
    )));
    redraw();
  }

  // One example by several models: one of them is shown, or all.
  function versions(figure) {
    if (figure.closest(".chapter")) return; // on paper all of them
    const parts = [...figure.querySelectorAll(".version")];
    const names = parts.map((part) => part.dataset.version);
    const key = `version ${figure.id}`;
    const all = "all";
    const show = (name) => parts.forEach((part) => (part.hidden = name !== all && part.dataset.version !== name));
    const given = report.state().get(key);
    const chosen = [...names, all].includes(given) ? given : names[0];
    const radios = [...names, all].map((name) => {
      const input = element("input", { type: "radio", name: key, value: name, checked: name === chosen, onchange: () => {
        report.remember({ [key]: name });
        show(name);
      } });
      return element("label", {}, input, name);
    });
    parts[0].before(element("div", { class: "controls", role: "radiogroup", "aria-label": `Versions of ${figure.firstChild.textContent}` }, ...radios));
    show(chosen);
  }

  report.charts = { STYLE, arcs, choices, trace, fitted, table };

  const KINDS = { curves, sizes: curves, buckets, scatter, trace, maps, alignments, word_maps: wordMaps, pondered_text: ponderedText };
  const data = report.data("charts");
  for (const box of document.querySelectorAll("[data-chart]")) {
    const key = box.dataset.chart;
    KINDS[data[key].type](data[key], box, key);
  }
  for (const figure of document.querySelectorAll("figure:has(.version)")) versions(figure);
})();
