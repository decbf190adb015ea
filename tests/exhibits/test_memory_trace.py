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


def test_axes_are_named_and_each_panel_has_its_scale() -> None:
    figure = MemoryTrace("title", 5 * MAP - 1, MAP, MAP, MAP).figure()
    assert [axes.get_ylabel() for axes in figure.axes] == ["channel", "channel", "memory row", "memory row"]
    assert figure.axes[-1].get_xlabel() == "time step"
    limits = [axes.get_images()[0].get_clim() for axes in figure.axes]
    assert limits[1:] == [(0, 1)] * 3
    assert limits[0] == ((5 * MAP - 1).min(), (5 * MAP - 1).max())
    assert all(len(axes.child_axes) == 1 for axes in figure.axes)


def test_frames_of_one_label_have_one_colour_and_are_named_where_they_are_enlarged() -> None:
    frames = (
        Frame("inputs", "query", (1, 3), (0, 6)),
        Frame("read", "query", (8, 10), (2, 4)),
        Frame("write", "answer", (4, 6), (3, 5)),
        Frame("read", "look-up", (9, 10), (4, 5)),
    )
    shown = MemoryTrace("title", MAP, MAP, MAP, MAP, frames=frames, frames_are="Query is asked.")
    figure = shown.figure()
    inputs, _, write, read = (axes.patches for axes in figure.axes[:4])
    assert (inputs[0].get_x(), inputs[0].get_width(), inputs[0].get_height()) == (0.5, 2, 6)
    assert (read[0].get_x(), read[0].get_y(), read[0].get_height()) == (7.5, 1.5, 2)
    assert inputs[0].get_edgecolor() == read[0].get_edgecolor() != write[0].get_edgecolor()
    assert len({PALETTE[5], PALETTE[1]}) == 2
    enlarged = figure.axes[4:]
    assert [[text.get_text() for text in axes.texts] for axes in enlarged] == [["answer"], ["query", "look-up"]]
    assert [axes.get_xlim() for axes in enlarged] == [(1.5, 7.5), (5.5, 11.5)]
    assert {axes.get_ylim() for axes in enlarged} == {(5.5, -0.5)}
    assert "Frames: query, answer, look-up. Query is asked. The two lowest panels" in shown.caption


def test_a_single_step_is_drawn() -> None:
    one = np.ones((1, 1))
    assert len(MemoryTrace("title", one, one, one, one).figure().axes) == 4
