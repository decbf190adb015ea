"""Associative recall: the heads over one sequence, after figure 12 of the Neural Turing Machine paper."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from augrnn.exhibits.style import PALETTE, save
from augrnn.measures.repeat_copy.figure import panels

BOXES = {"query": PALETTE[5], "answer": PALETTE[1]}
"""The colour of the frame around each item."""


def recall_figure(arrays: Mapping[str, NDArray[np.float32]], title: str) -> Figure:
    """The heads over one sequence, with the queried item and its successor framed where they are listed and given.

    On both weightings a frame spans the rows on which the write head stood while the item was listed, so that an answer
    read from its own rows shows inside its frame.

    Args:
      arrays: what `augrnn.measures.repeat_copy.figure.panels` takes, and the spans "query_listed", "query_given",
        "answer_listed", "answer_given", each the first step and the one beyond the last.
      title: over the picture.
    """
    figure, axes, rows = panels(arrays, title)
    for item, colour in BOXES.items():
        listed, given = arrays[f"{item}_listed"], arrays[f"{item}_given"]
        shown = np.flatnonzero(np.isin(rows, arrays["write"][slice(*listed)].argmax(axis=-1)))
        written = (int(shown.min()), int(shown.max()) + 1)
        channels = {name: (0, arrays[name].shape[1]) for name in ("inputs", "outputs")}
        _frame(axes["inputs"], listed, channels["inputs"], colour, f"{item} item")
        _frame(axes["write"], listed, written, colour)
        _frame(axes["read"], given, written, colour)
        name = "inputs" if item == "query" else "outputs"
        _frame(axes[name], given, channels[name], colour)
    figure.legend(loc="outside lower center", ncols=len(BOXES))
    return figure


def recall_maps(arrays: Mapping[str, NDArray[np.float32]], path: Path, title: str) -> None:
    """Save `recall_figure` as a file."""
    save(recall_figure(arrays, title), path)


def _frame(
    axes: Axes, steps: NDArray[np.float32], rows: tuple[int, int], colour: str, label: str | None = None
) -> None:
    """A frame around whole pixels, from the first of `steps` and `rows` to the ones before their last."""
    corner = (float(steps[0]) - 0.5, rows[0] - 0.5)
    size = (float(steps[1] - steps[0]), rows[1] - rows[0])
    axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor=colour, lw=1.5, label=label, clip_on=False))
