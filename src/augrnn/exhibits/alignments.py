"""Soft alignments, after figure 3 of Bahdanau et al. 2014."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from augrnn.exhibits.exhibit import Array, Exhibit

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Alignments(Exhibit):
    """Weights of target words (rows) over source words (columns), black for 0 and white for 1, two panels a row.

    Attributes:
      weights: for each sentence (M, L).
      sources: its L source words.
      targets: its M target words.
      written: whether the model wrote the target words; else the words before each were given (those of a reference).
    """

    weights: tuple[Array, ...]
    sources: tuple[tuple[str, ...], ...]
    targets: tuple[tuple[str, ...], ...]
    written: bool = False

    def figure(self) -> "Figure":
        from augrnn.exhibits.fonts import drawable
        from augrnn.exhibits.style import plt

        columns = min(2, len(self.weights))
        rows = -(-len(self.weights) // columns)
        figure, grid = plt.subplots(rows, columns, figsize=(4.5 * columns, 4.4 * rows), squeeze=False)
        for axes in grid.flat[len(self.weights) :]:
            axes.set_visible(False)
        for axes, weights_ML, source, target in zip(grid.flat, self.weights, self.sources, self.targets, strict=False):
            axes.imshow(weights_ML, cmap="gray", vmin=0, vmax=1)
            axes.set_xticks(range(len(source)), drawable(source), rotation=90)
            axes.set_yticks(range(len(target)), drawable(target))
            axes.set_ylabel("target, written by the model" if self.written else "target, given to the model")
            axes.xaxis.tick_top()
            axes.grid(False)
        return figure
