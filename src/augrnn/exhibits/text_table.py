"""Rows of text."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from augrnn.exhibits.exhibit import Exhibit

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class TextTable(Exhibit):
    """A table of texts.

    Attributes:
      columns: the names of the columns.
      rows: the texts, a row's as many as there are columns.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def figure(self) -> "Figure":
        from augrnn.exhibits.fonts import drawable
        from augrnn.exhibits.style import WIDTH, plt

        figure, axes = plt.subplots(figsize=(2 * WIDTH, 0.3 * (len(self.rows) + 2)))
        axes.axis("off")
        rows = [list(drawable(row)) for row in self.rows]
        table = axes.table(rows, colLabels=list(drawable(self.columns)), cellLoc="left", loc="center")
        table.auto_set_font_size(False)
        return figure
