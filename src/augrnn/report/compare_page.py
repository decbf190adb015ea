"""The page of a comparison: two records or runs side by side."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from augrnn.exhibits.curves import LearningCurves
from augrnn.lab import statistics
from augrnn.lab.claims_tables import Judged, ended
from augrnn.lab.results import RunRecord
from augrnn.lab.statistics import Interval
from augrnn.report.charts import Chart, chart
from augrnn.report.comparison import Curves, Measured, Pair, Row, curves, measures, pairs, settings
from augrnn.report.frame import LIBRARY, duration, lines, page, seeds, table, worded
from augrnn.report.html import Html, data_block, element, together
from augrnn.report.sides import Model, Side

FOLDER = "compare"
"""The report's folder of comparisons."""

LONGEST = 60
"""Bytes of a side's name in that of the file, which may have 255 on most disks."""

UNSET = element("span", "not set", class_="note")
NONE = element("span", "none", class_="note")


class Comparison(NamedTuple):
    """A page before it is one.

    Attributes:
      title: of the page.
      path: of the page in the report.
      body: what is on it.
      charts: the data of its charts, by name.
    """

    title: str
    path: str
    body: list[Html]
    charts: dict[str, Chart]

    def page(self, alone: bool) -> str:
        """The page; `alone` where its folder has no report."""
        data = [data_block("charts", self.charts)]
        return page(self.title, "../", self.body, [*LIBRARY, "report.js", "charts.js"], data, alone)


def comparison(one: Side, other: Side) -> Comparison:
    """Two sides, side by side."""
    every = pairs(one, other)
    found, single = curves(every)
    charts = {each.metric: _chart(each, every) for each in found}
    title = f"{one.name} and {other.name}"
    body = [
        element("h1", title),
        element("dl", *(_side(letter, each) for letter, each in zip("AB", (one, other), strict=True))),
        *_settings(every),
        element("h2", "Curves"),
        *(_figure(name, each) for name, each in charts.items()),
        *([] if charts else [element("p", "They have kept no curve of the same metric.")]),
        *([element("p", f"Only one has kept: {', '.join(single)}.", class_="source")] if single else []),
        *_measures(every),
        *_verdicts(one, other),
        *_costs(every, one, other),
    ]
    return Comparison(title, f"{FOLDER}/{_file_name(one)}--{_file_name(other)}.html", body, charts)


def _file_name(side: Side) -> str:
    """A side in the name of the page's file: what its name ends in, or the folder that it stands for ("..")."""
    plain = (re.sub(r"[^\w.@-]+", "-", name).strip(".-") for name in (side.name, side.place[0].name))
    return next(filter(None, plain), "side").encode()[-LONGEST:].decode(errors="ignore").strip(".-")


def _side(letter: str, side: Side) -> Html:
    return together(
        [element("dt", letter), element("dd", side.name, element("span", side.about, class_="line source"))]
    )


# Settings ------------------------------------------------------------------------------------------------------------


def _settings(every: Sequence[Pair]) -> list[Html]:
    compared = {pair.name: settings(pair.one, pair.other) for pair in every if pair.one and pair.other}
    found = [element("h2", "Settings that differ")]
    if not compared:
        return [*found, element("p", "No model of one has the name of a model of the other.")]
    names: dict[tuple[str, str, str], list[str]] = {}
    for name, each in compared.items():
        for row in each.differ:
            names.setdefault(row, []).append(name)
    head = ("setting", "models", "A", "B") if len(compared) > 1 else ("setting", "A", "B")
    rows = []
    for (option, first, second), whose in names.items():
        models = ["all" if len(whose) == len(compared) else ", ".join(whose)] if len(compared) > 1 else []
        rows.append([element("code", option), *models, _set(first), _set(second)])
    found.append(table(head, rows) if rows else element("p", "None."))
    counts = [each.equal for each in compared.values()]
    words = [f"Equal: {_range(counts)} settings{' of each model' * (len(compared) > 1)}.", *_unknown(every)]
    return [*found, element("p", " ".join(words), class_="source")]


def _unknown(every: Sequence[Pair]) -> Iterator[str]:
    """What is not known of the settings, in sentences."""
    both = [(pair.one, pair.other) for pair in every if pair.one and pair.other]
    for letter, models in zip("AB", zip(*both, strict=True), strict=True):
        if any(model.settings.kind == "changed" for model in models):
            yield f"Of {letter} only what was changed of its configs is known: these are others by now, or not here."
    for letter, resolved in ("A", 1), ("B", 0):
        if any(pair[resolved].settings.kind == "resolved" != pair[1 - resolved].settings.kind for pair in both):
            yield f"What {letter} does not name is left to defaults, and not compared."


def _set(value: str) -> Html:
    return element("code", value) if value else UNSET


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"


# Curves --------------------------------------------------------------------------------------------------------------


def _chart(found: Curves, every: Sequence[Pair]) -> Chart:
    """Curves of both in one chart: a colour for each model, whole lines for A and broken ones for B."""
    alone = len(every) == 1
    named, looks = {}, {}
    for number, (pair, both) in enumerate(zip(every, found.runs, strict=True)):
        for side, (letter, model, runs) in enumerate(zip("AB", (pair.one, pair.other), both, strict=True)):
            if model and runs:
                name = f"{letter}: {model.name}"
                named[name] = runs
                looks[name] = {"colour": side if alone else number, "dash": side}
    made = chart(LearningCurves(named, found.metric))
    assert made is not None
    series = [{**each, **looks[each["name"]]} for each in made["series"]]
    amounts = f"training {found.x}"
    caption = made["caption"].replace(f", by {made['x']}.", f", by {amounts}.", 1)
    return {**made, "x": amounts, "caption": f"{caption} Whole lines: A. Broken lines: B.", "series": series}


