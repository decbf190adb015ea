"""Dynamic N-grams: predictions and heads, after figures 14 and 15 of the Neural Turing Machine paper."""

# T = time steps shown, N = memory rows shown, C = contexts that occur

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from augrnn.exhibits import seeds
from augrnn.exhibits.exhibit import Array, Exhibit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SPAN = 20
"""Bits of a span in which the excess over the optimum is summed."""


@dataclass(frozen=True, eq=False)
class NgramTrace(Exhibit):
    """The model's and the optimal predictions over the write and the read weighting, over some steps of a sequence.

    Attributes:
      title: over the picture.
      first: the number of the first step shown.
      inputs: the bit before each, (T,).
      predictions, optimal: the probabilities of a one of the model and of the optimal estimator, (T,).
      write, read: weightings (T, N).
    """

    vector: ClassVar[bool] = False

    title: str
    first: int
    inputs: Array
    predictions: Array
    optimal: Array
    write: Array
    read: Array

    @property
    def caption(self) -> str:
        return (
            "Part of one sequence; time runs to the right. Top: the probability of a one, by the model (thin line) "
            "and by the optimal estimator (thick grey line); dots: the bit that followed, 0 or 1. Below: the weights "
            "of the write head and of the read head over the memory rows that are used. Colours: the weight, on the "
            "scale beside each panel."
        )

    def draw(self) -> "Figure":
        from augrnn.exhibits.style import PALETTE, WIDTH, heat, plt

        time = self.first + np.arange(len(self.inputs))
        figure, axes = plt.subplots(3, 1, figsize=(WIDTH, 5.8), height_ratios=(2, 3, 3), sharex=True)
        axes[0].step(time, self.optimal, where="mid", color="0.65", lw=3, label="optimal")
        axes[0].step(time, self.predictions, where="mid", color=PALETTE[1], lw=1, label="model")
        axes[0].plot(time[:-1], self.inputs[1:], ".", color="black", ms=3, label="the bit")
        axes[0].set(ylim=(-0.06, 1.06), ylabel="P(one)")
        axes[0].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, fontsize=8, borderaxespad=0.2)
        for panel, kind in zip(axes[1:], ("write", "read"), strict=True):
            heat(panel, getattr(self, kind), f"{kind} weighting", "memory row", first=self.first)
        axes[2].set_xlabel("time step")
        figure.suptitle(self.title)
        return figure


@dataclass(frozen=True, eq=False)
class RowsByContext(Exhibit):
    """How often each row has the largest weight, for each context that occurs; a perfect head has one cell a line.

    Attributes:
      title: over the picture.
      contexts: of the write head and of the read head, the bits of each context ("01101").
      shares: of both, the share of the context's steps, (C, N).
      lags: of both, steps back from the context that predicts the step's bit.
    """

    vector: ClassVar[bool] = False

    title: str
    contexts: tuple[tuple[str, ...], ...]
    shares: tuple[Array, ...]
    lags: tuple[int, ...]

    @property
    def caption(self) -> str:
        return (
            "Each line of a panel is a context, the bits before the one that is predicted; each column is a memory "
            "row. Colour of a cell: the share of the context's steps at which the row has the head's largest weight, "
            "from 0 to 1. A head that keeps a row for each context has one bright cell a line."
        )

    def draw(self) -> "Figure":
        from matplotlib.ticker import MaxNLocator

        from augrnn.exhibits.style import WIDTH, plt

        height = max(2.4, 1.2 + 0.14 * max(map(len, self.contexts)))
        figure, axes = plt.subplots(1, 2, figsize=(WIDTH, height))
        heads = zip(axes, ("write", "read"), self.contexts, self.shares, self.lags, strict=True)
        for panel, kind, contexts, shares_CN, lag in heads:
            image = panel.imshow(shares_CN, aspect="auto", vmin=0, vmax=1)
            panel.set_yticks(range(len(contexts)), contexts, fontsize=7)
            panel.set(title=f"{kind} head, {'this' if lag == 0 else 'previous'} context", xlabel="memory row")
            panel.xaxis.set_major_locator(MaxNLocator(6, integer=True))
            panel.grid(False)
        axes[0].set_ylabel("context")
        figure.colorbar(image, ax=axes, shrink=0.6, label="share of the context's steps")
        figure.suptitle(self.title)
        return figure


@dataclass(frozen=True, eq=False)
class ExcessByPosition(Exhibit):
    """Bits above the optimal estimator along the sequence: the median over seeds as a line, every seed a thin one.

    Attributes:
      found: for each variant and each of its runs the excess in consecutive spans of SPAN bits.
    """

    found: Mapping[str, Sequence[Sequence[float | None]]]

    @property
    def _curves(self) -> dict[str, list[tuple[Any, Any]]]:
        """Each run's middles of the spans and its values."""
        return {
            variant: [((np.arange(len(run)) + 0.5) * SPAN, run) for run in runs] for variant, runs in self.found.items()
        }

    @property
    def caption(self) -> str:
        return (
            f"Cost above that of the optimal estimator, in bits, summed over spans of {SPAN} bits of the sequence. "
            f"{seeds.told(self._curves)} Dashed line at 0: the optimal estimator."
        )

    def draw(self) -> "Figure":
        from augrnn.exhibits.style import WIDTH, legend, looks, plt

        figure, axes = plt.subplots(figsize=(WIDTH, 3.4))
        every = looks(self.found)
        for variant, runs in self._curves.items():
            if runs:
                seeds.draw(axes, runs, every[variant], variant)
        axes.axhline(0, color="0.3", ls=(0, (4, 3)), lw=1)
        axes.set(xlabel="position in the sequence (bits)", ylabel=f"bits above the optimum in {SPAN} bits")
        axes.set_title("Cost above the optimal estimator, by position")
        legend(axes)
        return figure
