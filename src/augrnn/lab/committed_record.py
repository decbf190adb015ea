"""The committed record: what is committed of all runs of a scale, `experiments/<name>/results/<scale>.json`.

It is the summaries of the runs, thinned, with the verdicts. Verdicts are always computed from the committed record, so
that anyone can compute them again from it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from augrnn.errors import UserError
from augrnn.files import encoded, jsonable, read_json, replacing
from augrnn.lab.claims import Verdict
from augrnn.lab.experiment import Experiment
from augrnn.lab.plan import Run
from augrnn.lab.records import read_run
from augrnn.lab.results import Results, RunRecord, rounded, thinned
from augrnn.lab.settings import recorded
from augrnn.run_folder import PROVENANCE

FORMAT = 2
"""The layout of the committed record; raised when it changes."""

LIMIT = 400_000
"""Bytes that a committed record may have: it is committed."""

POINTS = 100
"""Points that a curve keeps, fewer where the record would otherwise be over its limit."""


class Traced:
    """What says where it came from."""

    provenance: Mapping[str, Any]

    def origins(self, key: str) -> list[str]:
        """The known values of a part of the provenance ("commit", "hardware", "python", "threads") as texts."""
        return [str(value) for value in self.provenance.get(key, []) if value is not None]


@dataclass(frozen=True)
class Record(Traced):
    """What is committed of all runs of a scale.

    Attributes:
      experiment, scale: whose runs.
      variants: for each variant its "config", the "settings" that were changed of it, "seeds", and "fingerprint"; for
        an ensemble also the variant that it is an "ensemble_of".
      provenance: the distinct commits, versions, machines and numbers of threads of these runs; also of runs that were
        on record and are trained anew, where it was extended.
      runs: those that have ended, their numbers rounded and their curves thinned.
      verdicts: on each claim, computed from these runs.
    """

    experiment: str
    scale: str
    variants: Mapping[str, Mapping[str, Any]]
    provenance: Mapping[str, Any]
    runs: tuple[RunRecord, ...]
    verdicts: Mapping[str, Verdict]

    @property
    def results(self) -> Results:
        """The runs, as claims see them."""
        planned = {name: variant["seeds"] for name, variant in self.variants.items()}
        return Results(self.experiment, self.scale, planned, {(run.variant, run.seed): run for run in self.runs})

    def encoded(self) -> str:
        """The file's content."""
        content = {
            "format": FORMAT,
            **{name: value for name, value in vars(self).items() if name != "verdicts"},
            "runs": [asdict(run) for run in self.runs],
            "verdicts": [verdict.content(claim) for claim, verdict in self.verdicts.items()],
        }
        return encoded(content, lines="runs")

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        with replacing(path) as file:
            file.write(self.encoded().encode())


def require_extendable(plan: Sequence[Run], record: Record) -> None:
    """Refuse a record that a plan has not grown from; a UserError."""
    first = {run.variant: run for run in reversed(plan)}
    changed = [
        name
        for name, kept in record.variants.items()
        if not (name in first and first[name].members and "ensemble_of" in kept)  # these are made anew
        and (name not in first or first[name].fingerprint != kept["fingerprint"])
    ]
    if changed:
        raise UserError(
            f"--extend keeps what is on record, but the settings of {', '.join(changed)} have changed since"
        )
    planned = {(run.variant, run.seed) for run in plan}
    lost = [f"{run.variant} seed {run.seed}" for run in record.runs if (run.variant, run.seed) not in planned]
    if lost:
        raise UserError(f"--extend would lose runs that are on record ({lost[0]}): give --seeds as it was given then")


def on_record(plan: Sequence[Run], record: Record, runs: Path) -> dict[Run, RunRecord]:
    """The runs of a plan that a record has, and of which there is nothing in the runs folder.

    An ensemble is among them where it is on record as it is planned, and all its members are.
    """
    found = {(run.variant, run.seed): run for run in record.runs}
    there = [run for run in plan if (run.variant, run.seed) in found and run.state(runs) == "new"]
    kept = {
        run: found[run.variant, run.seed]
        for run in there
        if not run.members or record.variants[run.variant]["fingerprint"] == run.fingerprint
    }
    return {run: record for run, record in kept.items() if all(member in kept for member in run.members)}


