"""Learning curves and quantities by size and bucket, drawn from small numbers, some of them missing."""

import numpy as np
import pytest

from augrnn.exhibits.curves import ByBucket, BySize, LearningCurves, intervals


def test_learning_curves_with_a_seed_that_has_no_value() -> None:
    curves = {"a": [([1.0, 2.0], [3.0, None]), ([1.0], [0.01])], "b": []}
    (axes,) = LearningCurves(curves, "cost", floor=0.1, bar=1.0).figure().axes
    first, second, bar = axes.lines
    assert first.get_ydata()[0] == 3.0
    assert np.isnan(first.get_ydata()[1])
    assert second.get_ydata().tolist() == [0.1]
    assert bar.get_ydata() == [1.0, 1.0]
    assert axes.get_yscale() == "log"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a"]


def test_values_by_size_have_the_median_as_a_line() -> None:
    found = {"a": [{"10": 0.0, "5": 3.0}, {"10": 2.0, "5": 4.0}], "b": []}
    (axes,) = BySize(found, "wrong", "length", 0.1).figure().axes
    assert axes.lines[0].get_xdata().tolist() == [5, 10]
    assert axes.lines[0].get_ydata().tolist() == [3.5, 1.0]
    assert [tick for tick in axes.get_xticks() if tick in (5, 10)] == [5, 10]


def test_values_by_bucket_have_a_bar_for_each_run() -> None:
    run = {"1-9": [40.0, 42.0, 44.0], "20+": [10.0, 20.0, 30.0]}
    shown = ByBucket(intervals({"a": [run, run], "b": [run], "c": []}), "BLEU", "words")
    (axes,) = shown.figure().axes
    assert len(axes.containers) == 3
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1-9", "20+"]
    assert shown.found["b"][0]["1-9"] == pytest.approx([40.1, 42, 43.9])
