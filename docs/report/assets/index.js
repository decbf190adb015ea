// The filter of the first page; what is chosen stands in the address.
"use strict";

(() => {
  const form = document.getElementById("filter");
  const rows = [...document.querySelectorAll("#claims tbody tr")];
  const fields = ["paper", "verdict", "words"];

  function show() {
    const words = form.words.value.trim().toLowerCase();
    let count = 0;
    for (const row of rows) {
      const paper = row.querySelector("[data-paper]").dataset.paper;
      const verdict = row.querySelector("[data-verdict]").dataset.verdict;
      const fits = (!form.paper.value || paper === form.paper.value)
        && (!form.verdict.value || verdict === form.verdict.value)
        && row.textContent.toLowerCase().includes(words);
      row.hidden = !fits;
      count += fits;
    }
    form.count.value = `${count} of ${rows.length} claims`;
  }

  function change() {
    report.remember(Object.fromEntries(fields.map((name) => [name, form[name].value])));
    show();
  }

  function restore() {
    const state = report.state();
    for (const name of fields) form[name].value = state.get(name) || "";
    show();
  }

  form.hidden = false;
  form.addEventListener("input", change);
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", restore);
  restore();
})();
