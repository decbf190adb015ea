"""Where end markers stand, drawn from small numbers."""

import pytest

from augrnn.exhibits.exhibit import from_content
from augrnn.measures.repeat_copy.figure import EarlyEnds


def test_early_ends_of_variants_with_and_without_runs() -> None:
    shown = EarlyEnds({"a": [[0.0, 0.5, 1.0], [0.0, 0.0, 1.0]], "b": [], "c": [[0.1, 0.2]]})
    (axes,) = from_content(shown.content()).figure().axes
    assert [line.get_ydata().tolist() for line in axes.lines[:3]] == [[0, 0.5, 1], [0, 0, 1], [0, 0.25, 1]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "c"]


def test_early_ends_with_a_band_and_a_failed_seed() -> None:
    shown = EarlyEnds({"a": [[0.0, 0.1], [0.2, 0.3], [0.4, 0.5], [0.6, 0.7], [None, None]]})
    (axes,) = shown.figure().axes
    assert axes.lines[-1].get_ydata().tolist() == pytest.approx([0.3, 0.4])
    assert len(axes.collections) == 1
    assert "Band: the middle half of the seeds" in shown.caption
    assert "1 seed lacks values" in shown.caption
