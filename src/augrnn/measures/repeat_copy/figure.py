"""Repeat copy: the heads over one sequence, after figure 9 of the Neural Turing Machine paper, and where ends stand."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from augrnn.exhibits.style import WIDTH, colours, save
from augrnn.measures.copy.figure import used_rows

PANELS = (("inputs", "inputs"), ("outputs", "outputs"), ("write", "write weighting"), ("read", "read weighting"))
"""From top to bottom: an array's name and the panel's title."""


def panels(arrays: Mapping[str, NDArray[np.float32]], title: str) -> tuple[Figure, dict[str, Axes], NDArray[np.int64]]:
    """Inputs, outputs, write and read weighting below each other over one axis of time.

    Args:
      arrays: "inputs", "outputs" (T, channels), "write", "read" (T, N), of one sequence.
      title: over the picture.

    Returns:
      The figure, its panels by array name, and the memory rows shown.
    """
    rows = used_rows(arrays["write"], arrays["read"])
    figure, stack = plt.subplots(len(PANELS), 1, figsize=(WIDTH, 5.6), height_ratios=(1, 1, 2, 2), sharex=True)
    for axes, (name, label) in zip(stack, PANELS, strict=True):
        image = arrays[name][:, rows] if name in ("write", "read") else arrays[name]
        axes.imshow(image.T, aspect="auto", origin="upper")
        axes.set_title(label, fontsize=9)
        axes.set_yticks([])
        axes.grid(False)
    stack[2].set_ylabel("memory rows")
    stack[3].set(ylabel="memory rows", xlabel="time")
    figure.suptitle(title, fontsize=10)
    return figure, {name: axes for axes, (name, _) in zip(stack, PANELS, strict=True)}, rows


def repeat_figure(arrays: Mapping[str, NDArray[np.float32]], title: str) -> Figure:
    """The heads over one sequence, with a line where each repetition begins and one where the end should stand.

    Args:
      arrays: what `panels` takes, and "length" and "repeats", whole numbers.
      title: over the picture.
    """
    figure, axes, _ = panels(arrays, title)
    length, repeats = int(arrays["length"]), int(arrays["repeats"])
    for name in ("outputs", "read"):
        for repeat in range(repeats + 1):
            axes[name].axvline(length + 1 + repeat * length - 0.5, color="white", lw=0.6, alpha=0.7)
    return figure


def repeat_maps(arrays: Mapping[str, NDArray[np.float32]], path: Path, title: str) -> None:
    """Save `repeat_figure` as a file."""
    save(repeat_figure(arrays, title), path)


def early_ends(found: Mapping[str, Sequence[Sequence[float]]], path: Path) -> None:
    """The share of sequences with the end marker on after each repetition but the last: median and every seed.

    Args:
      found: for each variant and each of its runs the shares after repetition 1, 2, ...
      path: where the picture goes.
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 3.4))
    for variant, colour in colours(found).items():
        if not found[variant]:
            continue
        values = np.array(found[variant], dtype=float)
        after = np.arange(1, values.shape[1] + 1)
        axes.plot(after, values.T, color=colour, lw=0.6, alpha=0.5)
        axes.plot(after, np.median(values, axis=0), color=colour, lw=1.5, label=variant)
    axes.set(xlabel="repetitions given", ylabel="share with the end marker on", ylim=(-0.03, 1.03))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    save(figure, path)
