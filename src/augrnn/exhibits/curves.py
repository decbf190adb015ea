"""Learning curves and quantities by size or bucket, with every seed shown."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from augrnn.exhibits import seeds
from augrnn.exhibits.exhibit import Exhibit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Values = Sequence[float | None]

STRIP = 0.05
"""The part of a logarithmic axis on which values below the floor are drawn."""


@dataclass(frozen=True, eq=False)
class LearningCurves(Exhibit):
    """A metric against training sequences, a panel for each variant, all with the same axes.

    Attributes:
      curves: for each variant and each of its runs (training sequences, values).
      label: the metric's name and unit.
      floor: makes the axis logarithmic from this value up.
      bar: a dashed line across.
      bar_name: what the dashed line is.
    """

    curves: Mapping[str, Sequence[tuple[Values, Values]]]
    label: str
    floor: float | None = None
    bar: float | None = None
    bar_name: str = "the bar at which a seed counts as solved"

    @property
    def caption(self) -> str:
        parts = [f"{_capital(self.label)}, against training sequences. {seeds.told(self.curves)}"]
        if self.bar is not None:
            parts.append(f"Dashed line: {self.bar_name}, {self.bar:.4g}.")
        if self.floor is not None:
            parts.append("The vertical axis is logarithmic.")
        if self._below:
            parts.append(f"Grey strip: all values below {self.floor:g} are drawn there, however small they are.")
        return " ".join(parts)

    @property
    def _numbers(self) -> list[float]:
        every = [value for runs in self.curves.values() for _, values in runs for value in values]
        return [value for value in every if value is not None and math.isfinite(value)]

    @property
    def _below(self) -> bool:
        return self.floor is not None and any(value < self.floor for value in self._numbers)

    def draw(self) -> "Figure":
        from augrnn.exhibits.style import WIDTH, empty, looks, plt

        shown = {variant: runs for variant, runs in self.curves.items() if runs}
        if not shown:
            return empty("no run has ended")
        columns = min(3, len(shown))
        rows = -(-len(shown) // columns)
        height = 3.2 if len(shown) == 1 else 0.5 + 1.9 * rows
        size = (WIDTH, height)
        figure, grid = plt.subplots(rows, columns, figsize=size, sharex=True, sharey=True, squeeze=False)
        for axes in grid.flat[len(shown) :]:
            axes.set_visible(False)
        for axes in grid.flat[: len(shown)][-columns:]:
            axes.tick_params(labelbottom=True)
            axes.set_xlabel("training sequences")
        top = max([*self._numbers, self.floor or -math.inf, -math.inf if self.bar is None else self.bar])
        last = max(at or 0 for runs in shown.values() for sequences, _ in runs for at in [*sequences, 0])
        ticks = 7 if columns == 1 else 3 if columns == 2 or last < 100_000 else 2
        every = looks(self.curves)
        for axes, (variant, runs) in zip(grid.flat, shown.items(), strict=False):
            seeds.draw(axes, runs, every[variant], below=self._floor(axes, top))
            if self.bar is not None:
                axes.axhline(self.bar, color="0.3", ls=(0, (4, 3)), lw=1)
            axes.set_title(textwrap.fill(variant, 75 // columns, break_on_hyphens=False))
            axes.xaxis.set_major_locator(plt.MaxNLocator(ticks, integer=True))
            axes.xaxis.set_major_formatter("{x:,.0f}")
        for axes in grid[:, 0]:
            axes.set_ylabel(textwrap.fill(self.label, 26))
        figure.suptitle(f"Learning curves: {self.label}")
        return figure

    def _floor(self, axes: "Axes", top: float) -> tuple[float, float] | None:
        """Make the axis logarithmic, with a strip for values below the floor; gives the floor and their height."""
        from matplotlib.ticker import LogLocator

        from augrnn.exhibits.style import plain, plain_ticks

        if self.floor is None:
            return None
        axes.set_yscale("log")
        axes.minorticks_off()
        plain_ticks(axes.yaxis)
        if not self._below:
            axes.yaxis.set_major_locator(
                LogLocator(subs=(1, 2, 5) if top < 50 * min(self._numbers, default=1) else (1,))
            )
            return None
        decades = math.log10(max(top / self.floor, 10.0))
        bottom = self.floor * 10 ** (-2 * STRIP * decades)
        middle = math.sqrt(bottom * self.floor)
        axes.axhspan(bottom, self.floor, color="0.88", lw=0, zorder=0)
        axes.set_ylim(bottom, top * 10 ** (STRIP * decades))
        exponents = range(math.floor(math.log10(self.floor)), math.floor(math.log10(top)) + 1)
        ticks = [10.0**exponent for exponent in exponents if 10.0**exponent > 1.01 * self.floor]
        axes.set_yticks([middle, *ticks], [f"below {self.floor:g}", *map(plain, ticks)])
        return self.floor, middle


@dataclass(frozen=True, eq=False)
class BySize(Exhibit):
    """A quantity at several sizes (lengths, say): the median over seeds as a line, every seed as a point.

    Attributes:
      found: for each variant and each of its runs the quantity by size.
      label: the quantity's name and unit.
      x: the size's name and unit.
      small: makes the axis logarithmic above this value, and linear below.
      even: whether sizes stand at equal distances, whatever their values.
    """

    found: Mapping[str, Sequence[Mapping[str, float | None]]]
    label: str
    x: str
    small: float | None = None
    even: bool = False

    @property
    def caption(self) -> str:
        counts = {name: len(runs) for name, runs in self.found.items()}
        if not any(counts.values()):
            return "No run has ended."
        parts = [
            f"{_capital(self.label)}, by {self.x}. Points: single seeds. Line: their median.",
            seeds.counted(counts),
        ]
        if sum(map(bool, counts.values())) > 1:
            parts.append("Variants stand a little beside each other, so that equal values can be seen.")
        short = sum(any(value is None for value in run.values()) for runs in self.found.values() for run in runs)
        if short:
            parts.append(seeds.missing(short))
        if self.small is not None:
            parts.append(f"The vertical axis is linear from 0 to {self.small:g}, and logarithmic above.")
        if self.even:
            parts.append("The values below stand at equal distances.")
        return " ".join(parts)

    def draw(self) -> "Figure":
        from augrnn.exhibits.style import WIDTH, empty, from_zero, legend, looks, plt

        shown = {variant: runs for variant, runs in self.found.items() if runs}
        if not shown:
            return empty("no run has ended")
        figure, axes = plt.subplots(figsize=(WIDTH, 3.4))
        sizes = sorted({size for runs in shown.values() for run in runs for size in run}, key=float)
        stand = np.arange(len(sizes)) if self.even else np.array(sizes, dtype=float)
        apart = 0.012 * (stand[-1] - stand[0])
        every = looks(self.found)
        for number, (variant, runs) in enumerate(shown.items()):
            places = stand + apart * (number - (len(shown) - 1) / 2)
            values = np.array([[run.get(size) for size in sizes] for run in runs], dtype=float)
            colour, line, marker = every[variant]
            axes.plot(places, seeds.quantiles(values, 0.5), color=colour, ls=line, marker=marker, ms=4, label=variant)
            axes.plot(places, values.T, ls="", marker=marker, color=colour, ms=3, alpha=0.4)
        if self.small is not None:
            from_zero(axes, self.small)
        axes.set_xticks(stand, sizes)
        axes.set(xlabel=self.x, ylabel=self.label, title=f"{_capital(self.label)}, by {self.x}")
        legend(axes)
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

    @property
    def caption(self) -> str:
        counts = {name: len(runs) for name, runs in self.found.items()}
        if not any(counts.values()):
            return "No run has ended."
        return (
            f"{_capital(self.label)}, by {self.x}. Point: one seed, the median over resamples of its examples. Bar: "
            f"the 95 % interval of these resamples. Seeds of a variant stand beside each other. {seeds.counted(counts)}"
        )

    def draw(self) -> "Figure":
        from augrnn.exhibits.style import WIDTH, empty, legend, looks, plt

        shown = {variant: runs for variant, runs in self.found.items() if runs}
        if not shown:
            return empty("no run has ended")
        figure, axes = plt.subplots(figsize=(WIDTH, 3.4))
        buckets = list(next(iter(shown.values()))[0])
        bars = sum(map(len, shown.values()))
        place = 0
        for variant, look in looks(self.found).items():
            for number, run in enumerate(self.found[variant]):
                low, middle, high = np.array([run[name] for name in buckets], dtype=float).T
                axes.errorbar(
                    np.arange(len(buckets)) + 0.7 * ((place + 0.5) / bars - 0.5),
                    middle,
                    [middle - low, high - middle],
                    fmt=look.marker,
                    ms=3.5,
                    lw=1,
                    color=look.colour,
                    label="_nolegend_" if number else variant,
                )
                place += 1
        axes.set_xticks(range(len(buckets)), buckets, parse_math=False)
        axes.set(xlabel=self.x, ylabel=self.label, title=f"{_capital(self.label)}, by {self.x}")
        legend(axes)
        return figure


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


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
