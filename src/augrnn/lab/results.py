"""What runs gave, as claims see it."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

from augrnn.errors import UserError


@dataclass(frozen=True)
class Observations:
    """One value a seed.

    Attributes:
      values: what each judged seed gave; None (or nan) where the run failed or the value does not exist.
      missing: planned seeds that have no finished run.
      excluded: seeds that the claim is not about: those that did not solve the task, in a claim on how it is solved.
    """

    values: tuple[float | None, ...]
    missing: int = 0
    excluded: int = 0

    def __post_init__(self) -> None:
        values = tuple(None if value is None or math.isnan(value) else float(value) for value in self.values)
        object.__setattr__(self, "values", values)

    @classmethod
    def together(cls, parts: Iterable["Observations"]) -> "Observations":
        """The seeds of several variants as one set."""
        found = list(parts)
        return cls(
            tuple(value for part in found for value in part.values),
            sum(part.missing for part in found),
            sum(part.excluded for part in found),
        )


Observed = Observations | Mapping[str, Observations]
"""What a claim's quantity gives: one set of observations, or several with names."""


Curve = dict[str, list[int | float | None]]
"""A metric over training: equally long lists `updates`, `sequences` and `values`."""


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
    """What the committed record keeps of a run; `record["solved"]` is one of its measures.

    Attributes:
      status: "failed" where training diverged; it then has no measures.
      measures: what the experiment measures on the trained model.
      curves: the experiment's curves, thinned.
      updates, sequences: how much it was trained; None for an ensemble, whose members were.
      seconds: wall time, over all its legs until it was first measured; for an ensemble, of putting it together and of
        measuring it.
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
            known = ", ".join(self.measures) or "none"
            raise UserError(
                f"{self.variant} seed {self.seed} has no measure {measure}; it has {known} "
                "(if what is measured has changed since, use --measure-again)"
            )
        return self.measures[measure]

    def final(self, metric: str) -> float | None:
        """A metric at the end of training; None where it was not finite."""
        return self.curves[metric]["values"][-1]

    def below(self, metric: str, bar: float) -> bool:
        """Whether a metric is below a value at the end of training."""
        value = self.final(metric)
        return value is not None and value < bar

    def reached(self, metric: str, at_most: float) -> float | None:
        """The training sequences until a metric was first at or below a value; None if it never was."""
        curve = self.curves.get(metric) or {"sequences": [], "values": []}
        for amount, value in zip(curve["sequences"], curve["values"], strict=True):
            if value is not None and value <= at_most:
                return amount
        return None


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
    """The runs of an experiment at a scale, or those of a sweep.

    A sweep's points are its variants, by the texts that tables show ("tau 0.001"), and its metric is the one measure.

    Attributes:
      experiment: its name; empty for a sweep.
      scale: its name, or that of the sweep.
      planned: the number of seeds of each variant.
      runs: the records of those that ended, by (variant, seed).
      points: the options of each point of a sweep.
    """

    experiment: str
    scale: str
    planned: Mapping[str, int]
    runs: Mapping[tuple[str, int], RunRecord]
    points: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

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

    def by_method(
        self, methods: Mapping[str, Sequence[str]], quantity: Callable[[RunRecord], Any]
    ) -> dict[str, list[Any]]:
        """For each method a value of each finished run of its variants.

        Args:
          methods: the variants of each method.
          quantity: from a finished run to its value.
        """
        return {
            name: [quantity(run) for variant in variants for run in self[variant] if run.status == "finished"]
            for name, variants in methods.items()
        }

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
          where: whether a finished run solved the task, in a claim on how it is solved; the others and failed runs are
            left out, and how many were left out is told.
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

    def paired_lower_end(self, first: str, second: str, resampled: str) -> Observations:
        """The lower end of the 95 % interval of a difference, by a paired bootstrap (Koehn 2004).

        Args:
          first: the variant that the difference is in favour of.
          second: the one that is taken off.
          resampled: the measure that has a figure for each sample, of the same samples in both.
        """

        def low(one: RunRecord, other: RunRecord) -> float:
            pairs = zip(one[resampled], other[resampled], strict=True)
            ordered = sorted(ours - theirs for ours, theirs in pairs)
            return ordered[round(0.025 * len(ordered))]

        return self.paired((first, second), low)

    def final_ratio(self, metric: str, over: str, under: str, least: float = 1e-6) -> Observations:
        """A metric of one variant at the end of training as a multiple of another's, taken to be `least` at least."""

        def ratio(one: RunRecord, other: RunRecord) -> Quantity:
            high, low = one.final(metric), other.final(metric)
            return None if high is None or low is None else high / max(low, least)

        return self.paired((over, under), ratio)

    def lowest(self, metric: str, asked: Mapping[str, Any]) -> str:
        """Of a sweep's points that have these options, the one with the lowest median; failed runs are the highest."""
        points = [point for point, options in self.points.items() if asked.items() <= options.items()]
        if not points:
            raise UserError(f"no point of {self.scale} has {dict(asked)}")
        return min(points, key=lambda point: self._median(point, metric))

    def _median(self, point: str, metric: str) -> float:
        values = [run[metric] if run.status == "finished" else math.inf for run in self[point]]
        return median(values) if values else math.inf

    def _seeds(self, variant: str) -> int:
        return self.planned.get(variant, 0)

    @property
    def complete(self) -> bool:
        """Whether every planned run has ended."""
        return len(self.runs) == sum(self.planned.values())
