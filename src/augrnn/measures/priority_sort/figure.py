"""How a memory sorts by priority, after figure 17 of the Neural Turing Machine paper."""

# P = vectors of all sequences, K = vectors of one sequence, S = steps of the answer, N = memory rows shown

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

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

    vector: ClassVar[bool] = False

    title: str
    priorities: Array
    locations: Array
    line: Line
    write: Array
    read: Array

    @property
    def caption(self) -> str:
        return (
            "Left: dots are the vectors of a batch, each at its priority and at the row where the write head that fits "
            "best writes it, counted from the first row that it uses; the line is fitted to them and explains "
            f"{100 * self.line.r2:.0f} % of the variance (R² {self.line.r2:.2f}). Middle and right, for one sequence: "
            "the write weighting of each vector, from the highest priority to the lowest, and the read weighting at "
            "each step of the answer. Colours: the weight, on the scale beside each panel."
        )

    def draw(self) -> "Figure":
        from augrnn.exhibits.style import PALETTE, WIDTH, heat, plt

        figure, axes = plt.subplots(1, 3, figsize=(1.25 * WIDTH, 3.2), width_ratios=(1.1, 1, 1))
        axes[0].plot(self.priorities, self.locations, ".", color=PALETTE[0], ms=2, alpha=0.3)
        ends = np.array([-1.0, 1.0])
        axes[0].plot(ends, self.line.intercept + self.line.slope * ends, color=PALETTE[1], lw=1.8)
        axes[0].set(title=f"write location, R² {self.line.r2:.2f}", xlabel="priority", ylabel="memory row")
        heat(axes[1], self.write, "write weighting", "memory row", first=1, upwards=True)
        axes[1].set_xlabel("vector, highest priority first")
        heat(axes[2], self.read, "read weighting", "", first=1, upwards=True)
        axes[2].set_xlabel("time step of the answer")
        figure.suptitle(self.title)
        return figure
