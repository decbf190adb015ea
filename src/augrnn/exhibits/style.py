"""How every picture looks: one palette by variant, readable on a page and on a dashboard, and one way to save."""

from collections.abc import Iterable
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from augrnn.files import replacing

WIDTH = 6.4
"""Inches of a picture."""

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's colours, which colour-blind readers can tell apart."""

plt.rcParams.update(
    {
        "figure.constrained_layout.use": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.alpha": 0.25,
        "legend.frameon": False,
        "font.size": 9,
        "image.cmap": "viridis",
        "image.interpolation": "nearest",
    }
)


def colours(names: Iterable[str]) -> dict[str, str]:
    """A colour for each name, in their order."""
    return {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(names)}


def save(figure: Figure, path: Path) -> None:
    """Write a picture, without a date or version in it, whole or not at all, and close it.

    Raises:
      UserError: the disk is full or the folder cannot be written.
    """
    try:
        with replacing(path) as file:
            figure.savefig(file, format="png", dpi=120, metadata={"Software": None})
    finally:
        plt.close(figure)
