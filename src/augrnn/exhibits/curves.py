"""Learning curves and quantities by length, with every seed shown."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from augrnn.exhibits.style import WIDTH, colours, save

Values = Sequence[float | None]


def learning_curves(
    curves: Mapping[str, Sequence[tuple[Values, Values]]],
    path: Path,
    label: str,
    floor: float | None = None,
    bar: float | None = None,
) -> None:
    """A metric against training sequences, one line a seed, one colour a variant.

    Args:
      curves: for each variant and each of its runs (training sequences, values).
      path: where the picture goes.
      label: the metric's name and unit.
      floor: makes the axis logarithmic from this value up.
      bar: a dashed line across.
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 3.4))
    for variant, colour in colours(curves).items():
        for number, (sequences, values) in enumerate(curves[variant]):
            numbers = np.array(values, dtype=float)
            shown = numbers if floor is None else np.maximum(numbers, floor)
            axes.plot(
                np.array(sequences, dtype=float),
                shown,
                color=colour,
                alpha=0.6,
                lw=1,
                label=None if number else variant,
            )
    if bar is not None:
        axes.axhline(bar, color="0.4", ls="--", lw=1)
    if floor is not None:
        axes.set_yscale("log")
    axes.set(xlabel="training sequences", ylabel=label)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    save(figure, path)


def by_size(
    found: Mapping[str, Sequence[Mapping[str, float | None]]],
    path: Path,
    label: str,
    x: str,
    small: float | None = None,
) -> None:
    """A quantity at several sizes (lengths, say): the median over seeds as a line, every seed as a point.

    Args:
      found: for each variant and each of its runs the quantity by size.
      path: where the picture goes.
      label: the quantity's name and unit.
      x: the size's name and unit.
      small: makes the axis logarithmic above this value, and linear below.
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 3.4))
    for variant, colour in colours(found).items():
        if not found[variant]:
            continue
        sizes = sorted(map(int, found[variant][0]))
        values = np.array([[run[str(size)] for size in sizes] for run in found[variant]], dtype=float)
        axes.plot(sizes, np.median(values, axis=0), color=colour, lw=1.5, label=variant)
        axes.plot(sizes, values.T, ".", color=colour, ms=3, alpha=0.5)
    if small is not None:
        axes.set_yscale("symlog", linthresh=small)
        axes.set_ylim(bottom=-small / 5)
    axes.set_xticks(sorted({int(size) for runs in found.values() for run in runs for size in run}))
    axes.set(xlabel=x, ylabel=label)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    save(figure, path)


def by_bucket(found: Mapping[str, Sequence[Mapping[str, Sequence[float]]]], path: Path, label: str, x: str) -> None:
    """A quantity in several buckets: for each run a point, and a bar for the 95 % interval of its resampled values.

    Args:
      found: for each variant and each of its runs the resampled values by bucket, in the buckets' order.
      path: where the picture goes.
      label: the quantity's name and unit.
      x: what the buckets are of, with the unit.
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 3.4))
    buckets = list(next((run for runs in found.values() for run in runs), {}))
    bars = sum(map(len, found.values())) or 1
    place = 0
    for variant, colour in colours(found).items():
        for number, run in enumerate(found[variant]):
            low, middle, high = (np.percentile([run[name] for name in buckets], q, axis=1) for q in (2.5, 50, 97.5))
            axes.errorbar(
                np.arange(len(buckets)) + 0.7 * ((place + 0.5) / bars - 0.5),
                middle,
                [middle - low, high - middle],
                fmt="o",
                ms=3,
                lw=1,
                color=colour,
                label=None if number else variant,
            )
            place += 1
    axes.set_xticks(range(len(buckets)), buckets)
    axes.set(xlabel=x, ylabel=label)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    save(figure, path)
