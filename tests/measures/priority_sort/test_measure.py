"""The measures on writes made by hand and against other implementations, and the whole of them on a small machine."""

import json

import numpy as np
import pytest
import scipy.stats
import torch

from augrnn.cells.lstm import LSTM, GravesLSTM
from augrnn.cells.ntm import NTM
from augrnn.measures.measure import measured, previewed
from augrnn.measures.priority_sort.figure import SortedWrites
from augrnn.measures.priority_sort.measure import (
    fitted_line,
    straightened,
    writes_by_head,
    written_rows,
)
from augrnn.systems.transducer import Transducer
from augrnn.tasks.priority_sort import PrioritySort

ROWS, K, BATCH = 64, 20, 50


def priorities() -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (K, BATCH)).astype(np.float32)


def sorting_rows(priority_KB: np.ndarray, first: int = 3, lag: int = 0) -> np.ndarray:
    """The rows of a head that writes at 10 rows a unit of priority, and else stands on one of them, (T, B)."""
    rows_TB = np.full((K + 5, BATCH), first + 10)
    rows_TB[lag : lag + K] = first + np.round(10 * (priority_KB + 1))
    return rows_TB.astype(int) % ROWS


def test_fitted_line_is_the_least_squares_line() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=50).astype(np.float32)
    y = (3 * x + random.normal(size=50)).astype(np.float32)
    expected = scipy.stats.linregress(x.astype(float), y.astype(float))
    assert fitted_line(x, y) == pytest.approx((expected.slope, expected.intercept, expected.rvalue**2))
    assert fitted_line(x, np.full(50, 7)) == pytest.approx((0, 7, 0))


def test_the_ring_is_cut_in_its_largest_gap() -> None:
    rows = np.array([14, 15, 0, 1, 2, 5])
    assert written_rows(rows, 16).tolist() == [14, 15, 0, 1, 2, 5]
    assert straightened(rows, 16).tolist() == [0, 1, 2, 3, 4, 7]
    assert straightened(np.array([9, 9]), 16).tolist() == [0, 0]
    assert straightened(np.arange(16), 16).tolist() == list(range(16))


def test_stray_writes_do_not_cut_the_used_rows() -> None:
    band = np.repeat(np.arange(50, 80) % ROWS, 100)
    rows = np.concatenate([band, np.arange(ROWS)])
    assert written_rows(rows, ROWS).tolist() == [row % ROWS for row in range(50, 80)]
    places = straightened(rows, ROWS)
    assert np.array_equal(places[: len(band)], np.repeat(np.arange(30), 100))
    assert (places.min(), places.max()) == (-17, 46)


@pytest.mark.parametrize("first", [3, 55])
@pytest.mark.parametrize("lag", [0, 1])
def test_a_head_that_sorts_is_found_wherever_it_starts_on_the_ring(first: int, lag: int) -> None:
    priority_KB = priorities()
    still = np.full((K + 5, BATCH), 9)
    rows_TBH = np.stack([still, sorting_rows(priority_KB, first, lag)], axis=-1)
    idle, sorts = writes_by_head(rows_TBH, priority_KB, ROWS)
    assert idle.line.r2 == 0
    assert sorts.line.r2 > 0.99
    assert sorts.line.slope == pytest.approx(10, abs=0.1)
    assert (sorts.head, sorts.lag) == (1, lag)
    assert sorts.rows_used == pytest.approx(21, abs=2)


def test_a_head_that_sorts_backwards_has_a_negative_slope() -> None:
    priority_KB = priorities()
    (found,) = writes_by_head(ROWS - 1 - sorting_rows(priority_KB)[..., None], priority_KB, ROWS)
    assert found.line.slope == pytest.approx(-10, abs=0.1)
    assert found.line.r2 > 0.99


def test_noise_takes_its_share_of_the_variance() -> None:
    priority_KB = priorities()
    noise = np.round(np.random.default_rng(1).normal(0, 4, (K, BATCH))).astype(int)
    rows_TB = sorting_rows(priority_KB, 60)
    rows_TB[:K] = (rows_TB[:K] + noise) % ROWS
    explained = 100 * priority_KB.var()
    (found,) = writes_by_head(rows_TB[..., None], priority_KB, ROWS)
    assert found.line.r2 == pytest.approx(explained / (explained + 16), abs=0.05)


def test_a_head_that_ignores_priority_or_writes_by_time_has_no_fit() -> None:
    priority_KB = priorities()
    by_time = np.repeat(np.arange(K + 5)[:, None], BATCH, axis=1)
    anywhere = np.random.default_rng(1).integers(0, ROWS, (K + 5, BATCH))
    for found in writes_by_head(np.stack([by_time, anywhere], axis=-1), priority_KB, ROWS):
        assert found.line.r2 < 0.02


