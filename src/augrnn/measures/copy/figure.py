"""What a memory's heads did over one sequence, after figures 6 of the Neural Turing Machine paper."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from augrnn.exhibits.style import WIDTH, save

PANELS = (
    ("inputs", "input", "outputs", "output"),
    ("adds", "add vectors", "reads", "read vectors"),
    ("write", "write weighting", "read", "read weighting"),
)
"""Each row: an array's name and title while the sequence is seen, and while it is given back."""


def heads_figure(arrays: Mapping[str, NDArray[np.float32]], title: str) -> Figure:
    """Inputs over outputs, add over read vectors, write over read weightings; time runs to the right.

    Args:
      arrays: "inputs", "outputs", "adds", "reads" (T, channels); "write", "read" (T, N), all of one sequence.
      title: over the picture.
    """
    steps = len(arrays["write"])
    middle = steps // 2
    rows = used_rows(arrays["write"], arrays["read"])
    figure, axes = plt.subplots(3, 2, figsize=(WIDTH, 5.2), height_ratios=(1, 2, 3))
    for panels, (seen, seen_title, given, given_title) in zip(axes, PANELS, strict=True):
        for panel, name, label, span in (
            (panels[0], seen, seen_title, slice(0, middle + 1)),
            (panels[1], given, given_title, slice(middle + 1, steps)),
        ):
            image = arrays[name][span]
            image = image[:, rows] if name in ("write", "read") else image
            panel.imshow(image.T, aspect="auto", origin="upper")
            panel.set_title(label, fontsize=9)
            panel.set_xticks([])
            panel.set_yticks([])
            panel.grid(False)
    axes[2, 0].set(ylabel="memory rows", xlabel="time")
    axes[2, 1].set(xlabel="time")
    figure.suptitle(title, fontsize=10)
    return figure


def used_rows(*weightings: NDArray[np.float32]) -> NDArray[np.int64]:
    """The rows between the first and the last that any head attends to, starting where the memory ring has a gap."""
    used = np.unique(np.concatenate([w.argmax(axis=-1) for w in weightings]))
    count = weightings[0].shape[-1]
    gaps = np.diff(np.append(used, used[0] + count))
    start, length = used[(gaps.argmax() + 1) % len(used)], count - gaps.max() + 1
    return np.arange(start - 2, start + length + 2) % count


def heads(arrays: Mapping[str, NDArray[np.float32]], path: Path, title: str) -> None:
    """Save `heads_figure` as a file."""
    save(heads_figure(arrays, title), path)
