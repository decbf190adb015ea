"""The pictures of dynamic N-grams, drawn from what a perfect head would leave."""

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from augrnn.exhibits.style import save
from augrnn.measures.dynamic_ngrams.figure import (
    context_figure,
    excess_by_position,
    ngram_figure,
    ngram_maps,
    same_context,
)
from augrnn.measures.dynamic_ngrams.measure import optimal_probabilities
from augrnn.tasks.dynamic_ngrams import DynamicNGrams, contexts


def drawn(path: Path) -> bool:
    """Whether a picture has more than one colour."""
    return len(np.unique(matplotlib.image.imread(path)[..., :3].reshape(-1, 3), axis=0)) > 1


def perfect(order: int = 3, length: int = 120, rows: int = 64) -> dict[str, np.ndarray]:
    batch = DynamicNGrams(order, length).sample(1, (length,), 5)
    bits_TB = batch.targets_TBO[..., 0]
    optimal = optimal_probabilities(bits_TB, order)[:, 0].numpy()
    contexts_T = contexts(bits_TB, order)[:, 0].numpy()
    reads = np.random.default_rng(0).permutation(2**order)[contexts_T]
    eye = np.eye(rows, dtype=np.float32)
    return {
        "inputs": batch.inputs_TBI[:, 0, 0].numpy(),
        "optimal": optimal,
        "predictions": 0.8 * optimal + 0.1,
        "contexts": contexts_T,
        "read": eye[(reads + rows - 3) % rows],
        "write": eye[(np.roll(reads, 1) + rows - 3) % rows],
        "read_lag": np.array(0),
        "write_lag": np.array(1),
    }


@pytest.mark.parametrize("length", [30, 120])
def test_maps_show_the_last_steps(tmp_path: Path, length: int) -> None:
    figure = ngram_figure(perfect(length=length), "title")
    first, last = figure.axes[2].get_images()[0].get_extent()[:2]
    assert (first, last) == (max(0, length - 100) - 0.5, length - 0.5)
    save(figure, tmp_path / "figure.png")
    ngram_maps(perfect(length=length), tmp_path / "maps.png", "title")
    assert drawn(tmp_path / "maps.png")


def test_a_perfect_head_has_one_row_a_context(tmp_path: Path) -> None:
    arrays = perfect()
    figure = context_figure(arrays, "title")
    for axes in figure.axes[:2]:
        shares_CN = np.asarray(axes.get_images()[0].get_array())
        assert np.array_equal((shares_CN == 1).sum(axis=1), np.ones(8))
        assert [label.get_text() for label in axes.get_yticklabels()] == [f"{number:03b}" for number in range(8)]
    save(figure, tmp_path / "figure.png")
    same_context(arrays, tmp_path / "contexts.png", "title")
    assert drawn(tmp_path / "contexts.png")


def test_excess_by_position_with_a_missing_value_and_a_variant_without_runs(tmp_path: Path) -> None:
    excess_by_position({"a": [[1.0, 0.5, 0.3], [1.2, None, 0.2]], "b": []}, tmp_path / "excess.png")
    assert drawn(tmp_path / "excess.png")
