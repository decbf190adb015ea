"""From the runs of a sweep to its record: the user's own one, and the one that is committed with an experiment."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from augrnn.errors import UserError
from augrnn.lab.claims import Verdict
from augrnn.lab.committed_record import judge, provenance_of
from augrnn.lab.committed_sweep import (
    FILES,
    Row,
    SweepRecord,
    pictures_path,
    record_path,
    sweep_fingerprint,
)
from augrnn.lab.experiment import Experiment, discover, load
from augrnn.lab.places import names, own_place, places
from augrnn.lab.results import rounded, thinned
from augrnn.lab.settings import recorded
from augrnn.sweeps.results import draw, ended_folders, importance, left
from augrnn.sweeps.sweep_file import Sweep, recorded_sweep
from augrnn.yaml_files import read_config

LIMIT = 200_000
"""Bytes that a committed record may have."""

POINTS = 30
"""Points that a curve keeps, fewer where the committed record would otherwise be over its limit."""


def distilled(rows: Sequence[Row], sweep: Sweep, runs: Path, experiment: Experiment | None = None) -> SweepRecord:
    """The record of a sweep: its points with rounded numbers and thinned curves, and the verdicts on its claims.

    These are "not run" as long as a run is missing.

    Args:
      rows: the points, as `collect` gives them.
      sweep: the sweep.
      runs: the folder of all run records.
      experiment: the one that it belongs to, whose claims it judges; None for none.
    """
    content, metric = read_config(sweep.path), sweep.file.metric
    record = SweepRecord(
        sweep.name,
        sweep_fingerprint(sweep.path, sweep.root),
        sweep.file.method,
        metric.name,
        metric.goal,
        recorded(content["parameters"]),
        content["command"],
        {name: round(share, 4) for name, share in importance(rows, sweep).items()},
        provenance_of(ended_folders(sweep, runs)),
        tuple(_kept(row) for row in rows),
    )
    if experiment is None:
        return record
    missing, planned = left(sweep, runs)
    if missing:
        told = Verdict("not run", text=f"{missing:,} of {planned:,} runs have not ended")
        return replace(record, verdicts={claim.name: told for claim in experiment.claims_at(sweep.name)})
    return replace(record, verdicts=judge(experiment, record.results))


def _kept(row: Row) -> Row:
    found = {seed: rounded(value) for seed, value in sorted(row.found.items())}
    return replace(_shortened(row, POINTS), values=recorded(row.values), found=found, seconds=round(row.seconds))


def _shortened(row: Row, points: int) -> Row:
    return row if row.curve is None else replace(row, curve=thinned(row.curve, points))


def judging(sweep: Sweep) -> Experiment | None:
    """The experiment whose claims a sweep judges; None where no experiment means this file.

    Experiments that cannot be loaded are passed over, because other commands tell of them.
    """
    for experiments in places():
        if (experiments.parent / FILES / f"{sweep.name}.yaml").resolve() != sweep.path:
            continue
        for name in names(experiments):
            with suppress(UserError):
                if sweep.name in (found := load(name, experiments)).sweeps:
                    return found
    return None


def owner(sweep: Sweep) -> tuple[Experiment, Path]:
    """The experiment that a sweep belongs to, and the folder of all experiments.

    Raises:
      UserError: none names it, or the sweep's file is not the one that is meant.
    """
    experiments = own_place()
    found = next((each for each in discover(experiments) if sweep.name in each.sweeps), None)
    if found is None:
        raise UserError(
            f'no experiment names {sweep.name}: write sweeps=("{sweep.name}",) into the one that it belongs to'
        )
    meant = experiments.parent / FILES / f"{sweep.name}.yaml"
    if meant.resolve() != sweep.path:
        raise UserError(f"{found.name} means the sweep in {meant}, and not {sweep.path}")
    return found, experiments


def draw_again(record: SweepRecord, folder: Path, form: str = "png") -> list[Path]:
    """Draw a sweep from its record alone, as `draw` does."""
    return draw(record.rows, recorded_sweep(record), folder, form)


def require_whole(sweep: Sweep, runs: Path) -> None:
    """Refuse to commit the record of a sweep that is not through; a UserError."""
    missing, planned = left(sweep, runs)
    if missing:
        raise UserError(f"--record needs every run of {sweep.name} to have ended: {missing:,} of {planned:,} have not")


def commit(record: SweepRecord, sweep: Sweep, owned: tuple[Experiment, Path]) -> list[Path]:
    """Write the committed record of a sweep and its pictures; gives their paths.

    Args:
      record: the record.
      sweep: the sweep.
      owned: the experiment that it belongs to, and the folder of all experiments.

    Raises:
      UserError: there is nothing to draw, or the record is over its limit even with two points a curve.
    """
    experiment, experiments = owned
    points, kept = POINTS, record
    while len(kept.encoded()) >= LIMIT:
        points //= 2
        if points < 2:
            raise UserError(f"{sweep.name} has too many points to be committed: {len(record.rows):,}")
        kept = replace(record, rows=tuple(_shortened(row, points) for row in record.rows))
    path = record_path(experiments, experiment.name, sweep.name)
    pictures = draw_again(record, pictures_path(experiments, experiment.name, sweep.name))
    kept.write(path)
    return [path, *pictures]
