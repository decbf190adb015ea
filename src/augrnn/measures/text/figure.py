"""How long a model ponders at each byte of a text, after figures 23 and 24 of Graves 2016."""

# T = time steps shown

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from augrnn.exhibits.exhibit import Array, Exhibit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROW = 60
"""Bytes of a row."""

SIGNS = {"\n": "↵", " ": "␣"}
"""What stands for characters that cannot be seen."""

OTHER = "·"
"""Stands for a byte that is no ASCII character."""


def signs(text: bytes) -> str:
    """A sign for each byte of a text."""
    characters = (chr(value) for value in text)
    return "".join(SIGNS.get(each, each if "!" <= each <= "~" else OTHER) for each in characters)


@dataclass(frozen=True, eq=False)
class PonderedText(Exhibit):
    """The inner steps at each byte of a text, and what the byte after it costs, in rows.

    Attributes:
      title: over the picture.
      text: a sign for each byte that is read, T of them.
      steps: inner steps, (T,).
      bits: what the byte after each costs, (T,).
    """

    title: str
    text: str
    steps: Array
    bits: Array

    @property
    def caption(self) -> str:
        return (
            f"Part of one text, byte by byte. Bars: the inner steps that are taken when the byte below is read, on the "
            f"scale at the left. Line: the bits that the byte after it then costs, on the scale at the right. "
            f"{SIGNS[' ']} is a space, {SIGNS[chr(10)]} the end of a line, {OTHER} a byte that is no ASCII character."
        )

    def draw(self) -> "Figure":
        from augrnn.exhibits.fonts import drawable
        from augrnn.exhibits.style import PALETTE, WIDTH, empty, plt

        if not len(self.steps):
            return empty("no text")
        rows = -(-len(self.text) // ROW)
        figure, grid = plt.subplots(rows, 1, figsize=(WIDTH, 0.5 + 1.4 * rows), sharey=True, squeeze=False)
        most_steps, most_bits = max(1, self.steps.max()), max(1, np.nanmax(self.bits))
        characters = drawable(list(self.text))
        for row, axes in enumerate(grid[:, 0]):
            part = slice(row * ROW, (row + 1) * ROW)
            places = np.arange(len(self.steps[part]))
            axes.bar(places, self.steps[part], color=PALETTE[0], width=0.8)
            axes.set(xlim=(-0.7, ROW - 0.3), ylim=(0, 1.05 * most_steps), ylabel="inner steps")
            axes.set_xticks(places, characters[part], fontsize=7)
            axes.tick_params(axis="x", length=0)
            axes.yaxis.set_major_locator(plt.MaxNLocator(4, integer=True))
            axes.grid(False, axis="x")
            bits = axes.twinx()
            bits.plot(places, self.bits[part], color=PALETTE[1], lw=0.9)
            bits.set(ylim=(0, 1.05 * most_bits), ylabel="bits")
            bits.grid(False)
        figure.suptitle(self.title)
        return figure
