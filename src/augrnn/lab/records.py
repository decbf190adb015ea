"""Run records: what is kept of each training run, and the runs of a scale as claims see them.

A run's folder holds config.yaml (resolved), metrics.csv, checkpoints/, log.txt and, written here,

- provenance.json: settings, commit, versions, hardware, and each leg (stretch of time) that it ran;
- exhibits.json: what the trained model shows;
- summary.json: the result. It is written last, so a folder without one is a broken run, which resumes.
"""

import csv
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from augrnn.errors import UserError
from augrnn.files import locked, read_json, write_json
from augrnn.lab.claims import Observations

if TYPE_CHECKING:
    from augrnn.lab.experiment import Run

Curve = dict[str, list[float | None]]
"""A metric over training: equally long lists `updates`, `sequences` and `values`."""

CHECKPOINT = Path("checkpoints", "last.ckpt")
"""What a run resumes from, in its folder; see `augrnn.training.command.train`."""


# One run


RunState = Literal["new", "broken", "finished", "failed", "outdated"]


def state_of(run: "Run", runs: Path) -> RunState:
    """How far a run is.

    "broken" was stopped, killed or crashed, and resumes; "failed" diverged, which is a result; "outdated" has a record
    of other settings.
    """
    folder = run.folder(runs)
    if not (folder / "provenance.json").exists():
        return "new"
    if read_json(folder / "provenance.json").get("fingerprint") != run.fingerprint:
        return "outdated"
    return ended(folder) or "broken"


def ended(folder: Path) -> Literal["finished", "failed"] | None:
    """How the run in a folder ended; None where it has not."""
    if not (folder / "summary.json").exists():
        return None
    return "failed" if read_json(folder / "summary.json")["status"] == "failed" else "finished"


def start_over(run: "Run", runs: Path) -> None:
    """Delete a run's record."""
    import shutil

    with locked(run.folder(runs)):
        for path in run.folder(runs).iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != ".lock":
                path.unlink()


def forget_measures(run: "Run", runs: Path) -> None:
    """Take a finished run's result away, so that it resumes from its last checkpoint and is only measured.

    What the result says of the time goes to the provenance: measuring again is no training.
    """
    folder = run.folder(runs)
    with locked(folder):
        seconds = read_json(folder / "summary.json")["seconds"]
        write_json(folder / "provenance.json", {**read_json(folder / "provenance.json"), "seconds": seconds})
        (folder / "summary.json").unlink()


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
    keys = ("updates", "sequences", "values")
    return {name: dict(zip(keys, map(list, zip(*points, strict=True)), strict=True)) for name, points in curves.items()}


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


def thinned(curve: Curve, points: int) -> Curve:
    """At most that many points of a curve, evenly spaced, the first and the last among them."""
    length = len(curve["values"])
    if length <= points:
        kept = list(range(length))
    else:
        kept = sorted({round(i * (length - 1) / (points - 1)) for i in range(points)})
    return {name: [rounded(values[i]) for i in kept] for name, values in curve.items()}


def rounded(value: Any) -> Any:
    """A number to six digits; anything else as it is."""
    if isinstance(value, float) and math.isfinite(value):
        return int(value) if value == int(value) and abs(value) < 1e15 else float(f"{value:.6g}")
    return value


@dataclass(frozen=True)
class RunRecord:
    """What the distilled record keeps of a run; `record["solved"]` is one of its measures.

    Attributes:
      status: "failed" where training diverged; it then has no measures.
      measures: what the experiment measures on the trained model.
      curves: the experiment's curves, thinned.
      updates, sequences: how much it was trained.
      seconds: wall time, over all its legs until it was first measured.
      parameters: trainable numbers of the model.
      error: why it failed.
    """

    variant: str
    seed: int
    status: Literal["finished", "failed"]
    measures: dict[str, Any] = field(default_factory=dict)
    curves: dict[str, Curve] = field(default_factory=dict)
    updates: int | None = None
    sequences: int | None = None
    seconds: float | None = None
    parameters: int | None = None
    error: str | None = None

    def __getitem__(self, measure: str) -> Any:
        if measure not in self.measures:
            raise UserError(f"{self.variant} seed {self.seed} has no measure {measure}: use --measure-again")
        return self.measures[measure]

    def final(self, metric: str) -> float | None:
        """A metric at the end of training; None where it was not finite."""
        return self.curves[metric]["values"][-1]

    def below(self, metric: str, bar: float) -> bool:
        """Whether a metric is below a value at the end of training."""
        value = self.final(metric)
        return value is not None and value < bar

    def reached(
        self, metric: str, at_most: float, along: Literal["sequences", "updates"] = "sequences"
    ) -> float | None:
        """How much training it took until a metric was first at or below a value; None if it never was."""
        curve = self.curves.get(metric) or {along: [], "values": []}
        for amount, value in zip(curve[along], curve["values"], strict=True):
            if value is not None and value <= at_most:
                return amount
        return None


