"""Run records: what is kept of each training run, and the runs of a scale as claims see them.

A run's folder holds config.yaml (resolved), metrics.csv, checkpoints/, log.txt and, written here,

- provenance.json: settings, commit, versions, hardware, and each leg (stretch of time) that it ran;
- exhibits.json: what the trained model shows;
- summary.json: the result. It is written last, so a folder without one is a broken run, which resumes.

An ensemble's folder has no config, metrics and checkpoints: its members have them.
"""

import csv
import math
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augrnn.errors import UserError
from augrnn.files import locked, read_json, write_json
from augrnn.lab.plan import Run
from augrnn.lab.results import Curve, RunRecord
from augrnn.lab.work import ENDED, Work
from augrnn.run_folder import PROVENANCE, SUMMARY

if TYPE_CHECKING:
    from pydantic import TypeAdapter

IDENTITY = ("fingerprint", "members")
"""What a summary says of whose result it is: a hash of the run's settings, and hashes of an ensemble's members."""

LISTS = ("updates", "sequences", "values")
"""What a curve has, equally long lists."""


def start_over(work: Work, runs: Path) -> None:
    """Delete the record of a run, or of another unit of work."""
    import shutil

    with locked(work.folder(runs)):
        for path in work.folder(runs).iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != ".lock":
                path.unlink()


def forget_measures(work: Work, runs: Path) -> None:
    """Take a finished run's result away, so that it resumes from its last checkpoint and is only measured.

    What the result says of the time goes to the provenance: measuring again is no training.
    """
    folder = work.folder(runs)
    with locked(folder):
        seconds = read_json(folder / SUMMARY, "seconds")["seconds"]
        write_json(folder / PROVENANCE, {**read_json(folder / PROVENANCE, "legs"), "seconds": seconds})
        (folder / SUMMARY).unlink()


def read_curves(path: Path) -> dict[str, Curve]:
    """Every metric of a metrics.csv over training.

    Where a resumed run has gone over the same updates again, the later rows count. A row without a number of
    sequences has that of the row before.
    """
    curves: dict[str, list[tuple[int, float | None, float | None]]] = {}
    sequences: float | None = None
    for row in _rows(path):
        step = int(float(row.pop("step", "") or 0))
        sequences = _float(row.pop("sequences", "")) or sequences
        for name, text in row.items():
            if name == "epoch" or not text:
                continue
            points = curves.setdefault(name, [])
            while points and points[-1][0] >= step:
                points.pop()
            points.append((step, sequences, _float(text)))
    return {
        name: dict(zip(LISTS, map(list, zip(*points, strict=True)), strict=True)) for name, points in curves.items()
    }


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if path.exists():
        with open(path, newline="", encoding="utf-8") as file:
            yield from csv.DictReader(file)


def _float(text: str | None) -> float | None:
    try:
        value = float(text or "nan")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def read_run(run: Run, runs: Path) -> RunRecord | None:
    """A run's record with its curves whole; None where it has not ended, or has other settings."""
    if run.state(runs) not in ENDED:
        return None
    path = run.folder(runs) / SUMMARY
    summary = {name: value for name, value in read_json(path, "status").items() if name not in IDENTITY}
    record = {**summary, "variant": run.variant, "seed": run.seed}
    if wrong := faults(record):
        raise UserError(f"{path} is damaged, or of another version ({wrong}); delete it")
    return RunRecord(**record)


def faults(record: Mapping[str, Any]) -> str:
    """What a run's record has that no record has, or in another form; "" for nothing."""
    from pydantic import ValidationError

    try:
        _form().validate_python(record)
    except ValidationError as error:
        first = error.errors()[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    for name, curve in record.get("curves", {}).items():
        if not curve.get("values"):
            return f"curves.{name}: it has no values"
        if {key: len(values) for key, values in curve.items()} != dict.fromkeys(LISTS, len(curve["values"])):
            return f"curves.{name}: {', '.join(LISTS)} must be equally long"
    return ""


@cache
def _form() -> "TypeAdapter[RunRecord]":
    from pydantic import ConfigDict, TypeAdapter, with_config

    return TypeAdapter(with_config(ConfigDict(extra="forbid"))(RunRecord))