def _figure(name: str, each: Chart) -> Html:
    box = element("div", class_="chart", data_chart=name)
    return element("figure", element("h3", name), box, element("figcaption", each["caption"]))


# Measures ------------------------------------------------------------------------------------------------------------


def _measures(every: Sequence[Pair]) -> list[Html]:
    words = (
        "Medians over seeds with their 95 % bootstrap intervals, as claims have them; shares of what is true or false "
        "with Wilson's. B - A is the difference of the two, and its interval where both have several seeds, each set "
        "resampled by itself. An interval in bold leaves out 0; of twenty such intervals one does so by chance, or "
        "more where seeds are few. Runs that failed have no measures."
    )
    found = [element("h2", "Measures"), element("p", words, class_="source")]
    others: dict[str, None] = {}
    for pair in every:
        rows, no_numbers = measures(pair)
        others |= dict.fromkeys(no_numbers)
        found.append(element("h3", pair.name))
        found.append(table(("measure", "A", "B", "B - A"), [_row(row) for row in rows]) if rows else _nothing())
    if others:
        found.append(
            element("p", f"Not compared, because they are lists or texts: {', '.join(others)}.", class_="source")
        )
    return found


def _nothing() -> Html:
    return element("p", "No run of it has been measured.")


def _row(row: Row) -> list[str]:
    return [row.name, _measured(row.one), _measured(row.other), _difference(row)]


def _measured(found: Measured | None) -> Html:
    if found is None:
        return NONE
    return together([f"{number(found.value)}{_ends(found.interval)}, {seeds(len(found.values))}"])


def _difference(row: Row) -> Html:
    if row.difference is None:
        return element("span", f"only {'A' if row.one else 'B'} has it", class_="note")
    ends = row.interval
    text = f"{number(row.difference)}{_ends(ends)}"
    clear = ends is not None and ((ends[0] or 0.0) > 0 or (ends[1] or 0.0) < 0)
    return element("strong", text) if clear else together([text])


def _ends(interval: Interval | None) -> str:
    return (
        "" if interval is None else f" [{', '.join('unbounded' if end is None else number(end) for end in interval)}]"
    )


def number(value: float) -> str:
    """A number to four digits that count."""
    if value and not 1e-3 <= abs(value) < 1e6:
        return f"{value:.2e}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


# Verdicts, and what it took ------------------------------------------------------------------------------------------


def _verdicts(one: Side, other: Side) -> list[Html]:
    if not (one.rows and other.rows):
        return []
    first, second = ({(row.experiment.name, row.claim.name): row for row in each.rows} for each in (one, other))
    rows = []
    for key in {**first, **second}:
        row = first.get(key) or second[key]
        sentence = element("span", row.claim.sentence, class_="sentence")
        source = element("span", f"{': '.join(key)}, {row.claim.source}", class_="source")
        rows.append([together([sentence, source]), _verdict(first.get(key)), _verdict(second.get(key))])
    return [element("h2", "Verdicts"), table(("claim", "A", "B"), rows)]


def _verdict(row: Judged | None) -> Html:
    if row is None:
        return element("span", "no claim of its experiment", class_="note")
    needed = row.claim.bar(row.scale)
    bar = element("span", f"needed: {needed}", class_="line note") if needed else ""
    return together([worded(row.verdict.state, list(filter(None, [row.verdict.mark]))), lines(row.verdict.text), bar])


def _costs(every: Sequence[Pair], one: Side, other: Side) -> list[Html]:
    rows = [
        [f"{letter}: {model.name}", ended(model.runs, model.planned), *_amounts(model)]
        for pair in every
        for letter, model in zip("AB", (pair.one, pair.other), strict=True)
        if model
    ]
    head = ("model", "runs", "parameters", "updates", "sequences", "seconds a run")
    origins = [[name, *(_origin(side, key) for side in (one, other))] for name, key in ORIGINS.items()]
    total = ["wall-clock time added up", *(_time(side) for side in (one, other))]
    return [
        element("h2", "What they took"),
        table(head, rows, "What was trained: medians over runs"),
        table(("", "A", "B"), [total, *origins], "Where the numbers come from"),
    ]


ORIGINS = {"hardware": "hardware", "threads a run": "threads", "commit": "commit", "Python": "python", "torch": "torch"}
"""What is told of a record's provenance, and under which name it has it."""


def _amounts(model: Model) -> list[str]:
    return [_middle(model.runs, name) for name in ("parameters", "updates", "sequences", "seconds")]


def _middle(runs: Sequence[RunRecord], name: str) -> str:
    present = [value for run in runs if (value := getattr(run, name)) is not None]
    return f"{statistics.median(present):,.0f}" if present else ""


def _time(side: Side) -> str:
    known = [run.seconds for model in side.models.values() for run in model.runs if run.seconds is not None]
    return duration(sum(known)) if known else "not kept"


def _origin(side: Side, key: str) -> str:
    if side.provenance is None:
        return "not kept"
    if key == "torch":
        found = {each.get(key) for each in side.provenance.get("versions", []) if isinstance(each, dict)}
    else:
        found = {str(each) for each in side.provenance.get(key, []) if each is not None}
    return ", ".join(sorted(str(each) for each in found if each))
