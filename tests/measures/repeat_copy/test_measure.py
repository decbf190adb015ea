"""Repeat copy's measures on outputs and traces made by hand, and the whole of them on small cells."""

import json

import numpy as np
import pytest
import torch

from augrnn.cells.lstm import LSTM, GravesLSTM
from augrnn.cells.ntm import NTM
from augrnn.cells.unroll import Unrolled
from augrnn.measures.heads import used_rows
from augrnn.measures.measure import measured, previewed
from augrnn.measures.repeat_copy.measure import (
    ends,
    jump_back,
    loops,
    read_where_written,
    repeated_rows,
    step_within,
    wrong_by_repeat,
)
from augrnn.systems.transducer import Transducer
from augrnn.tasks.bit_task import BitBatch
from augrnn.tasks.repeat_copy import RepeatCopy

LENGTH, REPEATS, ROWS = 5, 3, 16
STEPS = LENGTH + 1 + LENGTH * REPEATS + 1


def standing(rows: list[int]) -> np.ndarray:
    """The weighting of a head that is wholly on these rows, one after the other: (T, 1, N)."""
    return np.eye(ROWS, dtype=np.float32)[np.array(rows) % ROWS][:, None]


def writer(late: int = 0, first: int = 13) -> np.ndarray:
    """Writes vector k on row `first` + k, around the end of the ring, `late` steps after seeing it."""
    rows = [first - 5] * STEPS
    for k in range(LENGTH):
        if k + late >= 0:
            rows[k + late] = first + k
    return standing(rows)


def looper(late: int = 0, first: int = 13) -> np.ndarray:
    """Reads the writer's rows in each repetition, from the first again."""
    rows = [first - 6] * STEPS
    for r in range(REPEATS):
        for k in range(LENGTH):
            rows[LENGTH + 1 + r * LENGTH + k + late] = first + k
    return standing(rows)


@pytest.mark.parametrize(("late_write", "late_read"), [(0, 0), (1, 0), (1, -1), (2, 1), (0, -2)])
def test_a_loop_over_the_written_rows_is_found_at_its_lags(late_write: int, late_read: int) -> None:
    share, *lags = read_where_written(writer(late_write), looper(late_read), LENGTH, REPEATS)
    assert share == 1.0
    assert lags == [late_write, late_read]
    rows_RKB = repeated_rows(looper(late_read), LENGTH, REPEATS, late_read)
    assert rows_RKB[:, :, 0].tolist() == [[13, 14, 15, 0, 1]] * REPEATS
    assert (loops(rows_RKB), loops(rows_RKB, turn=1)) == (1.0, 0.0)
    assert jump_back(rows_RKB, ROWS) == 1.0
    assert step_within(rows_RKB, ROWS) == 1.0


def test_of_two_lags_as_good_the_smaller_is_taken() -> None:
    walker = standing(list(range(STEPS)))
    assert read_where_written(walker, standing([9] * STEPS), LENGTH, REPEATS) == (0.0, 0, 0)


def test_a_head_that_never_turns_back_does_not_loop() -> None:
    onward = standing(list(range(STEPS)))
    rows_RKB = repeated_rows(onward, LENGTH, REPEATS)
    assert (loops(rows_RKB), jump_back(rows_RKB, ROWS)) == (0.0, 0.0)
    assert step_within(rows_RKB, ROWS) == 1.0
    assert read_where_written(writer(first=LENGTH + 1), onward, LENGTH, REPEATS)[0] == pytest.approx(1 / REPEATS)


def test_a_head_that_stands_still_loops_without_a_jump_or_a_step() -> None:
    rows_RKB = repeated_rows(standing([13] * STEPS), LENGTH, REPEATS)
    assert loops(rows_RKB) == loops(rows_RKB, turn=1) == 1.0
    assert jump_back(rows_RKB, ROWS) == step_within(rows_RKB, ROWS) == 0.0
    assert read_where_written(writer(), standing([13] * STEPS), LENGTH, REPEATS)[0] == pytest.approx(1 / LENGTH)


