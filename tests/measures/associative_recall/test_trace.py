"""The heads on associative recall with their frames, from small arrays made by hand."""

import numpy as np
import pytest

from augrnn.measures.associative_recall.measure import recall_trace


def sequence(steps: int, first: int, count: int = 64) -> dict[str, np.ndarray]:
    """One sequence whose heads move one row a step from a first row, the reader half the sequence behind."""
    rows = first + np.arange(steps)
    weightings = {"write": rows, "read": rows - steps // 2}
    vectors = np.random.default_rng(0).random((steps, 4)).astype(np.float32)
    return {"inputs": vectors, "outputs": vectors} | {
        name: np.eye(count, dtype=np.float32)[at % count] for name, at in weightings.items()
    }


@pytest.mark.parametrize("first", [20, 60])
def test_frames_are_around_the_items_rows(first: int) -> None:
    # three items of two vectors, the first the query
    shown = recall_trace(sequence(15, first), query=0, items=3, vectors=2, title="title")
    framed = {name: [frame for frame in shown.frames if frame.panel == name] for name in ("inputs", "outputs")}
    assert [frame.steps for frame in framed["inputs"]] == [(1, 3), (10, 12), (4, 6)]
    assert [frame.steps for frame in framed["outputs"]] == [(13, 15)]
    assert [frame.label for frame in framed["inputs"]] == ["query item", "query item", "answer item"]
    assert {frame.rows for frames in framed.values() for frame in frames} == {(0, 4)}
    for panel, steps in (("write", [(1, 3), (4, 6)]), ("read", [(10, 12), (13, 15)])):
        frames = [frame for frame in shown.frames if frame.panel == panel]
        assert [frame.steps for frame in frames] == steps
        assert [bottom - top for _, _, _, (top, bottom) in frames] == [2, 2]
        query, answer = (frame.rows[0] for frame in frames)
        assert answer - query == 3
    for frame in (frame for frame in shown.frames if frame.panel == "write"):
        assert shown.write[slice(*frame.steps)].argmax(axis=1).tolist() == [frame.rows[0], frame.rows[0] + 1]