def distill(experiment: Experiment, plan: Sequence[Run], runs: Path, before: Record | None = None) -> Record:
    """The record of the runs of a plan that have ended, verdicts included.

    Args:
      experiment: whose plan.
      plan: the runs.
      runs: the folder of all run records.
      before: a record to take runs from that are not there; see `on_record`.

    Raises:
      UserError: the record is over its limit even with two points a curve.
    """
    own = {run: found for run in plan if (found := read_run(run, runs)) is not None}
    others = on_record(plan, before, runs) if before else {}
    ended = own | others
    variants = {
        name: {
            "config": experiment.variants[name].config,
            "settings": recorded(experiment.changes(plan[0].scale, name)),
            "seeds": len(its),
            "fingerprint": its[0].fingerprint,
            **({"ensemble_of": member} if (member := experiment.variants[name].ensemble_of) else {}),
        }
        for name in dict.fromkeys(run.variant for run in plan)
        if (its := [run for run in plan if run.variant == name])
    }
    provenance = provenance_of([run.folder(runs) for run in own])
    if before and others:
        provenance = {key: _distinct([*found, *before.provenance[key]]) for key, found in provenance.items()}
    points = POINTS
    while points >= 2:
        kept = tuple(_distilled(found, experiment.curves, points) for found in sorted(ended.values(), key=_key))
        record = Record(experiment.name, plan[0].scale, variants, provenance, kept, {})
        record = replace(record, verdicts=judge(experiment, record.results))
        if len(record.encoded()) < LIMIT:
            return record
        points //= 2
    raise UserError(f"{experiment.name}: measures too large to commit; put them into exhibits instead")


def judge(experiment: Experiment, results: Results) -> dict[str, Verdict]:
    """The verdict on each claim that the scale or sweep is about, with rounded numbers."""
    return {claim.name: claim.judge(results).rounded() for claim in experiment.claims_at(results.scale)}


def _key(record: RunRecord) -> tuple[str, int]:
    return record.variant, record.seed


def _distilled(record: RunRecord, names: Sequence[str], points: int) -> RunRecord:
    curves = {name: thinned(record.curves[name], points) for name in names if name in record.curves}
    seconds = None if record.seconds is None else round(record.seconds)
    return replace(record, curves=curves, measures=_all_rounded(jsonable(record.measures)), seconds=seconds)


def provenance_of(folders: Sequence[Path]) -> dict[str, list[Any]]:
    """The distinct commits, versions, machines and numbers of threads of several runs."""
    records = [read_json(folder / PROVENANCE, "legs") for folder in folders]
    legs = [leg for record in records for leg in record["legs"]]
    keys = ("commit", "python", "versions", "hardware", "threads")
    return {key: _distinct([leg[key] for leg in legs]) for key in keys}


def _distinct(values: Sequence[Any]) -> list[Any]:
    texts = {json.dumps(value, sort_keys=True) for value in values}
    return [json.loads(text) for text in sorted(texts)]


def results_path(experiments: Path, name: str, scale: str) -> Path:
    """Where the committed record of a scale is committed."""
    return experiments / name / "results" / f"{scale}.json"


def own_path(runs: Path, name: str, scale: str) -> Path:
    """Where `reproduce` writes the record of a scale, committed or not."""
    return runs / name / scale / "results.json"


def read_record(path: Path) -> Record | None:
    """The record in a file; None where there is no such file.

    Raises:
      UserError: it is no record, or one of another version.
    """
    if not path.exists():
        return None
    content = read_json(path, "format")
    if content.get("format") != FORMAT:
        raise UserError(f"{path} has format {content.get('format')}, this version reads {FORMAT}")
    return Record(
        content["experiment"],
        content["scale"],
        content["variants"],
        content["provenance"],
        tuple(RunRecord(**run) for run in content["runs"]),
        {verdict["claim"]: Verdict.read(verdict) for verdict in content["verdicts"]},
    )


def _all_rounded(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {key: _all_rounded(value) for key, value in content.items()}
    return [_all_rounded(value) for value in content] if isinstance(content, list) else rounded(content)
