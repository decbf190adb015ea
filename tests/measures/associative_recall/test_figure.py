"""The pictures of repeat copy and associative recall, drawn from small arrays made by hand."""

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from augrnn.exhibits.style import save
from augrnn.measures.associative_recall.figure import recall_figure, recall_maps
from augrnn.measures.repeat_copy.figure import early_ends, repeat_figure, repeat_maps


def drawn(path: Path) -> bool:
    """Whether a picture has more than one colour."""
    return len(np.unique(matplotlib.image.imread(path)[..., :3].reshape(-1, 3), axis=0)) > 1


def sequence(steps: int, first: int, count: int = 64) -> dict[str, np.ndarray]:
    """One sequence whose heads move one row a step from a first row, the reader half the sequence behind."""
    rows = first + np.arange(steps)
    weightings = {"write": rows, "read": rows - steps // 2}
    vectors = np.random.default_rng(0).random((steps, 4)).astype(np.float32)
    return {"inputs": vectors, "outputs": vectors} | {
        name: np.eye(count, dtype=np.float32)[at % count] for name, at in weightings.items()
    }


@pytest.mark.parametrize("first", [20, 60])
def test_repeat_maps_draw_a_line_at_each_repetition(tmp_path: Path, first: int) -> None:
    arrays = sequence(2 + 1 + 2 * 3 + 1, first) | {"length": np.array(2), "repeats": np.array(3)}
    figure = repeat_figure(arrays, "title")
    assert [line.get_xdata()[0] for line in figure.axes[1].lines] == [2.5, 4.5, 6.5, 8.5]
    save(figure, tmp_path / "figure.png")
    repeat_maps(arrays, tmp_path / "maps.png", "title")
    assert drawn(tmp_path / "maps.png")


def test_early_ends_of_variants_with_and_without_runs(tmp_path: Path) -> None:
    early_ends({"a": [[0.0, 0.5, 1.0], [0.0, 0.0, 1.0]], "b": [], "c": [[0.1, 0.2]]}, tmp_path / "deep" / "ends.png")
    assert drawn(tmp_path / "deep" / "ends.png")


@pytest.mark.parametrize("first", [20, 60])
def test_recall_maps_frame_the_items_rows(tmp_path: Path, first: int) -> None:
    # three items of two vectors, the first the query
    spans = {"query_listed": (1, 3), "answer_listed": (4, 6), "query_given": (10, 12), "answer_given": (13, 15)}
    arrays = sequence(15, first) | {name: np.array(span) for name, span in spans.items()}
    figure = recall_figure(arrays, "title")
    inputs, outputs, write, read = figure.axes
    assert [patch.get_x() for patch in inputs.patches] == [0.5, 9.5, 3.5]
    assert [patch.get_x() for patch in outputs.patches] == [12.5]
    for panel, starts in ((write, (0.5, 3.5)), (read, (9.5, 12.5))):
        assert [patch.get_x() for patch in panel.patches] == list(starts)
        assert [patch.get_height() for patch in panel.patches] == [2, 2]
        query, answer = (patch.get_y() for patch in panel.patches)
        assert answer - query == 3
    image = write.images[0].get_array()
    for patch, steps in zip(write.patches, ((1, 2), (4, 5)), strict=True):
        assert image[:, steps].argmax(axis=0).tolist() == [patch.get_y() + 0.5, patch.get_y() + 1.5]
    save(figure, tmp_path / "figure.png")
    recall_maps(arrays, tmp_path / "maps.png", "title")
    assert drawn(tmp_path / "maps.png")
