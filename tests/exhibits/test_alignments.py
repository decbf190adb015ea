"""Alignments have their words."""

import numpy as np

from augrnn.exhibits.alignments import Alignments


def test_alignments_have_their_words() -> None:
    words = (("a", "b"), ("c",), ("d",)), (("x", "y"), ("u", "v", "w"), ("z",))
    figure = Alignments((np.eye(2), np.ones((3, 1)), np.ones((1, 1))), *words).figure()
    labels = [[tick.get_text() for tick in axes.get_yticklabels()] for axes in figure.axes if axes.get_visible()]
    assert labels == [["x", "y"], ["u", "v", "w"], ["z"]]
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["a", "b"]