def test_two_heads_that_stand_on_one_row_share_nothing() -> None:
    still = standing([13] * STEPS)
    assert read_where_written(still, still, LENGTH, REPEATS)[0] == 0.0
    twice = standing([0, 1, 1, 2, 3] + [9] * (STEPS - LENGTH))
    reader = standing([9] * (LENGTH + 1) + [0, 1, 1, 2, 3] * REPEATS + [9])
    assert read_where_written(twice, reader, LENGTH, REPEATS)[0] == pytest.approx(3 / 5)


def test_one_shift_back_is_no_jump() -> None:
    there_and_back = np.array([[0, 1, 2, 2, 1], [0, 1, 2, 2, 1], [0, 1, 2, 3, 2]])[:, :, None]
    assert jump_back(there_and_back, ROWS) == 0.0
    assert jump_back(there_and_back[[2, 2]], ROWS) == 1.0
    assert jump_back(there_and_back[[2, 2]], ROWS, reach=2) == 0.0


def test_random_heads_have_little_of_it() -> None:
    rng = np.random.default_rng(0)
    write, read = (rng.random((STEPS, 200, ROWS)).astype(np.float32) for _ in range(2))
    rows_RKB = repeated_rows(read, LENGTH, REPEATS)
    found = (
        read_where_written(write, read, LENGTH, REPEATS)[0],
        loops(rows_RKB),
        jump_back(rows_RKB, ROWS),
        step_within(rows_RKB, ROWS),
    )
    assert found == pytest.approx([1 / ROWS] * 4, abs=0.03)


def test_wrong_bits_are_counted_where_they_are() -> None:
    task = RepeatCopy(width=3)
    batch = task.sample(2, (2, 3), 0)
    logits = batch.targets_TBO - 0.5
    logits[3, 0, 0] *= -1  # first vector of the first repetition
    logits[8, 0, 1:3] *= -1  # second vector of the third
    logits[5, 1, 2] *= -1  # first vector of the second
    logits[4, :, 3] *= -1  # an early end is no wrong data
    logits[-1] *= -1  # nor is the step of the end
    logits[1] *= -1  # nor what is not scored
    assert wrong_by_repeat(batch, logits, 2).tolist() == [[1, 0], [0, 1], [2, 0]]


