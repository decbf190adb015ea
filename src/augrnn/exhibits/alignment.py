"""Soft alignments as pictures, after figure 3 of Bahdanau et al. 2014."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from augrnn.exhibits.style import save


def alignment_figure(
    weights: Sequence[NDArray[np.floating[Any]]], sources: Sequence[Sequence[str]], targets: Sequence[Sequence[str]]
) -> Figure:
    """Weights of target words (rows) over source words (columns), black for 0 and white for 1, two panels a row.

    Args:
      weights: for each sentence (M, L).
      sources: its L source words.
      targets: its M target words.
    """
    columns = min(2, len(weights))
    rows = -(-len(weights) // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(4.5 * columns, 4.4 * rows), squeeze=False)
    for axes in grid.flat[len(weights) :]:
        axes.set_visible(False)
    for axes, weights_ML, source, target in zip(grid.flat, weights, sources, targets, strict=False):
        axes.imshow(weights_ML, cmap="gray", vmin=0, vmax=1)
        axes.set_xticks(range(len(source)), source, rotation=90)
        axes.set_yticks(range(len(target)), target)
        axes.xaxis.tick_top()
        axes.grid(False)
    return figure


def alignments(arrays: Mapping[str, NDArray[Any]], examples: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Save the alignments `alignment_<i>` among a run's arrays, with the words of its measure `examples`."""
    weights = [arrays[f"alignment_{i}"] for i in range(len(examples))]
    save(alignment_figure(weights, *([example[side] for example in examples] for side in ("source", "target"))), path)
