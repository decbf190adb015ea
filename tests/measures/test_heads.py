"""What heads do, on traces made by hand, and what is shown of them where a task has no measure of its own."""

import numpy as np
import pytest
import torch

from augrnn.cells.lstm import LSTM
from augrnn.cells.ntm import NTM
from augrnn.measures.heads import focus, head_steps, maps, one_row_a_step, ring_moves, used_rows
from augrnn.measures.measure import previewed
from augrnn.systems.transducer import Transducer
from augrnn.tasks.bit_task import BitBatch, BitTask
from augrnn.tasks.copy import Copy
from augrnn.tasks.drawn_task import Size


def standing(rows: list[int], count: int) -> np.ndarray:
    """The weighting of a head that is wholly on these rows, one after the other: (T, 1, N)."""
    return np.eye(count, dtype=np.float32)[rows][:, None]


def test_focus_and_steps_of_a_head_that_walks_the_ring() -> None:
    w_TBN = standing([6, 7, 0, 1], 8)
    assert focus(w_TBN) == 1.0
    assert head_steps(w_TBN)[:, 0].tolist() == [1, 1, 1]
    assert head_steps(w_TBN[::-1])[:, 0].tolist() == [-1, -1, -1]
    assert one_row_a_step(w_TBN) == one_row_a_step(w_TBN[::-1]) == 1.0
    assert one_row_a_step(standing([0, 0, 1, 4], 8)) == pytest.approx(1 / 3)
    assert focus(np.full((4, 1, 8), 1 / 8, np.float32)) == pytest.approx(1 / 8)


@pytest.mark.parametrize("count", [7, 8])
def test_ring_moves_go_the_shorter_way(count: int) -> None:
    for start in range(count):
        for stop in range(count):
            move = int(ring_moves(np.array(start), np.array(stop), count))
            assert (start + move) % count == stop
            assert abs(move) == min((stop - start) % count, (start - stop) % count)


@pytest.mark.parametrize("first", [0, 6])
def test_used_rows_go_across_the_end_of_the_ring(first: int) -> None:
    rows = (first + np.array([0, 1, 2, 3, 0, 1, 2])) % 12
    weighting = np.eye(12, dtype=np.float32)[rows]
    assert used_rows(weighting, weighting).tolist() == [(first + i) % 12 for i in range(-2, 6)]


def test_maps_are_those_of_the_heads_asked_for_and_of_the_first_by_default() -> None:
    torch.manual_seed(0)
    system = Transducer(NTM(4, 3, lambda size: LSTM(size, 8), heads=2, rows=8, width=5)).eval()
    batch = Copy(width=3).sample(2, (3,), 0)
    with torch.no_grad():
        unrolled = system(batch, keep=True)
    trace = unrolled.trace
    for heads, (read, write) in (({}, (0, 0)), ({"read": 1}, (1, 0)), ({"write": 1}, (0, 1))):
        found = maps(unrolled, batch, **heads)
        assert found["read"] == pytest.approx(trace.weighting_BAN[:, 0, read].numpy())
        assert found["write"] == pytest.approx(trace.weighting_BAN[:, 0, 2 + write].numpy())
        assert found["reads"] == pytest.approx(trace.read_BHW[:, 0, read].numpy())
        assert found["adds"] == pytest.approx(trace.add_BHW[:, 0, write].numpy())
        assert found["inputs"] == pytest.approx(batch.inputs_TBI[:, 0].numpy())
        assert found["outputs"] == pytest.approx(1 / (1 + np.exp(-unrolled.y_TBO[:, 0].numpy())))


class Other(BitTask):
    """A task that no picture is written for."""

    measure = "augrnn.measures.heads.HeadsMeasure"
    input_size = output_size = 2

    def __init__(self) -> None:
        super().__init__(4, 1, 32, ((3,),), 4, 0)

    def random_size(self, *seed: int) -> Size:
        return (3,)

    def sample(self, batch_size: int, size: Size, *seed: int) -> BitBatch:
        bits_TBO = torch.ones(3, batch_size, 2)
        return BitBatch(bits_TBO, bits_TBO, torch.ones(3, batch_size))


def test_a_task_without_a_picture_of_its_own_shows_its_steps_undivided() -> None:
    cell = NTM(2, 2, lambda size: LSTM(size, 8), rows=8, width=5)
    shown = previewed(Transducer(cell), Other())["heads"]
    assert (len(shown.inputs), len(shown.outputs), len(shown.write), len(shown.read)) == (3, 3, 3, 3)
    assert not shown.marks
    assert not shown.frames
