"""What a memory's heads do while they copy one sequence, after figure 6 of the Neural Turing Machine paper."""

# T = time steps, N = memory rows shown

from dataclasses import dataclass
from typing import TYPE_CHECKING

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

    title: str
    inputs: Array
    outputs: Array
    adds: Array
    reads: Array
    write: Array
    read: Array

    def figure(self) -> "Figure":
        from augrnn.exhibits.style import WIDTH, plt

        steps = len(self.write)
        middle = steps // 2
        figure, axes = plt.subplots(3, 2, figsize=(WIDTH, 5.2), height_ratios=(1, 2, 3))
        for panels, (seen, seen_title, given, given_title) in zip(axes, PANELS, strict=True):
            for panel, name, label, span in (
                (panels[0], seen, seen_title, slice(0, middle + 1)),
                (panels[1], given, given_title, slice(middle + 1, steps)),
            ):
                panel.imshow(getattr(self, name)[span].T, aspect="auto", origin="upper")
                panel.set_title(label, fontsize=9)
                panel.set_xticks([])
                panel.set_yticks([])
                panel.grid(False)
        axes[2, 0].set(ylabel="memory rows", xlabel="time")
        axes[2, 1].set(xlabel="time")
        figure.suptitle(self.title, fontsize=10)
        return figure
