"""Where a model looked in a picture when it gave each word, after figure 3 of Xu et al. 2015."""

# S = pixels a side, M = words, R = rows and C = columns of the grid

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from augrnn.exhibits.exhibit import Array, Exhibit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANEL, COLUMNS = 1.25, 6
"""Inches of a panel's side, and panels a row."""

DARKEST = 0.15
"""The brightness of what has no weight."""

SEEN = (
    "Brightness: the weight of each place over the largest in the map of that word, smooth between the middles of the "
    "grid's cells. The picture is squashed to the square that the model was given."
)
"""What overlays show, for captions."""


@dataclass(frozen=True, eq=False)
class WordMaps(Exhibit):
    """A picture, and the same behind the map of each word, bright where the model looked.

    Attributes:
      picture: as the model was given it, (S, S, 3), 0 to 255.
      maps: the weights of the grid's cells for each word, (M, R, C).
      words: the M words.
    """

    vector: ClassVar[bool] = False

    picture: Array
    maps: Array
    words: tuple[str, ...]

    @property
    def caption(self) -> str:
        rows, columns = self.maps.shape[1:] if self.maps.ndim == 3 else (0, 0)
        return f"The picture, and where the model looked in a grid of {rows} x {columns} cells for each word. {SEEN}"

    def draw(self) -> "Figure":
        from augrnn.exhibits.fonts import drawable
        from augrnn.exhibits.style import plt

        columns = min(COLUMNS, 1 + len(self.words))
        rows = -(-(1 + len(self.words)) // columns)
        size = (PANEL * max(3, columns), (PANEL + 0.2) * rows)
        figure, grid = plt.subplots(rows, columns, figsize=size, squeeze=False)
        for axes in grid.flat:
            axes.set_axis_off()
        shown = [self.picture.astype(np.uint8), *(shaded(self.picture, map_RC) for map_RC in self.maps)]
        titles = ["", *drawable(self.words)]
        for axes, picture, word in zip(grid.flat, shown, titles, strict=False):
            axes.imshow(picture)
            axes.set_title(word)
        return figure


def brightness(map_RC: NDArray[Any]) -> NDArray[np.float64]:
    """How bright each cell is shown, from DARKEST to 1 where the weight is the largest."""
    most = float(map_RC.max())
    return DARKEST + (1 - DARKEST) * (map_RC / most if most > 0 else np.zeros_like(map_RC, dtype=np.float64))


def shaded(picture_SS3: NDArray[Any], map_RC: NDArray[Any]) -> NDArray[np.uint8]:
    """A picture as bright as a map says, which is drawn out to its size, smooth between the middles of cells."""
    from PIL import Image

    height, width = picture_SS3.shape[:2]
    cells = Image.fromarray(brightness(map_RC).astype(np.float32))
    bright_SS = np.asarray(cells.resize((width, height), Image.Resampling.BILINEAR))
    return np.clip(picture_SS3 * bright_SS[..., None], 0, 255).astype(np.uint8)