def test_wrong_bits_by_position_against_a_loop() -> None:
    torch.manual_seed(0)
    task = PrioritySort(width=3, vectors=5, sorted_vectors=4, test_sequences=200)
    system = Transducer(GravesLSTM(5, 3, 6, layers=2))
    numbers, exhibits = measured(system, task)
    wrong, cost = np.zeros((4, 200)), []
    for number, batch in enumerate(task.evaluation_set((5,), 200)):
        logits_TBO = system(batch).y_TBO.detach()
        cost += batch.cost_bits(logits_TBO).tolist()
        for place in range(4):
            for b in range(100):
                answer = logits_TBO[6 + place, b] > 0
                wrong[place, 100 * number + b] = sum(answer.int() != batch.targets_TBO[6 + place, b])
    assert numbers["wrong_by_position"] == pytest.approx(wrong.mean(axis=1).tolist())
    assert numbers["wrong_bits"] == pytest.approx(wrong.sum(axis=0).mean())
    assert numbers["faultless"] == pytest.approx((wrong.sum(axis=0) == 0).mean())
    assert numbers["cost_bits"] == pytest.approx(np.mean(cost))
    assert "mechanism" not in numbers
    assert not exhibits


def test_measures_of_a_small_machine_are_whole() -> None:
    torch.manual_seed(0)
    system = Transducer(NTM(5, 3, lambda size: LSTM(size, 8), heads=2, rows=8, width=5))
    task = PrioritySort(width=3, vectors=5, sorted_vectors=4, test_sequences=100)
    numbers, exhibits = measured(system, task)
    json.dumps(numbers)
    mechanism = numbers["mechanism"]
    names = ("write_location_r2", "slope", "r2_by_head", "rows_used", "write_focus", "write_lag")
    assert set(mechanism) == {*names, "shuffled_r2", "read_step", "read_focus"}
    assert mechanism["write_location_r2"] == max(mechanism["r2_by_head"])
    assert len(mechanism["r2_by_head"]) == 2
    shown = exhibits["heads"]
    assert isinstance(shown, SortedWrites)
    assert shown.line == pytest.approx(fitted_line(shown.priorities, shown.locations))
    assert (shown.line.r2, shown.line.slope) == pytest.approx((mechanism["write_location_r2"], mechanism["slope"]))
    assert (len(shown.write), len(shown.read)) == (5, 4)
    assert shown.locations.shape == shown.priorities.shape == (500,)


def test_the_preview_is_validation_data() -> None:
    torch.manual_seed(0)
    system = Transducer(NTM(5, 3, lambda size: LSTM(size, 8), heads=2, rows=8, width=5))
    task = PrioritySort(width=3, vectors=5, sorted_vectors=4, test_sequences=100, validation_sequences=32)
    inputs_TBI = task.evaluation_example().inputs_TBI.numpy()
    found = previewed(system, task)
    assert found.keys() == measured(system, task).exhibits.keys()
    assert found["heads"].priorities == pytest.approx(inputs_TBI[:5, :, 3].ravel())


class Sorter(NTM):
    """A machine whose only write head stands where a made-up sorter's would, and whose read head walks down."""

    def __init__(self) -> None:
        super().__init__(5, 3, lambda size: LSTM(size, 4), rows=ROWS, width=2)

    def step(self, p_BP, state):
        emitted, state = super().step(p_BP, state)
        eye_NN = torch.eye(ROWS)
        write_BN = eye_NN[((10 * p_BP[:, 3]).round().long() + 4) % ROWS]
        read_BN = state.weighting_BAN.new_zeros(len(p_BP), ROWS) + eye_NN[(self.walked - 1) % ROWS]
        self.walked -= 1
        return emitted, state._replace(weighting_BAN=torch.stack([read_BN, write_BN], dim=1))


def test_a_machine_that_sorts_is_seen_to() -> None:
    cell = Sorter()
    cell.walked = 0
    numbers, _ = measured(Transducer(cell), PrioritySort(3, K, 16, test_sequences=100))
    mechanism = numbers["mechanism"]
    assert mechanism["write_location_r2"] > 0.99
    assert mechanism["slope"] == pytest.approx(10, abs=0.1)
    assert mechanism["shuffled_r2"] < 0.02
    assert mechanism["write_lag"] == 0
    assert mechanism["read_step"] == mechanism["read_focus"] == mechanism["write_focus"] == 1.0
