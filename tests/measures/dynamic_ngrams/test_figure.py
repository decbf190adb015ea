"""The pictures of dynamic N-grams, drawn from what a perfect head would leave."""

import numpy as np
import pytest

from augrnn.exhibits.exhibit import from_content
from augrnn.measures.dynamic_ngrams.figure import ExcessByPosition
from augrnn.measures.dynamic_ngrams.measure import Seen, ngram_trace, optimal_probabilities, rows_by_context
from augrnn.tasks.dynamic_ngrams import DynamicNGrams, contexts


def perfect(order: int = 3, length: int = 120, rows: int = 64) -> Seen:
    batch = DynamicNGrams(order, length).sample(1, (length,), 5)
    bits_TB = batch.targets_TBO[..., 0]
    optimal = optimal_probabilities(bits_TB, order)[:, 0].numpy()
    contexts_T = contexts(bits_TB, order)[:, 0].numpy()
    reads = np.random.default_rng(0).permutation(2**order)[contexts_T]
    eye = np.eye(rows, dtype=np.float32)
    return Seen(
        contexts=contexts_T,
        order=order,
        inputs=batch.inputs_TBI[:, 0, 0].numpy(),
        predictions=0.8 * optimal + 0.1,
        optimal=optimal,
        write=eye[(np.roll(reads, 1) + rows - 3) % rows],
        read=eye[(reads + rows - 3) % rows],
        write_lag=1,
        read_lag=0,
    )


@pytest.mark.parametrize("length", [30, 120])
def test_the_last_steps_are_shown(length: int) -> None:
    shown = ngram_trace(perfect(length=length), "title")
    figure = from_content(shown.content()).figure()
    first, last = figure.axes[2].get_images()[0].get_extent()[:2]
    assert (first, last) == (max(0, length - 100) - 0.5, length - 0.5)
    assert [axes.get_title() for axes in figure.axes] == ["", "write weighting", "read weighting"]
    assert len(shown.inputs) == len(shown.write) == min(length, 100)


def test_a_perfect_head_has_one_row_a_context() -> None:
    figure = from_content(rows_by_context(perfect(), "title").content()).figure()
    for axes in figure.axes[:2]:
        shares_CN = np.asarray(axes.get_images()[0].get_array())
        assert np.array_equal((shares_CN == 1).sum(axis=1), np.ones(8))
        assert [label.get_text() for label in axes.get_yticklabels()] == [f"{number:03b}" for number in range(8)]
    assert [axes.get_title() for axes in figure.axes[:2]] == ["write head, previous context", "read head, this context"]


def test_excess_by_position_with_a_missing_value_and_a_variant_without_runs() -> None:
    shown = ExcessByPosition({"a": [[1.0, 0.5, 0.3], [1.2, None, 0.2]], "b": []})
    (axes,) = from_content(shown.content()).figure().axes
    assert axes.lines[2].get_ydata().tolist() == pytest.approx([1.1, 0.5, 0.25])
    assert axes.lines[2].get_xdata().tolist() == [10, 30, 50]
