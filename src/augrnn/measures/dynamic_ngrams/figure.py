"""Dynamic N-grams: predictions and heads, after figures 14 and 15 of the Neural Turing Machine paper."""

# T = time steps, N = memory rows, C = contexts that occur

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from augrnn.exhibits.style import PALETTE, WIDTH, colours, save
from augrnn.measures.copy.figure import used_rows
from augrnn.measures.dynamic_ngrams.measure import SPAN, burn_in

SHOWN = 100
"""The last steps of a sequence, which are shown: by then the optimal estimator knows most contexts."""


def ngram_figure(arrays: Mapping[str, NDArray[Any]], title: str) -> Figure:
    """The model's and the optimal predictions over the write and the read weighting, over the last steps.

    Args:
      arrays: what `measure_ngrams` leaves of one sequence.
      title: over the picture.
    """
    steps = len(arrays["inputs"])
    start = max(0, steps - SHOWN)
    time = np.arange(start, steps)
    figure, axes = plt.subplots(3, 1, figsize=(WIDTH, 5.4), height_ratios=(2, 3, 3), sharex=True)
    axes[0].step(time, arrays["optimal"][start:], where="mid", color="0.6", lw=2.5, label="optimal")
    axes[0].step(time, arrays["predictions"][start:], where="mid", color=PALETTE[1], lw=1, label="model")
    axes[0].plot(time[:-1], arrays["inputs"][start + 1 :], ".", color="black", ms=2.5, label="the bit")
    axes[0].set(ylim=(-0.05, 1.05), ylabel="P(one)")
    axes[0].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, fontsize=8, borderaxespad=0.2)
    rows = used_rows(arrays["write"][start:], arrays["read"][start:])
    for panel, kind in zip(axes[1:], ("write", "read"), strict=True):
        box = (start - 0.5, steps - 0.5, len(rows) - 0.5, -0.5)
        panel.imshow(arrays[kind][start:, rows].T, aspect="auto", origin="upper", extent=box, vmin=0, vmax=1)
        panel.set_title(f"{kind} weighting", fontsize=9)
        panel.set(ylabel="memory rows", yticks=[])
        panel.grid(False)
    axes[2].set_xlabel("time")
    figure.suptitle(title, fontsize=10)
    return figure


def ngram_maps(arrays: Mapping[str, NDArray[Any]], path: Path, title: str) -> None:
    """Save `ngram_figure` as a file."""
    save(ngram_figure(arrays, title), path)


def context_figure(arrays: Mapping[str, NDArray[Any]], title: str) -> Figure:
    """How often each row has the largest weight, for each context that occurs; a perfect head has one cell a line.

    Args:
      arrays: what `measure_ngrams` leaves of one sequence; its first steps, the burn-in, are left out.
      title: over the picture.
    """
    steps, order = len(arrays["contexts"]), int(arrays["contexts"].max()).bit_length()
    first = burn_in(steps, order)
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 4.4))
    for panel, kind in zip(axes, ("write", "read"), strict=True):
        lag, weighting_TN = int(arrays[f"{kind}_lag"]), arrays[kind][first:]
        numbers_C, shares_CN = _shares(arrays["contexts"][first - lag : steps - lag], weighting_TN)
        image = panel.imshow(shares_CN[:, used_rows(weighting_TN)], aspect="auto", vmin=0, vmax=1)
        panel.set_yticks(range(len(numbers_C)), [f"{number:0{order}b}" for number in numbers_C], fontsize=5)
        panel.set_title(f"{kind} head, {'this' if lag == 0 else 'previous'} context", fontsize=9)
        panel.set(xlabel="memory rows", xticks=[])
        panel.grid(False)
    axes[0].set_ylabel("context")
    figure.colorbar(image, ax=axes, shrink=0.6, label="share of the context's steps")
    figure.suptitle(title, fontsize=10)
    return figure


def _shares(contexts_T: NDArray[np.int64], weighting_TN: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The contexts that occur (C,), and the share of the steps of each in which each row has the largest weight."""
    numbers_C, which_T = np.unique(contexts_T, return_inverse=True)
    counts_CN = np.zeros((len(numbers_C), weighting_TN.shape[1]))
    np.add.at(counts_CN, (which_T, weighting_TN.argmax(axis=1)), 1)
    return numbers_C, counts_CN / counts_CN.sum(axis=1, keepdims=True)


def same_context(arrays: Mapping[str, NDArray[Any]], path: Path, title: str) -> None:
    """Save `context_figure` as a file."""
    save(context_figure(arrays, title), path)


def excess_by_position(found: Mapping[str, Sequence[Sequence[float | None]]], path: Path) -> None:
    """Bits above the optimal estimator along the sequence: the median over seeds as a line, every seed a thin one.

    Args:
      found: for each variant and each of its runs the excess in consecutive spans of SPAN bits.
      path: where the picture goes.
    """
    figure, axes = plt.subplots(figsize=(WIDTH, 3.4))
    for variant, colour in colours(found).items():
        if not found[variant]:
            continue
        values = np.array(found[variant], dtype=float)
        middles = (np.arange(values.shape[1]) + 0.5) * SPAN
        axes.plot(middles, values.T, color=colour, lw=0.6, alpha=0.4)
        axes.plot(middles, np.nanmedian(values, axis=0), ".-", color=colour, lw=1.8, label=variant)
    axes.axhline(0, color="0.4", ls="--", lw=1)
    axes.set(xlabel="position in the sequence (bits)", ylabel=f"bits above the optimum in {SPAN} bits")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    save(figure, path)
