"""The distilled record: what is committed of all runs of a scale, `experiments/<name>/results/<scale>.json`.

It is the summaries of the runs, thinned, with the verdicts. Verdicts are always computed from the distilled record, so
that anyone can compute them again from it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augrnn.errors import UserError
from augrnn.files import encoded, jsonable, read_json
from augrnn.lab.claims import Verdict
from augrnn.lab.records import Results, RunRecord, read_run, rounded, thinned

if TYPE_CHECKING:
    from augrnn.lab.experiment import Experiment, Run

FORMAT = 1
"""The layout of the distilled record; raised when it changes."""

LIMIT = 300_000
"""Bytes that a distilled record may have: it is committed."""

POINTS = 100
"""Points that a curve keeps, fewer where the record would otherwise be over its limit."""


def distill(experiment: "Experiment", plan: Sequence["Run"], runs: Path) -> dict[str, Any]:
    """The distilled record of the runs of a plan that have ended, verdicts included.

    Raises:
      UserError: the record is over its limit even with two points a curve.
    """
    ended = {run: record for run in plan if (record := read_run(run, runs)) is not None}
    planned: dict[str, int] = {}
    for run in plan:
        planned[run.variant] = planned.get(run.variant, 0) + 1
    content = {
        "format": FORMAT,
        "experiment": experiment.name,
        "scale": plan[0].scale,
        "variants": {name: _variant(experiment, plan, name, seeds) for name, seeds in planned.items()},
        "provenance": provenance_of([run.folder(runs) for run in ended]),
    }
    points = POINTS
    while points >= 2:
        content["runs"] = [_distilled(record, experiment.curves, points) for record in sorted(ended.values(), key=_key)]
        content["verdicts"] = verdicts(experiment, results_of(content))
        if len(encoded(content, compact=True)) < LIMIT:
            return jsonable(content)
        points //= 2
    raise UserError(f"{experiment.name}: measures too large to commit; put them into exhibits instead")


def _key(record: RunRecord) -> tuple[str, int]:
    return record.variant, record.seed


def _variant(experiment: "Experiment", plan: Sequence["Run"], name: str, seeds: int) -> dict[str, Any]:
    first = next(run for run in plan if run.variant == name)
    return {
        "config": experiment.variants[name].config,
        "overrides": list(first.argv[2:-1]),
        "seeds": seeds,
        "fingerprint": first.fingerprint,
    }


def _distilled(record: RunRecord, names: Sequence[str], points: int) -> dict[str, Any]:
    curves = {name: thinned(record.curves[name], points) for name in names if name in record.curves}
    content = {**asdict(record), "curves": curves, "measures": _all_rounded(jsonable(record.measures))}
    return {**content, "seconds": None if record.seconds is None else round(record.seconds)}


def results_of(content: Mapping[str, Any]) -> Results:
    """The results in a distilled record."""
    planned = {name: variant["seeds"] for name, variant in content["variants"].items()}
    runs = {(run["variant"], run["seed"]): RunRecord(**run) for run in jsonable(content["runs"])}
    return Results(content["experiment"], content["scale"], planned, runs)


def verdicts(experiment: "Experiment", results: Results) -> list[dict[str, Any]]:
    """The verdict on each claim, as the record keeps it."""
    return [verdict_content(claim.name, claim.judge(results)) for claim in experiment.claims]


def verdict_content(claim: str, verdict: Verdict) -> dict[str, Any]:
    """A verdict as plain JSON values."""
    value = rounded(verdict.value)
    interval = None if verdict.interval is None else [rounded(end) for end in verdict.interval]
    return {
        "claim": claim,
        "verdict": verdict.state,
        "value": value,
        "interval": interval,
        "seeds": verdict.seeds,
        "text": verdict.text,
    }


def provenance_of(folders: Sequence[Path]) -> dict[str, list[Any]]:
    """The distinct commits, versions, machines and numbers of threads of several runs."""
    records = [read_json(folder / "provenance.json") for folder in folders]
    legs = [leg for record in records for leg in record["legs"]]
    keys = ("commit", "python", "versions", "hardware", "threads")
    return {key: _distinct([leg[key] for leg in legs]) for key in keys}


def _distinct(values: Sequence[Any]) -> list[Any]:
    texts = {json.dumps(value, sort_keys=True) for value in values}
    return [json.loads(text) for text in sorted(texts)]


def results_path(experiments: Path, name: str, scale: str) -> Path:
    """Where the distilled record of a scale is committed."""
    return experiments / name / "results" / f"{scale}.json"


def read_record(experiments: Path, name: str, scale: str) -> dict[str, Any] | None:
    """The committed record of a scale; None where there is none."""
    path = results_path(experiments, name, scale)
    if not path.exists():
        return None
    content = read_json(path)
    if content.get("format") != FORMAT:
        raise UserError(f"{path} has format {content.get('format')}, this version reads {FORMAT}")
    return content


def _all_rounded(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {key: _all_rounded(value) for key, value in content.items()}
    return [_all_rounded(value) for value in content] if isinstance(content, list) else rounded(content)
