"""Dynamic N-grams: predictions and heads, after figures 14 and 15 of the Neural Turing Machine paper."""

# T = time steps shown, N = memory rows shown, C = contexts that occur

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

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

    title: str
    first: int
    inputs: Array
    predictions: Array
    optimal: Array
    write: Array
    read: Array

    def figure(self) -> "Figure":
        from augrnn.exhibits.style import PALETTE, WIDTH, plt

        time = self.first + np.arange(len(self.inputs))
        figure, axes = plt.subplots(3, 1, figsize=(WIDTH, 5.4), height_ratios=(2, 3, 3), sharex=True)
        axes[0].step(time, self.optimal, where="mid", color="0.6", lw=2.5, label="optimal")
        axes[0].step(time, self.predictions, where="mid", color=PALETTE[1], lw=1, label="model")
        axes[0].plot(time[:-1], self.inputs[1:], ".", color="black", ms=2.5, label="the bit")
        axes[0].set(ylim=(-0.05, 1.05), ylabel="P(one)")
        axes[0].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, fontsize=8, borderaxespad=0.2)
        for panel, kind in zip(axes[1:], ("write", "read"), strict=True):
            weighting_TN = getattr(self, kind)
            box = (time[0] - 0.5, time[-1] + 0.5, weighting_TN.shape[1] - 0.5, -0.5)
            panel.imshow(weighting_TN.T, aspect="auto", origin="upper", extent=box, vmin=0, vmax=1)
            panel.set_title(f"{kind} weighting", fontsize=9)
            panel.set(ylabel="memory rows", yticks=[])
            panel.grid(False)
        axes[2].set_xlabel("time")
        figure.suptitle(self.title, fontsize=10)
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

    title: str
    contexts: tuple[tuple[str, ...], ...]
    shares: tuple[Array, ...]
    lags: tuple[int, ...]

    def figure(self) -> "Figure":
        from augrnn.exhibits.style import WIDTH, plt

        figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 4.4))
        heads = zip(axes, ("write", "read"), self.contexts, self.shares, self.lags, strict=True)
        for panel, kind, contexts, shares_CN, lag in heads:
            image = panel.imshow(shares_CN, aspect="auto", vmin=0, vmax=1)
            panel.set_yticks(range(len(contexts)), contexts, fontsize=5)
            panel.set_title(f"{kind} head, {'this' if lag == 0 else 'previous'} context", fontsize=9)
            panel.set(xlabel="memory rows", xticks=[])
            panel.grid(False)
        axes[0].set_ylabel("context")
        figure.colorbar(image, ax=axes, shrink=0.6, label="share of the context's steps")
        figure.suptitle(self.title, fontsize=10)
        return figure


@dataclass(frozen=True, eq=False)
class ExcessByPosition(Exhibit):
    """Bits above the optimal estimator along the sequence: the median over seeds as a line, every seed a thin one.

    Attributes:
      found: for each variant and each of its runs the excess in consecutive spans of SPAN bits.
    """

    found: Mapping[str, Sequence[Sequence[float | None]]]

    def figure(self) -> "Figure":
        from augrnn.exhibits.style import WIDTH, colours, plt

        figure, axes = plt.subplots(figsize=(WIDTH, 3.4))
        for variant, colour in colours(self.found).items():
            if not self.found[variant]:
                continue
            values = np.array(self.found[variant], dtype=float)
            middles = (np.arange(values.shape[1]) + 0.5) * SPAN
            axes.plot(middles, values.T, color=colour, lw=0.6, alpha=0.4)
            axes.plot(middles, np.nanmedian(values, axis=0), ".-", color=colour, lw=1.8, label=variant)
        axes.axhline(0, color="0.4", ls="--", lw=1)
        axes.set(xlabel="position in the sequence (bits)", ylabel=f"bits above the optimum in {SPAN} bits")
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
        return figure
