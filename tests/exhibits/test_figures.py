"""Every kind of picture is drawn from small numbers, some of them missing, and written whole."""

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from augrnn.exhibits.alignment import alignment_figure
from augrnn.exhibits.curves import by_bucket, by_size, learning_curves
from augrnn.exhibits.style import save
from augrnn.measures.copy.figure import heads


def drawn(path: Path) -> bool:
    """Whether a picture has more than one colour."""
    return len(np.unique(matplotlib.image.imread(path)[..., :3].reshape(-1, 3), axis=0)) > 1


def test_learning_curves_with_a_seed_that_has_no_value(tmp_path: Path) -> None:
    curves = {"a": [([1.0, 2.0], [3.0, None]), ([1.0], [2.0])], "b": []}
    learning_curves(curves, tmp_path / "deep" / "curves.png", "cost", floor=0.1, bar=1.0)
    assert drawn(tmp_path / "deep" / "curves.png")


def test_values_by_size(tmp_path: Path) -> None:
    by_size({"a": [{"10": 0.0, "5": 3.0}, {"10": 2.0, "5": None}], "b": []}, tmp_path / "x.png", "wrong", "length", 0.1)
    assert drawn(tmp_path / "x.png")


@pytest.mark.parametrize("first", [0, 6])
def test_heads_show_the_used_rows_even_across_the_end_of_the_ring(tmp_path: Path, first: int) -> None:
    rows = (first + np.array([0, 1, 2, 3, 0, 1, 2])) % 8
    weighting = np.eye(8, dtype=np.float32)[rows]
    vectors = np.random.default_rng(0).normal(size=(7, 4)).astype(np.float32)
    arrays = {"write": weighting, "read": weighting} | dict.fromkeys(("inputs", "outputs", "adds", "reads"), vectors)
    heads(arrays, tmp_path / "heads.png", "title")
    assert drawn(tmp_path / "heads.png")


def test_alignments_have_their_words(tmp_path: Path) -> None:
    figure = alignment_figure([np.eye(2), np.ones((3, 1))], [["a", "b"], ["c"]], [["x", "y"], ["u", "v", "w"]])
    labels = [[tick.get_text() for tick in axes.get_yticklabels()] for axes in figure.axes]
    assert labels == [["x", "y"], ["u", "v", "w"]]
    save(figure, tmp_path / "alignments.png")
    assert drawn(tmp_path / "alignments.png")


def test_values_by_bucket_have_a_bar_for_each_run(tmp_path: Path) -> None:
    run = {"1-9": [40.0, 42.0, 44.0], "20+": [10.0, 20.0, 30.0]}
    by_bucket({"a": [run, run], "b": [run], "c": []}, tmp_path / "x.png", "BLEU", "words")
    assert drawn(tmp_path / "x.png")
