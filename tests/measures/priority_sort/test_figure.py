"""The picture of priority sort, drawn from what a machine that sorts would leave."""

import numpy as np
import pytest

from augrnn.exhibits.exhibit import from_content
from augrnn.measures.priority_sort.figure import SortedWrites
from augrnn.measures.priority_sort.measure import Writes, fitted_line, sorted_writes


def sorter(lag: int, rows: int = 64) -> SortedWrites:
    random = np.random.default_rng(0)
    priority_KB = random.uniform(-1, 1, (20, 100))
    places = np.round(10 * priority_KB[:, 0]).astype(int)
    writes, reads = np.zeros(37, int), np.full(37, 12)
    writes[lag : lag + 20] = places
    reads[21:] = 10 - np.arange(16)
    eye = np.eye(rows, dtype=np.float32)
    locations_KB = np.round(10 * priority_KB + 10 + random.normal(0, 1, (20, 100))).astype(int)
    best = Writes(fitted_line(priority_KB.ravel(), locations_KB.ravel()), 0, lag, locations_KB, 20)
    return sorted_writes(priority_KB, best, eye[writes % rows], eye[reads[21:] % rows], "title")


@pytest.mark.parametrize("lag", [0, 1])
def test_writes_run_down_from_the_highest_priority(lag: int) -> None:
    figure = from_content(sorter(lag).content()).figure()
    write_NK = np.asarray(figure.axes[1].get_images()[0].get_array())
    read_NT = np.asarray(figure.axes[2].get_images()[0].get_array())
    assert (np.diff(write_NK.argmax(axis=0)) <= 0).all()
    assert write_NK.argmax(axis=0).max() - write_NK.argmax(axis=0).min() > 10
    assert np.array_equal(np.diff(read_NT.argmax(axis=0)), np.full(15, -1))
    assert figure.axes[0].get_title() == "write location, R² 0.97"
    assert [axes.get_title() for axes in figure.axes[1:]] == ["write weighting", "read weighting"]
