"""Learning curves and quantities by size or bucket, with every seed shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from augrnn.exhibits.exhibit import Exhibit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Values = Sequence[float | None]


@dataclass(frozen=True, eq=False)
class LearningCurves(Exhibit):
    """A metric against training sequences, one line a seed, one colour a variant.

    Attributes:
      curves: for each variant and each of its runs (training sequences, values).
      label: the metric's name and unit.
      floor: makes the axis logarithmic from this value up.
      bar: a dashed line across.
    """

    curves: Mapping[str, Sequence[tuple[Values, Values]]]
    label: str
    floor: float | None = None
    bar: float | None = None

    def figure(self) -> "Figure":
        from augrnn.exhibits.style import WIDTH, colours, plt

        figure, axes = plt.subplots(figsize=(WIDTH, 3.4))
        for variant, colour in colours(self.curves).items():
            for number, (sequences, values) in enumerate(self.curves[variant]):
                numbers = np.array(values, dtype=float)
                shown = numbers if self.floor is None else np.maximum(numbers, self.floor)
                named = None if number else variant
                axes.plot(np.array(sequences, dtype=float), shown, color=colour, alpha=0.6, lw=1, label=named)
        if self.bar is not None:
            axes.axhline(self.bar, color="0.4", ls="--", lw=1)
        if self.floor is not None:
            axes.set_yscale("log")
        axes.set(xlabel="training sequences", ylabel=self.label)
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
        return figure


@dataclass(frozen=True, eq=False)
class BySize(Exhibit):
    """A quantity at several sizes (lengths, say): the median over seeds as a line, every seed as a point.

    Attributes:
      found: for each variant and each of its runs the quantity by size.
      label: the quantity's name and unit.
      x: the size's name and unit.
      small: makes the axis logarithmic above this value, and linear below.
    """

    found: Mapping[str, Sequence[Mapping[str, float | None]]]
    label: str
    x: str
    small: float | None = None

    def figure(self) -> "Figure":
        from augrnn.exhibits.style import WIDTH, colours, plt

        figure, axes = plt.subplots(figsize=(WIDTH, 3.4))
        for variant, colour in colours(self.found).items():
            if not self.found[variant]:
                continue
            sizes = sorted(map(int, self.found[variant][0]))
            values = np.array([[run[str(size)] for size in sizes] for run in self.found[variant]], dtype=float)
            axes.plot(sizes, np.median(values, axis=0), color=colour, lw=1.5, label=variant)
            axes.plot(sizes, values.T, ".", color=colour, ms=3, alpha=0.5)
        if self.small is not None:
            axes.set_yscale("symlog", linthresh=self.small)
            axes.set_ylim(bottom=-self.small / 5)
        axes.set_xticks(sorted({int(size) for runs in self.found.values() for run in runs for size in run}))
        axes.set(xlabel=self.x, ylabel=self.label)
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
        return figure


@dataclass(frozen=True, eq=False)
class ByBucket(Exhibit):
    """A quantity in several buckets: for each run a point, and a bar for the 95 % interval of its resampled values.

    Attributes:
      found: for each variant and each of its runs the three percentiles (2.5, 50, 97.5) by bucket, in the buckets'
        order; see `intervals`.
      label: the quantity's name and unit.
      x: what the buckets are of, with the unit.
    """

    found: Mapping[str, Sequence[Mapping[str, Sequence[float]]]]
    label: str
    x: str

    def figure(self) -> "Figure":
        from augrnn.exhibits.style import WIDTH, colours, plt

        figure, axes = plt.subplots(figsize=(WIDTH, 3.4))
        buckets = list(next((run for runs in self.found.values() for run in runs), {}))
        bars = sum(map(len, self.found.values())) or 1
        place = 0
        for variant, colour in colours(self.found).items():
            for number, run in enumerate(self.found[variant]):
                low, middle, high = np.array([run[name] for name in buckets], dtype=float).T
                axes.errorbar(
                    np.arange(len(buckets)) + 0.7 * ((place + 0.5) / bars - 0.5),
                    middle,
                    [middle - low, high - middle],
                    fmt="o",
                    ms=3,
                    lw=1,
                    color=colour,
                    label=None if number else variant,
                )
                place += 1
        axes.set_xticks(range(len(buckets)), buckets)
        axes.set(xlabel=self.x, ylabel=self.label)
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
        return figure


def intervals(
    resampled: Mapping[str, Sequence[Mapping[str, Sequence[float]]]],
) -> dict[str, list[dict[str, list[float]]]]:
    """The percentiles that `ByBucket` shows, of the resampled values of each run by bucket."""
    return {
        variant: [
            {name: np.percentile(values, (2.5, 50, 97.5)).tolist() for name, values in run.items()} for run in runs
        ]
        for variant, runs in resampled.items()
    }
