"""Verdicts, computed again from the committed records and compared with those kept in them."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

from augrnn.lab.claims import Verdict
from augrnn.lab.claims_tables import Judged, as_committed, judged
from augrnn.lab.committed_record import Record, judge
from augrnn.lab.committed_sweep import SweepRecord, committed_sweeps, outdated_sweeps
from augrnn.lab.experiment import Experiment, discover

TOLERANCE = 1e-4
"""Relative difference between two values that other versions of the libraries may make."""


@dataclass(frozen=True)
class Check:
    """What `check` found.

    Attributes:
      rows: every claim of every experiment at every scale and of every sweep, with the verdict computed now.
      changed: a line for each claim whose verdict or value is not the one on record.
      notes: a line for each variant whose settings have changed since its record was made, and for each such sweep.
    """

    rows: list[Judged]
    changed: list[str]
    notes: list[str]


def check(experiments: Path) -> Check:
    """Judge every claim again from the committed records."""
    found = Check([], [], [])
    for experiment in discover(experiments):
        kept = as_committed(experiment, experiments)
        records: dict[str, Record | SweepRecord] = {**kept, **committed_sweeps(experiment, experiments)}
        for place in (*experiment.scales, *experiment.sweeps):
            record = records.get(place)
            if record is None:
                found.rows.extend(judged(experiment, None, place))
                continue
            again = replace(record, verdicts=judge(experiment, record.results))
            found.rows.extend(judged(experiment, again, place))
            found.changed.extend(_changes(experiment, place, record, again))
        for scale, record in kept.items():
            found.notes.extend(_outdated(experiment, scale, record, experiments))
        found.notes.extend(outdated_sweeps(experiment, experiments))
    return found


def _changes(
    experiment: Experiment, place: str, before: Record | SweepRecord, after: Record | SweepRecord
) -> list[str]:
    old, new = before.verdicts, after.verdicts
    lines = [f"{experiment.name} {place}: {name} is on record and no longer a claim" for name in old if name not in new]
    for name, verdict in new.items():
        was, now = _words(old.get(name)), _words(verdict)
        if name not in old or not same(old[name], verdict):
            lines.append(f"{experiment.name} {place}: {name} was {was}, is {now}")
    return lines


def same(old: Verdict, new: Verdict) -> bool:
    """Whether two verdicts are the same but for their words."""
    if None in (old.value, new.value):
        return old.value == new.value and old.state == new.state
    return math.isclose(old.value or 0, new.value or 0, rel_tol=TOLERANCE, abs_tol=1e-9) and old.state == new.state


def _words(verdict: Verdict | None) -> str:
    return f"{verdict.state} ({verdict.text})" if verdict else "not on record"


def _outdated(experiment: Experiment, scale: str, record: Record, experiments: Path) -> list[str]:
    now = {run.variant: run.fingerprint for run in reversed(experiment.plan(scale, experiments))}
    return [
        f"{experiment.name} {scale}: the settings of {name} have changed since its record was made"
        for name, variant in record.variants.items()
        if now.get(name) != variant["fingerprint"]
    ]
