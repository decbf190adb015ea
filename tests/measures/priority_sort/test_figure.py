"""The picture of priority sort, drawn from what a machine that sorts would leave."""

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from augrnn.exhibits.style import save
from augrnn.measures.priority_sort.figure import sort_figure, sort_maps


def drawn(path: Path) -> bool:
    """Whether a picture has more than one colour."""
    return len(np.unique(matplotlib.image.imread(path)[..., :3].reshape(-1, 3), axis=0)) > 1


def sorter(lag: int, rows: int = 64) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    priorities, pooled = random.uniform(-1, 1, 20), random.uniform(-1, 1, 2000)
    places = np.round(10 * priorities).astype(int)
    writes, reads = np.zeros(37, int), np.full(37, 12)
    writes[lag : lag + 20] = places
    reads[21:] = 10 - np.arange(16)
    eye = np.eye(rows, dtype=np.float32)
    return {
        "write": eye[writes % rows],
        "read": eye[reads % rows],
        "write_lag": np.array(lag),
        "priorities": priorities,
        "locations": np.round(10 * pooled + 10 + random.normal(0, 1, 2000)).astype(int),
        "location_priorities": pooled,
    }


@pytest.mark.parametrize("lag", [0, 1])
def test_writes_run_down_from_the_highest_priority(tmp_path: Path, lag: int) -> None:
    figure = sort_figure(sorter(lag), "title")
    write_NK = np.asarray(figure.axes[1].get_images()[0].get_array())
    read_NT = np.asarray(figure.axes[2].get_images()[0].get_array())
    assert (np.diff(write_NK.argmax(axis=0)) <= 0).all()
    assert np.array_equal(np.diff(read_NT.argmax(axis=0)), np.full(15, -1))
    assert figure.axes[0].get_title() == "write location, R² 0.97"
    save(figure, tmp_path / "figure.png")
    sort_maps(sorter(lag), tmp_path / "sort.png", "title")
    assert drawn(tmp_path / "sort.png")
