"""Marks and frames stand where they are said to."""

import numpy as np

from augrnn.exhibits.memory_trace import Frame, MemoryTrace
from augrnn.exhibits.style import PALETTE

MAP = np.random.default_rng(0).random((12, 6))


def test_a_line_stands_before_each_marked_step() -> None:
    figure = MemoryTrace("title", MAP, MAP, MAP, MAP, marks={"outputs": [3, 5], "read": [5]}).figure()
    lines = [[line.get_xdata()[0] for line in axes.lines] for axes in figure.axes]
    assert lines == [[], [2.5, 4.5], [], [4.5]]
    assert [axes.get_title() for axes in figure.axes] == ["inputs", "outputs", "write weighting", "read weighting"]
    assert not figure.legends


def test_frames_of_one_label_have_one_colour_and_one_place_in_the_legend() -> None:
    frames = (
        Frame("inputs", "query", (1, 3), (0, 6)),
        Frame("read", "query", (8, 10), (2, 4)),
        Frame("write", "answer", (4, 6), (3, 5)),
    )
    figure = MemoryTrace("title", MAP, MAP, MAP, MAP, frames=frames).figure()
    inputs, _, write, read = (axes.patches for axes in figure.axes)
    assert (inputs[0].get_x(), inputs[0].get_width(), inputs[0].get_height()) == (0.5, 2, 6)
    assert (read[0].get_x(), read[0].get_y(), read[0].get_height()) == (7.5, 1.5, 2)
    assert inputs[0].get_edgecolor() == read[0].get_edgecolor() != write[0].get_edgecolor()
    assert len({PALETTE[5], PALETTE[1]}) == 2
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["query", "answer"]
