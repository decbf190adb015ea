"""Sweeps as the report shows them: charts of their points, the best ones, what mattered, and where it came from."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from augrnn.lab.claims_tables import origin
from augrnn.lab.committed_sweep import PICTURES as DRAWN
from augrnn.lab.committed_sweep import SweepRecord, importance_told, labels, value_columns
from augrnn.lab.sweep_tables import BEST, best_points, told
from augrnn.option_names import shortened
from augrnn.report.charts import Chart, plain
from augrnn.report.contents import ShownSweep
from augrnn.report.frame import LIBRARY, page, table, verdicts
from augrnn.report.html import Html, data_block, element

PICTURES = "pictures"
"""The report's folder of drawn exhibits and sweeps."""

OTHERS = "sweeps.html"
"""The page of the user's own sweeps that belong to no experiment."""

MOST = 12
"""Different values of an option up to which it is one of a list; and lines that a chart may have."""


def sweep_charts(record: SweepRecord) -> dict[str, Chart]:
    """The charts of a sweep, by their keys on its page."""
    found = _by_value(record) or dict(_clouds(record))
    if curves := _curves(record):
        found["curves"] = curves
    return {f"sweeps/{record.sweep}/{name}": each for name, each in found.items()}


def _by_value(record: SweepRecord) -> dict[str, Chart]:
    """The metric by the values of the option that has the most, with a line for each combination of the others.

    Nothing where values or combinations are many.
    """
    order = {name: _ordered(record, name) for name in record.varied}
    if not order or max(map(len, order.values())) > MOST:
        return {}
    across = max(order, key=lambda name: len(order[name]))
    names = [across, *(name for name in order if name != across)]
    short, columns = shortened(record.varied), value_columns(record)
    places = dict(zip(zip(*(columns[name] for name in names), strict=True), record.rows, strict=True))
    lines = sorted(
        {place[1:] for place in places}, key=lambda line: _numbers(line, [order[name] for name in names[1:]])
    )
    if len(lines) > MOST:
        return {}
    seeds = sorted({seed for row in record.rows for seed in row.found})
    series = []
    for line in lines:
        rows = [places.get((text, *line)) for text in order[across]]
        named = ", ".join(f"{short[name]} {text}" for name, text in zip(names[1:], line, strict=True))
        runs = [[row and plain(row.found.get(seed)) for row in rows] for seed in seeds]
        median = [row and plain(row.median) for row in rows]
        series.append({"name": named or record.metric, "runs": runs, "median": median})
    words = [
        f"{record.metric} at the end of training, by {short[across]}. Points: single seeds. Thick line: their median.",
        "The values below stand at equal distances.",
    ]
    if failed := sum(row.failed for row in record.rows):
        words.append(f"Points with a failed seed, which is not drawn and is the worst in their median: {failed}.")
    found = {
        "type": "sizes",
        "caption": " ".join(words),
        "x": short[across],
        "y": record.metric,
        "sizes": order[across],
        "even": True,
        "small": None,
        "series": series,
        "lines": [],
    }
    return {"points": found}


def _numbers(line: Sequence[str], orders: Sequence[Sequence[str]]) -> list[int]:
    """Where texts stand in their orders."""
    return [order.index(text) for text, order in zip(line, orders, strict=True)]


def _ordered(record: SweepRecord, name: str) -> list[str]:
    """The texts of an option's values that points have: of numbers by size, of others as the file lists them."""
    values = dict(zip(value_columns(record)[name], (row.values[name] for row in record.rows), strict=True))
    if all(map(_number, values.values())):
        return sorted(values, key=lambda text: values[text])
    listed = list(record.parameters[name].get("values") or ())
    return sorted(values, key=lambda text: listed.index(values[text]) if values[text] in listed else -1)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _clouds(record: SweepRecord) -> Iterator[tuple[str, Chart]]:
    """The metric by each option that has numbers, a point for each run."""
    groups = {
        "trained whole": [row for row in record.rows if not row.pruned],
        "ended early": [row for row in record.rows if row.pruned],
    }
    for name, short in shortened(record.varied).items():
        values = [row.values[name] for row in record.rows]
        if not all(map(_number, values)):
            continue
        series = [
            {"name": each, "runs": [[plain(row.values[name]), plain(y)] for row in rows for y in row.found.values()]}
            for each, rows in groups.items()
            if rows
        ]
        yield (
            short,
            {
                "type": "scatter",
                "caption": f"{record.metric} at the end of training, by {short}. Point: one run.",
                "x": short,
                "y": record.metric,
                "log": "log" in record.parameters[name].get("distribution", "") and min(values) > 0,
                "series": series,
                "bars": [],
                "small": None,
            },
        )


