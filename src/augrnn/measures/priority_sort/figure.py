"""How a memory sorts by priority, after figure 17 of the Neural Turing Machine paper."""

# T = time steps, K = vectors seen, N = memory rows

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from augrnn.exhibits.style import PALETTE, WIDTH, save
from augrnn.measures.copy.figure import used_rows
from augrnn.measures.priority_sort.measure import fitted_line


def sort_figure(arrays: Mapping[str, NDArray[Any]], title: str) -> Figure:
    """Write location against priority with the fitted line; the writes from the highest priority down; the reads.

    Args:
      arrays: what `measure_sorting` leaves: pooled locations, and the weightings of one sequence.
      title: over the picture.
    """
    k = len(arrays["priorities"])
    write_KN = arrays["write"][np.argsort(-arrays["priorities"]) + int(arrays["write_lag"])]
    read_TN = arrays["read"][k + 1 :]
    rows = used_rows(write_KN, read_TN)
    figure, axes = plt.subplots(1, 3, figsize=(WIDTH, 2.8), width_ratios=(1.2, 1, 1))
    x, y = arrays["location_priorities"], arrays["locations"]
    line = fitted_line(x, y)
    axes[0].plot(x, y, ".", color=PALETTE[0], ms=2, alpha=0.3)
    ends = np.array([-1.0, 1.0])
    axes[0].plot(ends, line.intercept + line.slope * ends, color=PALETTE[1], lw=1.5)
    axes[0].set_title(f"write location, R² {line.r2:.2f}", fontsize=9)
    axes[0].set(xlabel="priority", ylabel="memory row")
    panels = (
        (axes[1], write_KN, "write weighting", "vectors, highest priority first"),
        (axes[2], read_TN, "read weighting", "time, in the answer"),
    )
    for panel, weighting, label, x_label in panels:
        panel.imshow(weighting[:, rows].T, aspect="auto", origin="lower", vmin=0, vmax=1)
        panel.set_title(label, fontsize=9)
        panel.set(xticks=[], yticks=[], xlabel=x_label)
        panel.grid(False)
    axes[1].set_ylabel("memory rows")
    figure.suptitle(title, fontsize=10)
    return figure


def sort_maps(arrays: Mapping[str, NDArray[Any]], path: Path, title: str) -> None:
    """Save `sort_figure` as a file."""
    save(sort_figure(arrays, title), path)
