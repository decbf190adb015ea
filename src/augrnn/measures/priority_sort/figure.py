"""How a memory sorts by priority, after figure 17 of the Neural Turing Machine paper."""

# P = vectors of all sequences, K = vectors of one sequence, S = steps of the answer, N = memory rows shown

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from augrnn.exhibits.exhibit import Array, Exhibit

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Line(NamedTuple):
    """A fitted line: `slope`, `intercept`, and `r2`, the share of the variance that it explains."""

    slope: float
    intercept: float
    r2: float


@dataclass(frozen=True, eq=False)
class SortedWrites(Exhibit):
    """Write location against priority with the fitted line; the writes from the highest priority down; the reads.

    Attributes:
      title: over the picture.
      priorities, locations: (P,), where the vectors of a batch are written.
      line: location against priority.
      write: the write weighting of each vector of one sequence, (K, N), highest priority first.
      read: the read weighting of its answer, (S, N).
    """

    title: str
    priorities: Array
    locations: Array
    line: Line
    write: Array
    read: Array

    def figure(self) -> "Figure":
        from augrnn.exhibits.style import PALETTE, WIDTH, plt

        figure, axes = plt.subplots(1, 3, figsize=(WIDTH, 2.8), width_ratios=(1.2, 1, 1))
        axes[0].plot(self.priorities, self.locations, ".", color=PALETTE[0], ms=2, alpha=0.3)
        ends = np.array([-1.0, 1.0])
        axes[0].plot(ends, self.line.intercept + self.line.slope * ends, color=PALETTE[1], lw=1.5)
        axes[0].set_title(f"write location, R² {self.line.r2:.2f}", fontsize=9)
        axes[0].set(xlabel="priority", ylabel="memory row")
        panels = (
            (axes[1], self.write, "write weighting", "vectors, highest priority first"),
            (axes[2], self.read, "read weighting", "time, in the answer"),
        )
        for panel, weighting, label, x_label in panels:
            panel.imshow(weighting.T, aspect="auto", origin="lower", vmin=0, vmax=1)
            panel.set_title(label, fontsize=9)
            panel.set(xticks=[], yticks=[], xlabel=x_label)
            panel.grid(False)
        axes[1].set_ylabel("memory rows")
        figure.suptitle(self.title, fontsize=10)
        return figure
