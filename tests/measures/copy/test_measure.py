"""The mechanism's measures on traces made by hand, and the whole of them on a small machine."""

import json

import numpy as np
import pytest
import torch

from augrnn.cells import ACT, PonderNet, Repeat
from augrnn.cells.feedforward import Feedforward
from augrnn.cells.lstm import LSTM
from augrnn.cells.ntm import NTM
from augrnn.measures.copy.figure import CopyTrace
from augrnn.measures.copy.measure import accurate_prefix, cosine, same_rows, wrong_vectors
from augrnn.measures.heads import used_rows
from augrnn.measures.measure import measured
from augrnn.systems.transducer import Transducer
from augrnn.tasks.copy import Copy


def standing(rows: list[int], count: int) -> np.ndarray:
    """The weighting of a head that is wholly on these rows, one after the other: (T, 1, N)."""
    return np.eye(count, dtype=np.float32)[rows][:, None]


@pytest.mark.parametrize(("late_write", "late_read"), [(0, 0), (1, 0), (1, -1), (0, -2)])
def test_reads_on_the_written_rows_are_found_at_their_lags(late_write: int, late_read: int) -> None:
    length, rows = 5, 16
    writes, reads = [15] * (2 * length + 1), [14] * (2 * length + 1)
    for k in range(length):
        writes[k + late_write] = 2 * k
        reads[length + 1 + k + late_read] = 2 * k
    share, *lags = same_rows(standing(writes, rows), standing(reads, rows), length)
    assert share == 1.0
    assert lags == [late_write, late_read]


def test_reads_in_another_order_are_not_the_written_rows() -> None:
    writes, reads = [0, 1, 2, 3, 7, 7, 7, 7, 7], [6, 6, 6, 6, 6, 3, 2, 1, 0]
    assert same_rows(standing(writes, 8), standing(reads, 8), 4)[0] <= 0.25


def test_cosine_of_equal_opposite_and_zero_vectors() -> None:
    a = np.array([[1.0, 2.0]], np.float32)
    assert cosine(a, 3 * a) == pytest.approx(1)
    assert cosine(a, -a) == pytest.approx(-1)
    assert cosine(a, 0 * a) == 0


def test_prefix_counts_vectors_before_the_first_wrong_one() -> None:
    batch = Copy(width=2).sample(3, (4,), 0)
    logits = (batch.targets_TBO - 0.5) * 2
    logits[5 + 1, 0, 1] *= -1  # the second vector of the first sequence
    logits[5 + 0, 1, 0] *= -1  # the first of the second
    wrong_BK = wrong_vectors(batch, logits)
    assert wrong_BK.tolist() == [[False, True, False, False], [True, False, False, False], [False] * 4]
    assert accurate_prefix(wrong_BK) == pytest.approx((1 + 0 + 4) / 3)


@pytest.mark.parametrize("heads", [1, 2])
def test_measures_are_whole_and_leave_the_memory_as_it_was(heads: int) -> None:
    torch.manual_seed(0)
    system = Transducer(NTM(4, 3, lambda size: LSTM(size, 8), heads=heads, rows=8, width=5))
    task = Copy(width=3, max_length=4, test_lengths=(2, 6), test_sequences=100)
    numbers, exhibits = measured(system, task)
    assert set(numbers) == {"wrong_bits", "accurate_prefix", "faultless", "mechanism", "limit"}
    assert set(numbers["wrong_bits"]) == {"2", "6"}
    assert system.cell.rows == 8
    assert (numbers["limit"]["length"], numbers["limit"]["rows"], numbers["limit"]["more_rows"]) == (10, 8, 16)
    json.dumps(numbers)
    shown = exhibits["heads"]
    assert isinstance(shown, CopyTrace)
    assert len(shown.write) == len(shown.read) == 13
    batch = next(iter(task.evaluation_set((6,), 100)))
    with torch.no_grad():
        w_TAN = system(batch, keep=True).trace.weighting_BAN[:, 0].numpy()
    rows = used_rows(w_TAN[:, heads], w_TAN[:, 0])
    assert np.array_equal(shown.write, w_TAN[:, heads, rows])
    assert np.array_equal(shown.read, w_TAN[:, 0, rows])
    numbers, exhibits = measured(Transducer(LSTM(4, 8, 3)), task)
    assert "mechanism" not in numbers
    assert not exhibits


def test_inner_steps_are_told_at_each_step_in_time() -> None:
    torch.manual_seed(0)
    task = Copy(width=2, test_lengths=(2, 3), test_sequences=150)

    def machine() -> NTM:
        return NTM(4, 2, lambda size: Feedforward(size, 5), rows=8, width=3)

    act = ACT(machine(), cap=4, bias=-1.0)
    torch.nn.init.normal_(act.halting_unit.weight, std=20.0)
    system = Transducer(act)
    found = measured(system, task).numbers
    assert sorted(found) == ["accurate_prefix", "faultless", "inner_steps", "wrong_bits"]
    system.eval()
    with torch.inference_mode():
        batches = list(task.evaluation_set((3,), 150))
        steps_TB = torch.cat([system(batch, keep=True).trace.steps_B for batch in batches], dim=1)
    assert steps_TB.shape == (7, 200)
    assert found["inner_steps"] == pytest.approx(steps_TB.double().mean(1).tolist())
    assert len(set(found["inner_steps"])) > 1
    assert measured(Transducer(Repeat(machine(), 3)), task).numbers["inner_steps"] == [3.0] * 7
    drawn = Transducer(PonderNet(machine(), cap=3))
    assert measured(drawn, task).numbers == measured(drawn, task).numbers
    assert "inner_steps" not in measured(Transducer(LSTM(3, 4, 2)), task).numbers
