"""The page of an experiment: its claims, what there is to see, what it took, and its card."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from augrnn.lab.claims_tables import ended, judged
from augrnn.lab.committed_record import Record
from augrnn.report.charts import Chart, chart
from augrnn.report.contents import FULL, ClaimEntry, Shown, cost
from augrnn.report.explore import figures_of
from augrnn.report.frame import LIBRARY, duration, lines, page, table, verdict, verdicts
from augrnn.report.html import Html, data_block, element, together
from augrnn.report.sweeps import PICTURES, sweep_charts, sweep_pictures, sweep_section

VERSION = "@"
"""Stands before the model in the names of exhibits that show one example by several models: "text@tau-0.06"."""


def experiment_page(shown: Shown) -> str:
    """The page."""
    charts = charts_of(shown)
    data = [data_block("charts", charts)]
    return page(
        shown.experiment.name, "../", experiment_body(shown, charts), [*LIBRARY, "report.js", "charts.js"], data
    )


def charts_of(shown: Shown) -> dict[str, Chart]:
    """The charts of all its exhibits that have one, "<scale>/<name>", and of its sweeps."""
    found = {
        f"{scale}/{name}": drawn
        for scale, exhibits in shown.exhibits.items()
        for name, exhibit in exhibits.items()
        if (drawn := chart(exhibit)) is not None
    }
    return found | {key: each for sweep in shown.sweeps for key, each in sweep_charts(sweep.record).items()}


def experiment_body(shown: Shown, charts: dict[str, Chart]) -> list[Html]:
    """What is on it."""
    experiment = shown.experiment
    body = [
        element("h1", experiment.title),
        element("p", experiment.paper, class_="source"),
        *(element("p", "Try it: ", each.link("../"), class_="screen") for each in figures_of([experiment.name])),
        element("h2", "Claims"),
        element("div", *(_claim(entry) for entry in shown.claims), class_="claims"),
    ]
    for scale in reversed(shown.records):
        body += _scale(shown, scale, charts)
    for each in shown.sweeps:
        body += sweep_section(each, sweep_pictures(each, experiment.name), "../")
    body += _reproduction(shown)
    if shown.card:
        body += [element("h2", "The card"), element("div", shown.card, class_="card")]
    return body


def _claim(entry: ClaimEntry) -> Html:
    facts = [
        ("here", lines(entry.here)),
        ("needed", lines(entry.needed)),
        ("in the paper", together([entry.paper])),
        ("best public", together([entry.public])),
        ("scale", together([entry.scale])),
    ]
    pairs = [together([element("dt", name), element("dd", value)]) for name, value in facts if value]
    quoted = element("blockquote", element("p", entry.sentence), element("footer", entry.source))
    return element(
        "section", quoted, element("p", verdict(entry)), element("dl", *pairs), id=entry.claim, class_="claim"
    )


def _scale(shown: Shown, scale: str, charts: dict[str, Chart]) -> list[Html]:
    record = shown.records[scale]
    found = [element("h2", f"Scale: {scale}", id=f"scale-{scale}")]
    groups: dict[str, list[str]] = {}
    for name in shown.exhibits[scale]:
        groups.setdefault(name.partition(VERSION)[0], []).append(name)
    found += [_figure(shown, scale, title, names, charts) for title, names in groups.items()]
    found.append(verdicts(judged(shown.experiment, record, scale), f"Every claim at scale {scale}"))
    found.append(_variants(record))
    found.append(element("details", element("summary", "Every run"), _runs(record)))
    found.append(_origin(record))
    return found


def picture(shown: Shown, scale: str, name: str) -> str:
    """The report's copy of a drawn exhibit."""
    return f"{PICTURES}/{shown.experiment.name}/{scale}/{name}.png"


def _figure(shown: Shown, scale: str, title: str, names: Sequence[str], charts: dict[str, Chart]) -> Html:
    """A figure of one exhibit, or of the versions of one."""
    parts: list[Html] = []
    for name in names:
        drawn = _drawn(shown, scale, name, charts)
        if len(names) > 1:
            version = _words(name.partition(VERSION)[2])
            drawn = [element("div", element("h4", version), *drawn, class_="version", data_version=version)]
        parts += drawn
    return element("figure", element("h3", _words(title).capitalize()), *parts, id=f"{scale}-{title}")


def _words(name: str) -> str:
    return name.replace("_", " ").replace("-", " ")


def _drawn(shown: Shown, scale: str, name: str, charts: dict[str, Chart]) -> list[Html]:
    key = f"{scale}/{name}"
    if key in charts:
        return [element("div", class_="chart", data_chart=key), element("figcaption", charts[key]["caption"])]
    alt = shown.exhibits[scale][name].caption  # its caption is part of the picture
    return [element("img", src=quote(f"../{picture(shown, scale, name)}"), alt=alt)]


def _variants(record: Record) -> Html:
    results = record.results
    rows = []
    for variant, planned in results.planned.items():
        runs = results[variant]
        changed = record.variants[variant]["settings"]
        rows.append(
            [
                variant,
                _made_of(record.variants[variant]),
                element("code", json.dumps(changed)) if changed else "",
                ended(runs, planned),
                duration(sum(run.seconds or 0 for run in runs)),
            ]
        )
    return table(("variant", "config", "changed of it", "runs", "time"), rows, "What was trained")


def _made_of(variant: Mapping[str, Any]) -> Html:
    """What a variant is: its config, or the variant of whose models it is the ensemble."""
    if "ensemble_of" in variant:
        return together([f"ensemble of {variant['ensemble_of']}"])
    return element("code", variant["config"])


def _runs(record: Record) -> Html:
    rows = [
        [
            run.variant,
            str(run.seed),
            run.status + (f": {run.error}" if run.error else ""),
            *(_count(value) for value in (run.parameters, run.sequences, run.updates)),
            "" if run.seconds is None else f"{run.seconds:,.0f}",
        ]
        for run in record.runs
    ]
    return table(("variant", "seed", "outcome", "parameters", "sequences", "updates", "seconds"), rows)


def _count(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _origin(record: Record) -> Html:
    found = cost(record)
    parts = [
        f"{found.runs} runs, {duration(found.seconds)} of wall-clock time added up, on {', '.join(found.hardware)}.",
        f"Commits: {', '.join(record.origins('commit'))}. Python {', '.join(record.origins('python'))}.",
    ]
    return element("p", " ".join(parts), class_="source")


def _reproduction(shown: Shown) -> list[Html]:
    experiment = shown.experiment
    scales: Sequence[str] = list(shown.records) or list(experiment.scales)[:1]
    commands = [f"augrnn reproduce {experiment.name} --scale {scale}" for scale in scales]
    found = [
        element("h2", "Reproduce it", id="reproduce"),
        *(element("pre", element("code", command)) for command in commands),
    ]
    left = [entry for entry in shown.claims if FULL in _scales_of(shown, entry) and entry.scale != FULL]
    if FULL in experiment.scales and left:
        hours = duration(60 * experiment.scales[FULL].minutes)
        found += [
            element("h3", "What the paper's scale would tell"),
            element("p", f"The paper's sizes and budgets take about {hours} of a GPU. They would judge:"),
            element("ul", *(element("li", element("a", entry.claim, href=f"#{quote(entry.claim)}")) for entry in left)),
            element("pre", element("code", f"augrnn reproduce {experiment.name} --scale {FULL} --launcher slurm")),
        ]
    return found


def _scales_of(shown: Shown, entry: ClaimEntry) -> set[str]:
    claim = next(each for each in shown.experiment.claims if each.name == entry.claim)
    return set(claim.rules)
