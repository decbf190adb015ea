"""The heads on associative recall with their frames, from small arrays made by hand."""

import numpy as np
import pytest

from augrnn.measures.associative_recall.measure import jump, recall_trace


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


@pytest.mark.parametrize(
    ("rows", "step"), [([5, 5, 5, 9, 10], 3), ([5, 9, 5, 6, 7], 2), ([5, 6, 7, 8, 9], None), ([0, 3, 3, 2, 1], 1)]
)
def test_the_last_jump_of_a_head(rows: list[int], step: int | None) -> None:
    assert jump(np.eye(12, dtype=np.float32)[rows], 1, 4) == step


@pytest.mark.parametrize("count", [64, 16])
def test_the_look_up_is_framed_where_the_read_head_jumps(count: int) -> None:
    found = sequence(15, 3, count)
    read = np.zeros(15, int)
    read[12:] = found["write"].argmax(axis=-1)[[3, 4, 5]]
    found["read"] = np.eye(count, dtype=np.float32)[read]
    shown = recall_trace(found, query=0, items=3, vectors=2, title="title")
    frame = shown.frames[-1]
    assert (frame.panel, frame.label, frame.steps) == ("read", "look-up", (12, 13))
    assert shown.read[12].argmax() == frame.rows[0]
    assert "look-up is the last step" in shown.caption


def test_without_a_jump_there_is_no_look_up() -> None:
    shown = recall_trace(sequence(15, 20), query=0, items=3, vectors=2, title="title")
    assert {frame.label for frame in shown.frames} == {"query item", "answer item"}
