"""Whether a map looks at what a word names, and what becomes of maps from word to word.

All functions take raw maps over the grid, never enlarged or smoothed ones. A box is what it names' sides, from 0 to 1
from the picture's upper left corner; several boxes, which do not overlap, count as one region.
"""

# R = rows of the grid, C = columns, T = words, N = cases

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.floating]
Sides = tuple[float, float, float, float]
"""Left, top, right and bottom of a box."""

TOLERANCE = 15 / 224
"""How far beside a box the tolerant figure still counts as a hit: 15 pixels of 224, as in the pointing game of Zhang et
al. 2016; half a cell of a 7 x 7 grid, a whole one of 14 x 14."""


class Pointing(NamedTuple):
    """One map against the region that its word names.

    Attributes:
      hit: whether the centre of the cell with the largest weight is inside.
      tolerant: whether it is within TOLERANCE of a box.
      area: the region's share of the picture, which is the chance of a hit and of mass.
      mass: the share of the weights inside, a cell's weight spread evenly over it.
    """

    hit: float
    tolerant: float
    area: float
    mass: float


def overlap(rows: int, columns: int, box: Sides) -> NDArray[np.float64]:
    """The share of each cell that is inside a box, (R, C)."""
    left, top, right, bottom = box

    def inside(cells: int, low: float, high: float) -> NDArray[np.float64]:
        edges = np.arange(cells + 1) / cells
        return np.clip(np.minimum(edges[1:], high) - np.maximum(edges[:-1], low), 0, None) * cells

    return np.outer(inside(rows, top, bottom), inside(columns, left, right))


def pointed(map_RC: Map, boxes: Sequence[Sides]) -> Pointing:
    """Judge one map, whose weights sum to one, against at least one box."""
    rows, columns = map_RC.shape
    row, column = divmod(int(map_RC.argmax()), columns)
    x, y = (column + 0.5) / columns, (row + 0.5) / rows

    def within(margin: float) -> float:
        return float(
            any(
                left - margin <= x <= right + margin and top - margin <= y <= bottom + margin
                for left, top, right, bottom in boxes
            )
        )

    area = sum((right - left) * (bottom - top) for left, top, right, bottom in boxes)
    mass = sum(float((map_RC * overlap(rows, columns, box)).sum()) for box in boxes)
    return Pointing(within(0), within(TOLERANCE), area, mass)


def summary(cases: Sequence[Pointing]) -> dict[str, float]:
    """The means of several cases, their number, and `mass_ratio`, the mean mass over the mean area; 0 for none."""
    if not cases:
        return {"cases": 0, **dict.fromkeys((*Pointing._fields, "mass_ratio"), 0.0)}
    means = dict(zip(Pointing._fields, np.mean(cases, axis=0).tolist(), strict=True))
    return {"cases": len(cases), **means, "mass_ratio": means["mass"] / means["area"]}


def uniform_map(rows: int, columns: int) -> Map:
    """The same weight everywhere."""
    return np.full((rows, columns), 1 / (rows * columns))


def centre_map(rows: int, columns: int) -> Map:
    """The prior of one who looks at the middle: a Gaussian as wide as a quarter of the picture."""
    y, x = ((np.arange(cells) + 0.5) / cells - 0.5 for cells in (rows, columns))
    map_RC = np.exp(-(y[:, None] ** 2 + x**2) / (2 * 0.25**2))
    return map_RC / map_RC.sum()


def centre_share(rows: int, columns: int, boxes: Sequence[Sides]) -> float:
    """The share of the cells whose centre is inside: what a cell chosen at random hits."""
    maps_KRC = np.eye(rows * columns).reshape(-1, rows, columns)
    return float(np.mean([pointed(map_RC, boxes).hit for map_RC in maps_KRC]))


def variations(maps_TL: Map) -> NDArray[np.float64]:
    """The total variation between the maps of consecutive words, 0 for equal ones and 1 for disjoint ones, (T - 1,)."""
    return 0.5 * np.abs(np.diff(np.asarray(maps_TL, dtype=np.float64), axis=0)).sum(axis=1)


def interval(values_N: NDArray[np.float64], resamples: int = 1000) -> tuple[float, float]:
    """The 95 % interval of a mean, by a bootstrap that is a function of the values alone."""
    draws = np.random.default_rng(0).integers(len(values_N), size=(resamples, len(values_N)))
    low, high = np.quantile(values_N[draws].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)
