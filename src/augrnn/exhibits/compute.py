"""What methods reach, and the inner steps that it takes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from augrnn.exhibits import seeds
from augrnn.exhibits.exhibit import Exhibit

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class AgainstSteps(Exhibit):
    """A quantity against the mean number of inner steps: a point for each run, so that equal compute can be compared.

    Attributes:
      found: for each method and each of its runs (inner steps, the quantity); None where a run has none.
      label: the quantity's name and unit.
      lines: dashed lines across, by what they are.
      small: makes the vertical axis logarithmic above this value, and linear below.
    """

    found: Mapping[str, Sequence[tuple[float | None, float | None]]]
    label: str
    lines: Mapping[str, float] = field(default_factory=dict)
    small: float | None = None

    @property
    def caption(self) -> str:
        counts = {name: len(runs) for name, runs in self.found.items()}
        if not any(counts.values()):
            return "No run has ended."
        parts = [
            f"{self.label[:1].upper()}{self.label[1:]}, against the mean number of inner steps. Point: one run.",
            f"Runs: {', '.join(f'{name} {count}' for name, count in counts.items())}.",
        ]
        parts += [f"Dashed line: {name}, {value:.4g}." for name, value in self.lines.items()]
        lacking = sum(not np.isfinite(seeds.known(run)).all() for runs in self.found.values() for run in runs)
        if lacking:
            parts.append(f"Not drawn: {lacking} without a value.")
        if self.small is not None:
            parts.append(f"The vertical axis is linear from 0 to {self.small:g}, and logarithmic above.")
        return " ".join(parts)

    def draw(self) -> "Figure":
        from augrnn.exhibits.style import WIDTH, empty, from_zero, legend, looks, plt

        if not any(self.found.values()):
            return empty("no run has ended")
        figure, axes = plt.subplots(figsize=(WIDTH, 3.4))
        for name, (colour, _, marker) in looks(self.found).items():
            if self.found[name]:
                steps, values = (seeds.known(each) for each in zip(*self.found[name], strict=True))
                axes.plot(steps, values, ls="", marker=marker, ms=6, mfc="none", mec=colour, mew=1.3, label=name)
        for name, value in self.lines.items():
            axes.axhline(value, color="0.3", ls=(0, (4, 3)), lw=1)
            over = {"ha": "right", "va": "bottom", "size": 7.5, "color": "0.3"}
            axes.text(1, value, name, over, transform=axes.get_yaxis_transform())
        axes.margins(y=0.08)
        if self.small is not None:
            from_zero(axes, self.small)
        low, high = axes.get_xlim()
        axes.set_xlim(min(low, 0.8), max(high, 2.2))
        axes.set(xlabel="inner steps (mean)", ylabel=self.label)
        axes.set_title(f"{self.label[:1].upper()}{self.label[1:]}, against inner steps")
        legend(axes)
        return figure


@dataclass(frozen=True, eq=False)
class StepsOverTime(Exhibit):
    """The number of inner steps along a sequence: the median over seeds as a line, every seed a thin one.

    Attributes:
      found: for each variant and each of its runs the mean number of inner steps at each step in time.
      marks: upright dashed lines at steps in time, by what they are.
    """

    found: Mapping[str, Sequence[Sequence[float | None]]]
    marks: Mapping[str, int] = field(default_factory=dict)

    @property
    def _curves(self) -> dict[str, list[tuple[Any, Any]]]:
        """Each run's steps in time, from 0, and its numbers."""
        return {variant: [(range(len(run)), run) for run in runs] for variant, runs in self.found.items()}

    @property
    def caption(self) -> str:
        marks = "".join(f" Upright dashed line: {name}, at step {place}." for name, place in self.marks.items())
        return f"Mean number of inner steps at each step in time. {seeds.told(self._curves)}{marks}"

    def draw(self) -> "Figure":
        from augrnn.exhibits.style import WIDTH, empty, legend, looks, plt

        if not any(self.found.values()):
            return empty("no run has ended")
        figure, axes = plt.subplots(figsize=(WIDTH, 3.0))
        every = looks(self.found)
        for variant, runs in self._curves.items():
            if runs:
                seeds.draw(axes, runs, every[variant], variant)
        for name, place in self.marks.items():
            axes.axvline(place, color="0.3", ls=(0, (4, 3)), lw=1)
            over = {"ha": "left", "va": "top", "size": 7.5, "color": "0.3"}
            axes.text(place, 1, f" {name}", over, transform=axes.get_xaxis_transform())
        axes.margins(y=0.12)
        axes.set(xlabel="step in time", ylabel="inner steps (mean)", title="Inner steps, by step in time")
        axes.xaxis.set_major_locator(plt.MaxNLocator(9, integer=True))
        legend(axes)
        return figure
