"""Rows of text."""

import textwrap
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from augrnn.exhibits.exhibit import Exhibit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LETTERS = 150
"""Letters of a row in a picture, all columns together."""


@dataclass(frozen=True, eq=False)
class TextTable(Exhibit):
    """A table of texts.

    Attributes:
      columns: the names of the columns.
      rows: the texts, a row's as many as there are columns.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def caption(self) -> str:
        return f"Columns: {', '.join(self.columns)}. Each row is one example." if self.rows else "No examples."

    def draw(self) -> "Figure":
        from matplotlib.transforms import Bbox

        from augrnn.exhibits.fonts import drawable
        from augrnn.exhibits.style import WIDTH, empty, plt

        if not self.rows:
            return empty("no examples")
        letters = LETTERS // len(self.columns)
        texts = [[textwrap.fill(text, letters) for text in drawable(row)] for row in (self.columns, *self.rows)]
        lines = [1.5 + max(text.count("\n") + 1 for text in row) for row in texts]
        figure, axes = plt.subplots(figsize=(2 * WIDTH, 0.15 * sum(lines)))
        axes.axis("off")
        table = axes.table(texts, cellLoc="left", bbox=Bbox.unit())
        table.auto_set_font_size(False)
        for (row, _), cell in table.get_celld().items():
            cell.set_height(lines[row])
            cell.set(edgecolor="0.8", facecolor="0.93" if row == 0 else "white")
        return figure

    def _repr_html_(self) -> str:
        head, *body = (
            "".join(f"<{tag}>{escape(text)}</{tag}>" for text in row)
            for tag, row in (("th", self.columns), *(("td", row) for row in self.rows))
        )
        rows = "".join(f"<tr>{row}</tr>" for row in body)
        return f"<table><caption>{escape(self.caption)}</caption><tr>{head}</tr>{rows}</table>"
