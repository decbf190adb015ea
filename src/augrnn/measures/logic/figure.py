"""Errors on logic by the number of gates, beside those of nets that apply only the last gates."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from augrnn.exhibits.curves import BySize

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class BesideGuesses(BySize):
    """A quantity at several sizes, with lines of what can be computed.

    Attributes:
      guesses: for each line its name and its values by size.
    """

    guesses: Mapping[str, Mapping[str, float]] | None = None

    @property
    def caption(self) -> str:
        names = ", ".join(self.guesses or {})
        return f"{super().caption} Thin grey lines, from top to bottom, are computed: {names}."

    def draw(self) -> "Figure":
        figure = super().draw()
        for axes in figure.axes:
            for line in (self.guesses or {}).values():
                places = sorted(line, key=int)
                axes.plot(
                    [int(size) for size in places], [line[size] for size in places], color="0.6", lw=0.8, zorder=0
                )
        return figure