def read_run(run: "Run", runs: Path) -> RunRecord | None:
    """A run's record with its curves whole; None where it has not ended, or has other settings."""
    if state_of(run, runs) not in ("finished", "failed"):
        return None
    summary = read_json(run.folder(runs) / "summary.json")
    summary.pop("fingerprint")
    return RunRecord(run.variant, run.seed, **summary)


# All runs of a scale


def part(measure: str, name: str) -> "Callable[[RunRecord], Any]":
    """A quantity for `Results.each`: one number of a measure that has several."""

    def quantity(run: RunRecord) -> Any:
        numbers = run[measure]
        if name not in numbers:
            raise UserError(f"{run.variant} seed {run.seed} has no {name} in its {measure}: use --measure-again")
        return numbers[name]

    return quantity


Quantity = float | int | bool | None


@dataclass(frozen=True)
class Results:
    """The runs of an experiment at a scale.

    Attributes:
      planned: the number of seeds of each variant.
      runs: the records of those that ended, by (variant, seed).
    """

    experiment: str
    scale: str
    planned: Mapping[str, int]
    runs: Mapping[tuple[str, int], RunRecord]

    def __getitem__(self, variant: str) -> list[RunRecord]:
        """The ended runs of a variant, failed ones among them, by seed."""
        return [self.runs[variant, seed] for seed in range(self._seeds(variant)) if (variant, seed) in self.runs]

    def curves(self, metric: str) -> dict[str, list[tuple[list[float | None], list[float | None]]]]:
        """For each variant the (sequences, values) of a metric, a pair for each ended run that has it."""
        return {
            variant: [
                (run.curves[metric]["sequences"], run.curves[metric]["values"])
                for run in self[variant]
                if metric in run.curves
            ]
            for variant in self.planned
        }

    def measured(self, measure: str) -> dict[str, list[Any]]:
        """For each variant a measure of each ended run that has it."""
        return {variant: [run[measure] for run in self[variant] if measure in run.measures] for variant in self.planned}

    def each(
        self,
        variant: str,
        quantity: Callable[[RunRecord], Quantity],
        where: Callable[[RunRecord], bool] | None = None,
    ) -> Observations:
        """One value for each seed of a variant; a failed run has the value None.

        Args:
          variant: its name.
          quantity: from a finished run to its value, None where it has none (never solved, say).
          where: the finished runs that the claim is about, where not all; failed runs are then left out as well, and
            how many were left out is told.
        """
        return self.paired((variant,), quantity, where)

    def paired(
        self,
        variants: Sequence[str],
        quantity: Callable[..., Quantity],
        where: Callable[..., bool] | None = None,
    ) -> Observations:
        """One value for each seed that the variants share, from their runs with that seed; see `each`."""
        values: list[float | None] = []
        missing = excluded = 0
        for seed in range(min(map(self._seeds, variants))):
            runs = [self.runs.get((variant, seed)) for variant in variants]
            if None in runs:
                missing += 1
            elif any(run is not None and run.status == "failed" for run in runs):
                values += [None] if where is None else []
                excluded += where is not None
            elif where is not None and not where(*runs):
                excluded += 1
            else:
                values.append(quantity(*runs))
        return Observations(tuple(values), missing, excluded)

    def final_ratio(self, metric: str, over: str, under: str, least: float = 1e-6) -> Observations:
        """A metric of one variant at the end of training as a multiple of another's, taken to be `least` at least."""

        def ratio(one: RunRecord, other: RunRecord) -> Quantity:
            high, low = one.final(metric), other.final(metric)
            return None if high is None or low is None else high / max(low, least)

        return self.paired((over, under), ratio)

    def _seeds(self, variant: str) -> int:
        return self.planned.get(variant, 0)

    @property
    def complete(self) -> bool:
        """Whether every planned run has ended."""
        return len(self.runs) == sum(self.planned.values())
