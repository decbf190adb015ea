// What all pages share: the data in the page, the state in the address, and elements whose texts are texts.
"use strict";

const report = {
  // The data of a block `<script type="application/json" id=NAME>`.
  data(name) {
    const block = document.getElementById(name);
    return block ? JSON.parse(block.textContent) : null;
  },

  // An element; children are elements or texts, and no text is ever read as HTML.
  element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else if (value === true) made.setAttribute(key, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  },

  // The state of the page in its address, so that a view can be shared: "#paper=...&step=3".
  state() {
    return new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
  },

  // A whole number of the state from 0 to `most`; where it has none, or none of these, the other one.
  whole(key, most, otherwise = 0) {
    const value = Number(report.state().get(key) ?? otherwise);
    return Number.isInteger(value) && value >= 0 && value <= most ? value : otherwise;
  },

  remember(changes) {
    const state = report.state();
    for (const [key, value] of Object.entries(changes)) {
      if (value === "" || value === null) state.delete(key);
      else state.set(key, value);
    }
    history.replaceState(null, "", `#${state}`);
  },

  // A number as a reader wants it: at most four digits that count.
  number(value) {
    if (value === null || value === undefined || Number.isNaN(value)) return "none";
    if (value !== 0 && (Math.abs(value) >= 1e6 || Math.abs(value) < 1e-3)) return value.toExponential(2);
    return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(4)));
  },

  // A choice among [key, words] pairs; `change` is given the key of the one that is chosen, as text.
  select(label, options, value, change) {
    const made = report.element("select", { "aria-label": label }, ...options.map(([key, words]) => (
      report.element("option", { value: key, selected: String(key) === String(value) }, words)
    )));
    made.addEventListener("change", () => change(made.value));
    return made;
  },

  // A slider with its name and its value beside it; `tell` gives the value's words.
  slider(name, { min, max, step = 1, value, tell = String, change }) {
    const output = report.element("output", { class: "value" }, tell(value));
    const input = report.element("input", { type: "range", min, max, step, value, "aria-label": name });
    input.addEventListener("input", () => {
      output.textContent = tell(Number(input.value));
      input.setAttribute("aria-valuetext", output.textContent);
      change(Number(input.value));
    });
    // A value set by the page may lie between the slider's stops: its own words tell it exactly.
    const set = (to, words = tell(to)) => {
      input.value = to;
      output.textContent = words;
      input.setAttribute("aria-valuetext", words);
    };
    return { part: report.element("label", {}, `${name} `, input, output), input, set };
  },
};