def test_ends_are_what_a_loop_over_sequences_finds() -> None:
    length, repeats, count = 3, 4, 50
    on_SB = np.random.default_rng(0).random((length * repeats + 1, count)) < 0.1
    found = ends(on_SB, length)
    after, early, first = [0] * (repeats - 1), 0, []
    for b in range(count):
        steps = [s for s in range(length * repeats) if on_SB[s, b]]
        for s in steps:
            if s % length == 0 and s > 0:
                after[s // length - 1] += 1
        if steps:
            early += 1
            first.append(steps[0] // length)
    assert found["end_found"] == pytest.approx(sum(on_SB[-1]) / count)
    assert found["early_end"] == pytest.approx(early / count)
    assert found["early_end_by_repeat"] == pytest.approx([share / count for share in after])
    assert found["first_early_end"] == np.median(first)


def test_a_model_that_stops_where_it_should_has_no_early_end() -> None:
    on_SB = np.zeros((7, 4), dtype=bool)
    on_SB[-1] = True
    assert ends(on_SB, 3) == {
        "end_found": 1.0,
        "early_end": 0.0,
        "early_end_by_repeat": [0.0],
        "first_early_end": None,
    }


def test_the_example_is_a_validation_sequence_seen_by_the_heads_that_fit_best() -> None:
    torch.manual_seed(0)
    system = Transducer(NTM(5, 4, lambda size: LSTM(size, 8), heads=2, rows=8, width=5)).eval()
    task = RepeatCopy(width=3, max_length=4, max_repeats=4, validation_sequences=160)
    shown = previewed(system, task)["heads"]
    with torch.no_grad():
        batch = task.evaluation_example()
        weighting_TBAN = system(batch, keep=True).trace.weighting_BAN.numpy()
    starts = shown.marks["outputs"]
    length, repeats = starts[1] - starts[0], len(starts) - 1
    assert shown.marks == {"outputs": starts, "read": starts}
    again = [task.sample(32, (length, repeats), 1, number, 1).inputs_TBI for number in range(5)]
    assert any(torch.equal(inputs_TBI, batch.inputs_TBI) for inputs_TBI in again)
    assert shown.inputs == pytest.approx(batch.inputs_TBI[:, 0].numpy())
    shares = {
        (r, w): read_where_written(weighting_TBAN[:, :, 2 + w], weighting_TBAN[:, :, r], length, repeats)[0]
        for r in range(2)
        for w in range(2)
    }
    assert len(set(shares.values())) > 1
    read, write = max(shares, key=lambda pair: shares[pair])
    rows = used_rows(weighting_TBAN[:, 0, 2 + write], weighting_TBAN[:, 0, read])
    assert shown.read == pytest.approx(weighting_TBAN[:, 0, read, rows])
    assert shown.write == pytest.approx(weighting_TBAN[:, 0, 2 + write, rows])


class StopsTwice(Transducer):
    """Says nothing but the end, after the first repetition and where it should be."""

    def forward(self, batch: BitBatch, keep: bool = False) -> Unrolled:
        inputs_TBI = batch.inputs_TBI
        length = int(inputs_TBI[:, 0, 3].argmax())
        logits_TBO = torch.full((*inputs_TBI.shape[:2], 4), -1.0)
        logits_TBO[[2 * length + 1, -1], :, 3] = 1.0
        return Unrolled(logits_TBO, None, None)


def test_a_model_that_stops_twice_is_seen_to() -> None:
    task = RepeatCopy(width=3, test_sizes=((2, 3), (3, 2)), test_sequences=100)
    numbers, _ = measured(StopsTwice(LSTM(5, 2, 4)), task)
    assert numbers["early_end_by_repeat"] == {"2x3": [1.0, 0.0], "3x2": [1.0]}
    assert numbers["end_found"] == numbers["early_end"] == numbers["first_early_end"] == {"2x3": 1.0, "3x2": 1.0}
    ones = float(task.sample(100, (2, 3), 2, 2, 3, 0).targets_TBO[:-1].sum())
    assert numbers["wrong_bits"]["2x3"] == pytest.approx(ones / 100)


@pytest.mark.parametrize("kind", ["ntm", "lstm"])
def test_everything_is_measured_and_can_be_recorded(kind: str) -> None:
    torch.manual_seed(0)
    cells = {
        "ntm": lambda: NTM(5, 4, lambda size: LSTM(size, 8), heads=2, rows=8, width=5),
        "lstm": lambda: GravesLSTM(5, 4, 6),
    }
    sizes = ((3, 4), (4, 2))
    task = RepeatCopy(width=3, max_length=3, max_repeats=4, test_sizes=sizes, test_sequences=100)
    system = Transducer(cells[kind]())
    numbers, exhibits = measured(system, task)
    assert json.loads(json.dumps(numbers)) == numbers
    mechanism = numbers.pop("mechanism", None)
    assert all(set(by_size) == {"3x4", "4x2"} for by_size in numbers.values())
    assert len(numbers["wrong_by_repeat"]["3x4"]) == 4
    assert sum(numbers["wrong_by_repeat"]["3x4"]) == pytest.approx(numbers["wrong_bits"]["3x4"])
    batch = next(iter(task.evaluation_set((4, 2), 100)))
    with torch.no_grad():
        assert numbers["cost_bits"]["4x2"] == pytest.approx(float(batch.cost_bits(system(batch).y_TBO).mean()))
    assert bool(mechanism) == bool(exhibits) == (kind == "ntm")
    if kind == "ntm":
        assert all(0 <= value <= 1 for value in mechanism.values())
        shown = exhibits["heads"]
        assert len(shown.write) == len(shown.read) == 3 + 1 + 12 + 1
        assert shown.marks["read"] == [4, 7, 10, 13, 16]
