"""Soft alignments, after figure 3 of Bahdanau et al. 2014."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from augrnn.exhibits.exhibit import Array, Exhibit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CELL, LETTER, LONGEST = 0.24, 0.08, 20
"""Inches of a word's row or column, of a letter, and at most of a panel."""

MOST = 80
"""Words that are written along a side of a panel."""


@dataclass(frozen=True, eq=False)
class Alignments(Exhibit):
    """Weights of target words (rows) over source words (columns), black for 0 and white for 1, two panels a row.

    Attributes:
      weights: for each sentence (M, L).
      sources: its L source words.
      targets: its M target words.
      sides: what sources and targets are, "source: English" and "target: French".
    """

    vector: ClassVar[bool] = False

    weights: tuple[Array, ...]
    sources: tuple[tuple[str, ...], ...]
    targets: tuple[tuple[str, ...], ...]
    sides: tuple[str, ...] = ("source", "target")

    @property
    def caption(self) -> str:
        if not self.weights:
            return "No alignments: the model has no attention."
        source, target = self.sides
        panels = "Each panel is one sentence. " if len(self.weights) > 1 else ""
        return (
            f"{panels}Columns: {source}. Rows: {target}. Brightness of a cell: the weight with which the model looked "
            "at the word of the column when it gave the word of the row, from 0 (black) to 1 (white)."
        )

    def draw(self) -> "Figure":
        from augrnn.exhibits.fonts import drawable
        from augrnn.exhibits.style import empty, plt

        if not self.weights:
            return empty("no alignments")
        columns = min(2, len(self.weights))
        rows = -(-len(self.weights) // columns)
        width, height = (
            min(LONGEST, CELL * max(map(len, along)) + LETTER * max(map(len, sum(across, ()))) + 0.6)
            for along, across in ((self.sources, self.targets), (self.targets, self.sources))
        )
        size = (max(4.0, width * columns + 0.7), height * rows)
        figure, grid = plt.subplots(rows, columns, figsize=size, squeeze=False)
        for axes in grid.flat[len(self.weights) :]:
            axes.set_visible(False)
        for axes, weights_ML, source, target in zip(grid.flat, self.weights, self.sources, self.targets, strict=False):
            image = axes.imshow(weights_ML, cmap="gray", vmin=0, vmax=1)
            across, down = (range(0, len(words), 1 + len(words) // MOST) for words in (source, target))
            axes.set_xticks(across, drawable([source[i] for i in across]), rotation=90)
            axes.set_yticks(down, drawable([target[i] for i in down]))
            axes.xaxis.tick_top()
            axes.xaxis.set_label_position("top")
            axes.set(xlabel=self.sides[0], ylabel=self.sides[1])
            axes.grid(False)
        figure.colorbar(image, ax=grid, shrink=0.5, aspect=30, label="attention weight")
        return figure


GIVEN, WRITTEN = "reference, given", "the model's"
"""Whose the words of a target are: of the reference, which the model was given word by word, or its own."""

LANGUAGES = {"cs": "Czech", "de": "German", "en": "English", "fr": "French"}
"""The languages of Multi30k; others are named by their two letters."""


def sides(source: str, target: str, words: str) -> tuple[str, str]:
    """The names of both sides of a translation.

    Args:
      source: a language, two letters.
      target: another.
      words: whose the target's are: GIVEN or WRITTEN.
    """
    names = (LANGUAGES.get(language, language) for language in (source, target))
    return f"source: {next(names)}", f"target: {next(names)} ({words})"
