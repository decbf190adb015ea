"""What differs between two sides: settings, measures with intervals, and curves on common axes."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from augrnn.lab import statistics
from augrnn.lab.results import Curve, RunRecord, thinned
from augrnn.lab.statistics import Interval
from augrnn.report.sides import KINDS, Model, Side, flat

OF_ONE = ("seed_everything", "config")
"""What is no setting unless both have it: a record has several seeds, and a run's folder does not name its config."""

POINTS = 200
"""Points of a curve on a page."""

AT_THE_END = "at the end of training"


class Pair(NamedTuple):
    """A model of each side that belong together; None where only the other side has one of this name."""

    name: str
    one: Model | None
    other: Model | None


def pairs(one: Side, other: Side) -> list[Pair]:
    """The models of both sides by name, those that both have first; two single ones belong together anyhow."""
    if len(one.models) == len(other.models) == 1:
        (first,), (second,) = one.models.values(), other.models.values()
        name = first.name if first.name == second.name else f"{first.name} and {second.name}"
        return [Pair(name, first, second)]
    every = [Pair(name, one.models.get(name), other.models.get(name)) for name in {**one.models, **other.models}]
    return sorted(every, key=lambda pair: None in pair)


# Settings ------------------------------------------------------------------------------------------------------------


class Differing(NamedTuple):
    """A setting that is not the same: its dotted name, and what both have as words; empty where one has none."""

    option: str
    one: str
    other: str


class Settings(NamedTuple):
    """How the settings of two models differ.

    Attributes:
      differ: those that are not the same.
      equal: how many are the same.
    """

    differ: Sequence[Differing]
    equal: int


def settings(one: Model, other: Model) -> Settings:
    """How the settings of two models differ, as far as both are known: what one alone can tell of is left out."""
    first, second = dict(one.settings.values), dict(other.settings.values)
    for name in OF_ONE:
        if name not in first or name not in second:
            first.pop(name, None)
            second.pop(name, None)
    order = KINDS.index(one.settings.kind) - KINDS.index(other.settings.kind)
    names = first if order < 0 else second if order > 0 else {**first, **second}
    differ = [
        Differing(name, told(first[name]) if name in first else "", told(second[name]) if name in second else "")
        for name in names
        if (name in first) != (name in second) or first[name] != second[name]
    ]
    return Settings(differ, len(names) - len(differ))


def told(value: Any) -> str:
    """A setting as words: a text as it is, all else as JSON."""
    return value if isinstance(value, str) and value else json.dumps(value, default=str, ensure_ascii=False)


# Measures ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """A measure over those seeds of a model that have one.

    Attributes:
      value: the median; of what is true or false the share that is true.
      interval: its 95 % interval, as claims have it; None for a single seed.
      values: of each of these seeds.
      share: whether it is a share.
    """

    value: float
    interval: Interval | None
    values: tuple[float, ...]
    share: bool = False


class Row(NamedTuple):
    """A measure of two models; None where one has no such measure."""

    name: str
    one: Measured | None
    other: Measured | None

    @property
    def difference(self) -> float | None:
        """How much more the other one has; None where either has none."""
        return None if self.one is None or self.other is None else self.other.value - self.one.value

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval of the difference; None where either has a single seed or none."""
        if self.one is None or self.other is None or min(len(self.one.values), len(self.other.values)) < 2:
            return None
        if self.one.share and self.other.share:
            counts = [int(sum(each.values)) for each in (self.other, self.one)]
            return statistics.rate_difference(counts[0], len(self.other.values), counts[1], len(self.one.values))
        return _median_difference(self.other.values, self.one.values)


def measures(pair: Pair) -> tuple[list[Row], list[str]]:
    """The measures of a pair that are numbers, by dotted name, and the names of those that are not."""
    found = [_by_name(model.runs) if model else {} for model in (pair.one, pair.other)]
    rows = [Row(name, *(_measured(each.get(name, ())) for each in found)) for name in {**found[0], **found[1]}]
    runs = [run for model in (pair.one, pair.other) if model for run in model.runs]
    others = dict.fromkeys(
        name for run in runs for name, value in flat(run.measures).items() if value != {} and not _is_number(value)
    )
    return [row for row in rows if row.one or row.other], list(others)


def _by_name(runs: Sequence[RunRecord]) -> dict[str, list[float | bool]]:
    found: dict[str, list[float | bool]] = {}
    for run in (each for each in runs if each.status == "finished"):
        ends = [(f"{name} {AT_THE_END}", curve["values"][-1]) for name, curve in run.curves.items()]
        for name, value in [*flat(run.measures).items(), *ends]:
            if _is_number(value) and value is not None:
                found.setdefault(name, []).append(value)
    return found


def _is_number(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float)


def _measured(values: Sequence[float | bool]) -> Measured | None:
    if not values:
        return None
    numbers = tuple(map(float, values))
    if all(isinstance(value, bool) for value in values):
        return Measured(statistics.mean(numbers), statistics.wilson(int(sum(numbers)), len(numbers)), numbers, True)
    return Measured(statistics.median(numbers), _bootstrap(numbers), numbers)


@cache
def _bootstrap(values: tuple[float, ...]) -> Interval | None:
    return statistics.bootstrap(values, statistics.median)


@cache
def _median_difference(values: tuple[float, ...], others: tuple[float, ...]) -> Interval | None:
    return statistics.median_difference(values, others)


# Curves --------------------------------------------------------------------------------------------------------------


Points = tuple[list[float], list[float | None]]
"""A curve as places and values."""


class Curves(NamedTuple):
    """A metric that both sides have kept, over training.

    Attributes:
      metric: its name.
      x: what it is drawn over, "sequences" or "updates".
      runs: for each pair the curves of its runs on one side, and on the other.
    """

    metric: str
    x: str
    runs: Sequence[tuple[list[Points], list[Points]]]


def curves(every: Sequence[Pair]) -> tuple[list[Curves], list[str]]:
    """The metrics that both sides have kept, and the names of those that only one has."""
    kept = [_metrics(pair.one for pair in every), _metrics(pair.other for pair in every)]
    both = [name for name in kept[0] if name in kept[1]]
    return [_curves(every, name) for name in both], [name for name in {**kept[0], **kept[1]} if name not in both]


def _metrics(models: Iterable[Model | None]) -> dict[str, None]:
    return dict.fromkeys(name for model in models if model for run in model.runs for name in run.curves)


def _curves(every: Sequence[Pair], metric: str) -> Curves:
    found = [(_kept(pair.one, metric), _kept(pair.other, metric)) for pair in every]
    whole = all(None not in curve["sequences"] for both in found for side in both for curve in side)
    x = "sequences" if whole else "updates"
    return Curves(metric, x, [(_points(one, x), _points(other, x)) for one, other in found])


def _kept(model: Model | None, metric: str) -> list[Curve]:
    return [run.curves[metric] for run in model.runs if metric in run.curves] if model else []


def _points(found: Sequence[Curve], x: str) -> list[Points]:
    few = [thinned(curve, POINTS) for curve in found]
    return [([place or 0.0 for place in curve[x]], curve["values"]) for curve in few]
