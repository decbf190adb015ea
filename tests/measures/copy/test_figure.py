"""The two halves of a copied sequence."""

import numpy as np

from augrnn.measures.copy.figure import CopyTrace


def test_what_is_seen_stands_left_and_what_is_given_right() -> None:
    vectors, weighting = np.random.default_rng(0).random((7, 4)), np.eye(7)
    figure = CopyTrace("title", vectors, vectors, vectors, vectors, weighting, weighting).figure()
    titles = ["input", "output", "add vectors", "read vectors", "write weighting", "read weighting"]
    assert [axes.get_title() for axes in figure.axes] == titles
    assert [axes.get_images()[0].get_array().shape[1] for axes in figure.axes] == [4, 3] * 3