def _curves(record: SweepRecord) -> Chart | None:
    """The metric over training, of each of the best points the median over its seeds."""
    found = [(text, row.curve) for text, row in zip(labels(record), record.rows, strict=True) if row.curve][:MOST]
    if not found:
        return None
    counted = all(value is not None for _, curve in found for value in curve["sequences"])
    x = "sequences" if counted else "updates"
    series = []
    for text, curve in found:
        points = [[plain(at), plain(value)] for at, value in zip(curve[x], curve["values"], strict=True)]
        series.append({"name": text, "runs": [points], "median": points})
    which = f"the best {len(found)} of {len(record.rows)} points" if len(found) < len(record.rows) else "every point"
    return {
        "type": "curves",
        "caption": f"{record.metric}, by training {x}. Line: the median over the seeds of a point; shown is {which}.",
        "x": f"training {x}",
        "y": record.metric,
        "series": series,
        "bars": [],
        "marks": [],
        "floor": None,
    }


def sweep_pictures(sweep: ShownSweep, owner: str) -> dict[Path, str]:
    """Where the report has the drawn pictures of a sweep, by their files; one of a single option has its charts alone.

    Args:
      sweep: the sweep.
      owner: the experiment that it belongs to, "" for none.
    """
    if len(sweep.record.varied) < 2:
        return {}
    parts = [PICTURES, *([owner] if owner else []), "sweeps", sweep.record.sweep]
    return {path: "/".join([*parts, name]) for name in DRAWN if (path := sweep.pictures / name).is_file()}


def sweep_section(sweep: ShownSweep, pictures: dict[Path, str], up: str) -> list[Html]:
    """The part of a page that shows a sweep.

    Args:
      sweep: the sweep.
      pictures: where the report has its pictures, by their files.
      up: the way from the page's folder to the report's.
    """
    record = sweep.record
    note = [" ", element("span", "your own runs", class_="note")] if sweep.own else []
    found = [
        element("h2", f"Sweep: {record.sweep}", *note, id=f"sweep-{record.sweep}"),
        element("p", *([element("code", sweep.file), ", "] if sweep.file else []), told(record)),
    ]
    for key, chart in sweep_charts(record).items():
        name = key.rpartition("/")[2]
        title = element("h3", name.replace("_", " ").capitalize())
        parts = [element("div", class_="chart", data_chart=key), element("figcaption", chart["caption"])]
        found.append(element("figure", title, *parts, id=key.replace("/", "-")))
    for path, place in pictures.items():
        words = (
            f"{path.stem.replace('_', ' ').capitalize()}: all points of {record.sweep}; the table has the best ones."
        )
        found.append(element("figure", element("img", src=quote(f"{up}{place}"), alt=words)))
    if sweep.rows:
        found.append(verdicts(sweep.rows, f"Every claim that {record.sweep} judges"))
    head, rows = best_points(record)
    which = f"The best {BEST} of {len(record.rows)} points" if len(record.rows) > BEST else "Every point"
    found.append(table(head, rows, which))
    if lines := importance_told(record.rows, record.importance):
        found += [
            element("p", lines[0][:1].upper() + lines[0][1:]),
            element("ul", *(element("li", each) for each in lines[1:])),
        ]
    found.append(element("p", origin(record), class_="source"))
    commands = [f"augrnn sweep {each} {sweep.file}" for each in ("run", "results") if sweep.file]
    return [*found, *(element("pre", element("code", command)) for command in commands)]


def sweeps_page(others: Sequence[ShownSweep]) -> str:
    """The page of the user's own sweeps that belong to no experiment."""
    body = [element("h1", "Sweeps of your own")]
    for each in others:
        body += sweep_section(each, sweep_pictures(each, ""), "")
    charts = {key: chart for each in others for key, chart in sweep_charts(each.record).items()}
    return page("Sweeps of your own", "", body, [*LIBRARY, "report.js", "charts.js"], [data_block("charts", charts)])


def sweep_link(sweep: ShownSweep) -> Html:
    """An entry of the first page's list of the user's own sweeps."""
    record = sweep.record
    link = element("a", record.sweep, href=f"{OTHERS}#{quote(f'sweep-{record.sweep}')}")
    return element("li", link, f": {told(record)}")
