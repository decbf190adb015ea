"""What a memory's heads do while they copy one sequence, after figure 6 of the Neural Turing Machine paper."""

# T = time steps, N = memory rows shown

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from augrnn.exhibits.exhibit import Array, Exhibit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANELS = (
    ("inputs", "input", "outputs", "output"),
    ("adds", "add vectors", "reads", "read vectors"),
    ("write", "write weighting", "read", "read weighting"),
)
"""Each row: a field and its title while the sequence is seen, and while it is given back."""


@dataclass(frozen=True, eq=False)
class CopyTrace(Exhibit):
    """Inputs over outputs, add over read vectors, write over read weightings; time runs to the right.

    Attributes:
      title: over the picture.
      inputs, outputs, adds, reads: (T, channels).
      write, read: weightings (T, N).
    """

    vector: ClassVar[bool] = False

    title: str
    inputs: Array
    outputs: Array
    adds: Array
    reads: Array
    write: Array
    read: Array

    @property
    def caption(self) -> str:
        return (
            "One sequence; time runs to the right. Left: while the sequence is seen. Right: while it is given back. "
            "From top to bottom: input and output (probability of a one); the vectors that the write head adds and "
            "that the read head reads; the weights of both heads over the memory rows that are used. Colours: the "
            "value, on the scale beside each panel."
        )

    def draw(self) -> "Figure":
        from augrnn.exhibits.style import WIDTH, heat, plt

        steps = len(self.write)
        middle = steps // 2
        figure, axes = plt.subplots(3, 2, figsize=(WIDTH, 5.4), height_ratios=(1, 2, 3), sharex="col")
        kinds = ("channel", "vector entry", "memory row")
        for panels, kind, (seen, seen_title, given, given_title) in zip(axes, kinds, PANELS, strict=True):
            heat(panels[0], getattr(self, seen)[: middle + 1], seen_title, kind)
            heat(panels[1], getattr(self, given)[middle + 1 :], given_title, "", first=middle + 1)
        for panel in axes[2]:
            panel.set_xlabel("time step")
        figure.suptitle(self.title)
        return figure
