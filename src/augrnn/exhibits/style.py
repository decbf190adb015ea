"""How every picture looks: colours and line styles by variant, maps of numbers, the caption, and one way to save."""

import io
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, NamedTuple

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from augrnn.errors import UserError
from augrnn.exhibits.fonts import drawable
from augrnn.files import replacing

WIDTH = 6.4
"""Inches of a picture."""

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's colours, which colour-blind readers can tell apart."""

LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)))
MARKERS = "os^Dvp"
"""What tells variants apart where there is no colour."""

FORMATS: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""The formats of pictures, with what is left out of each: dates and versions."""

DPI = 120
"""Pixels an inch in a PNG."""

CAPTION_SIZE = 7.5
"""Points of a caption's letters."""

plt.rcParams.update(
    {
        "figure.constrained_layout.use": True,
        "figure.dpi": DPI,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.alpha": 0.25,
        "legend.frameon": False,
        "legend.handlelength": 2.6,
        "font.size": 9,
        "axes.titlesize": 9,
        "figure.titlesize": 10,
        "image.cmap": "viridis",
        "image.interpolation": "nearest",
        "svg.hashsalt": "augrnn",
        "pdf.fonttype": 42,
    }
)


class Look(NamedTuple):
    """How a variant is drawn."""

    colour: str
    line: Any
    marker: str


def looks(names: Iterable[str]) -> dict[str, Look]:
    """A look for each name, in their order."""
    return {
        name: Look(PALETTE[i % len(PALETTE)], LINES[i % len(LINES)], MARKERS[i % len(MARKERS)])
        for i, name in enumerate(names)
    }


def plain(value: float) -> str:
    """A number as a tick has it: 0.01, not a power of ten."""
    return np.format_float_positional(value, precision=4, fractional=False, trim="-")


def plain_ticks(axis: Any) -> None:
    """Label a logarithmic axis with plain numbers."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))


def from_zero(axes: Axes, small: float) -> None:
    """A vertical axis that starts at 0: linear up to `small`, logarithmic above; called when all is drawn.

    It reaches at least to `small`.
    """
    axes.set_yscale("symlog", linthresh=small)
    axes.set_ylim(-small / 5, max(axes.get_ylim()[1], small))
    plain_ticks(axes.yaxis)


def legend(axes: Axes) -> None:
    """The names of what is drawn, right of the axes; nothing where nothing has a name."""
    drawn: tuple[Any, ...] = (*axes.lines, *axes.containers)
    named = [each for each in drawn if not str(each.get_label()).startswith(("_child", "_nolegend_"))]
    if named:
        names = [textwrap.fill(each.get_label(), 20, break_on_hyphens=False) for each in named]
        axes.legend(named, names, loc="upper left", bbox_to_anchor=(1, 1))


def empty(text: str) -> Figure:
    """A picture of nothing, which says so."""
    figure = plt.figure(figsize=(WIDTH, 1))
    figure.text(0.5, 0.6, text, ha="center", va="center")
    return figure


def heat(axes: Axes, map_TN: NDArray[Any], title: str, rows: str, first: int = 0, upwards: bool = False) -> None:
    """A map of numbers over time, with ticks, the names of its axes, and a scale of colours beside it.

    Args:
      axes: where it is drawn.
      map_TN: a column of the picture for each step.
      title: what its numbers are.
      rows: what its rows are.
      first: the number of the first step.
      upwards: whether row 0 is at the bottom.
    """
    low, high = colour_range(map_TN)
    top, bottom = (-0.5, map_TN.shape[1] - 0.5)[:: -1 if upwards else 1]
    ends = (first - 0.5, first + len(map_TN) - 0.5, bottom, top)
    origin: Any = "lower" if upwards else "upper"
    image = axes.imshow(map_TN.T, aspect="auto", origin=origin, extent=ends, vmin=low, vmax=high)
    axes.set(title=title, ylabel=rows)
    for axis, most in ((axes.xaxis, 9), (axes.yaxis, 4)):
        axis.set_major_locator(MaxNLocator(most, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    axes.grid(False)
    bar = axes.figure.colorbar(image, cax=axes.inset_axes((1.015, 0, 0.02, 1)))
    bar.set_ticks([low, high], labels=[f"{low:.2g}", f"{high:.2g}"])
    bar.ax.tick_params(labelsize=7, length=2)


def colour_range(values: NDArray[Any]) -> tuple[float, float]:
    """The values at the ends of the scale of colours: 0 and 1, or where some are outside, the smallest and largest."""
    finite = values[np.isfinite(values)]
    if not finite.size or (finite.min() >= 0 and finite.max() <= 1):
        return 0.0, 1.0
    return float(finite.min()), float(finite.max())


def add_caption(figure: Figure, caption: str) -> None:
    """Write a caption under a picture, which grows by it."""
    if not caption:
        return
    (caption,) = drawable([caption])
    inches, height = figure.get_size_inches()
    text = figure.supxlabel("", x=0.01, ha="left", size=CAPTION_SIZE, color="0.25", linespacing=1.2)
    letters = int(inches * 72 / (0.4 * CAPTION_SIZE))
    while letters:
        text.set_text(textwrap.fill(caption, letters, break_on_hyphens=False))
        box = text.get_window_extent(figure.canvas.get_renderer())  # type: ignore[attr-defined]
        if box.width <= 0.96 * inches * figure.dpi:
            break
        letters = int(0.97 * letters)
    figure.set_size_inches(inches, height + box.height / figure.dpi + 0.12)


def save(figure: Figure, path: Path) -> None:
    """Write a picture in the format of the file's suffix, always the same bytes for the same picture, and close it.

    Raises:
      UserError: there is no such format, or the file cannot be written.
    """
    try:
        written = encoded(figure, path.suffix.removeprefix(".").lower())
    finally:
        plt.close(figure)
    with replacing(path) as file:
        file.write(written)


def encoded(figure: Figure, form: str) -> bytes:
    """A picture as a file of a format has it: see FORMATS. PNG has 256 colours.

    Raises:
      UserError: there is no such format.
    """
    if form not in FORMATS:
        raise UserError(f"pictures are written as {', '.join(FORMATS)}, not as '{form}'")
    buffer: IO[bytes] = io.BytesIO()
    figure.savefig(buffer, format=form, dpi=DPI, metadata=FORMATS[form])
    buffer.seek(0)
    return _fewer_colours(buffer) if form == "png" else buffer.read()


def _fewer_colours(png: IO[bytes]) -> bytes:
    from PIL import Image

    small = io.BytesIO()
    Image.open(png).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()
