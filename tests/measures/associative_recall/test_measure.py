"""Associative recall's measures on traces made by hand, and the whole of them on small cells."""

import json
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from augrnn.cells.cell import Cell
from augrnn.cells.feedforward import Feedforward
from augrnn.cells.lstm import LSTM, GravesLSTM
from augrnn.cells.ntm import NTM
from augrnn.exhibits.memory_trace import MemoryTrace
from augrnn.measures.associative_recall.measure import (
    by_position,
    content_weightings,
    item_rows,
    look_up,
    queries,
)
from augrnn.measures.measure import measured, previewed
from augrnn.systems.transducer import Transducer
from augrnn.tasks.associative_recall import AssociativeRecall
from augrnn.tasks.bit_task import BitBatch

ITEMS, VECTORS, ROWS = 5, 3, 64
ASKED = ITEMS * (VECTORS + 1)
ANSWER = ASKED + VECTORS + 2
STEPS = ANSWER + VECTORS
QUERIES = np.array([0, 1, 2, 3, 1])


def digest_row(item: int) -> int:
    """Where the writer of `Trace` puts the digest of an item: before the next item's vectors, around the ring."""
    return 50 + (item + 1) * (VECTORS + 1)


def weighting(rows_TB: np.ndarray, largest_TB: np.ndarray | float = 1.0) -> np.ndarray:
    """Weightings of a given largest weight on a given row, and the rest spread evenly over the others."""
    largest = np.broadcast_to(largest_TB, rows_TB.shape)[..., None]
    return np.where(np.arange(ROWS) == rows_TB[..., None] % ROWS, largest, (1 - largest) / (ROWS - 1))


class Trace(NamedTuple):
    """Rows of a write head that moves on by one a step, and of a read head that waits on the row behind its start.

    `sharp` is the read head's largest weight, `sure` the largest of its content weighting.
    """

    write: np.ndarray
    read: np.ndarray
    content: np.ndarray
    gate: np.ndarray
    sharp: np.ndarray
    sure: np.ndarray

    def measured(self, direction: int = 1) -> dict[str, float | None]:
        """With `direction` -1 all heads move the other way around the ring."""
        write, read, content = (direction * rows for rows in self[:3])
        weightings = weighting(write), weighting(read, self.sharp), weighting(content, self.sure)
        return look_up(*weightings, self.gate, QUERIES, ITEMS, VECTORS)


def waiting() -> Trace:
    write = np.repeat(50 + np.arange(STEPS)[:, None], len(QUERIES), axis=1)
    still, ones = np.full_like(write, 49), np.ones(write.shape, np.float32)
    return Trace(write, still, still.copy(), 0.1 * ones, ones, ones.copy())


def looking_up(
    found: Callable[[int], int], shift: int, at: int = ANSWER, onward: int = 1, direction: int = 1
) -> dict[str, float | None]:
    """The measures of a read head that finds a row by content at a step, shifts, and moves `onward` afterwards."""
    trace = waiting()
    for b, query in enumerate(QUERIES):
        trace.gate[at, b] = 0.9
        trace.content[at, b] = found(query)
        trace.read[at:, b] = found(query) + shift + onward * np.arange(STEPS - at)
    return trace.measured(direction)


def walking(rest: int = VECTORS) -> Trace:
    """The query's first vector finds its row, and the head walks on to the answer, as trained machines do.

    The gate stays above a half all the while, but the content weighting is nearly flat after the look-up. The head
    stands one row on from the first step, and rests at step `rest` of the window.
    """
    trace = waiting()
    trace.gate[:], trace.sharp[:], trace.sure[:] = 0.8, 0.8, 0.04
    trace.gate[ASKED + 1], trace.sharp[ASKED], trace.sure[ASKED + 1] = 0.9, 0.05, 0.3
    steps = np.arange(STEPS - ASKED - 1)
    first_B = np.array([digest_row(query) - VECTORS for query in QUERIES])
    trace.content[ASKED + 1] = first_B
    trace.content[ASKED + 2 :] = digest_row(ITEMS - 1)
    trace.read[ASKED + 1 :] = first_B + (1 + steps - (steps >= rest))[:, None]
    return trace


@pytest.mark.parametrize("direction", [1, -1])
def test_the_papers_mechanism_has_all_of_it(direction: int) -> None:
    found = looking_up(digest_row, shift=1, direction=direction)
    assert found == pytest.approx(
        {
            "answer_from_its_rows": 1.0,
            "answer_from_other_rows": 0.0,
            "lookup_gate": 0.9,
            "answer_gate": 0.1,
            "lookup_lands": 1.0,
            "lookup_lands_on_answer": 0.0,
            "lookup_lands_on_others": 0.0,
            "shifts_to_answer": 1.0,
            "one_shift_to_answer": 1.0,
        }
    )


@pytest.mark.parametrize("direction", [1, -1])
def test_a_walk_through_the_query_is_the_mechanism_without_a_single_shift(direction: int) -> None:
    found = walking().measured(direction)
    assert found == pytest.approx(
        {
            "answer_from_its_rows": 1.0,
            "answer_from_other_rows": 0.0,
            "lookup_gate": 0.9,
            "answer_gate": 0.8,
            "lookup_lands": 1.0,
            "lookup_lands_on_answer": 0.0,
            "lookup_lands_on_others": 0.0,
            "shifts_to_answer": 1.0,
            "one_shift_to_answer": 0.0,
        }
    )


def test_an_open_gate_with_flat_content_is_no_look_up() -> None:
    trace = walking()
    trace.sure[ASKED + 1], trace.sharp[ASKED] = 0.04, 0.8
    found = trace.measured()
    assert (found["lookup_gate"], found["answer_from_its_rows"]) == (pytest.approx(0.9), 1.0)
    assert found["lookup_lands"] == found["lookup_lands_on_others"] == found["shifts_to_answer"] == 0.0


def test_the_weighting_of_the_step_before_decides_and_not_that_of_the_step() -> None:
    trace = walking()
    trace.sharp[ASKED + 1] = 0.05  # the look-up's own weighting: the next step's flat content now exceeds it
    found = trace.measured()
    assert (found["lookup_lands"], found["shifts_to_answer"]) == (0.0, 0.0)


@pytest.mark.parametrize("step", range(1, VECTORS + 2))
def test_a_head_that_jumps_to_the_answer_has_not_walked(step: int) -> None:
    trace = walking()
    trace.read[ASKED + 1 : ASKED + 1 + step] = 10
    found = trace.measured()
    assert (found["answer_from_its_rows"], found["lookup_lands"], found["shifts_to_answer"]) == (1.0, 1.0, 0.0)


def test_a_walk_of_two_rows_a_step_or_back_and_forth_does_not_count() -> None:
    trace = walking()
    trace.read[ASKED + 1 : ASKED + 3, 0] -= 1  # two rows from the second step to the third
    trace.read[ASKED + 3, 1] -= 2  # one back, and three on
    trace.read[ASKED + 2, 2] -= 2  # behind the found row
    found = trace.measured()
    assert (found["answer_from_its_rows"], found["lookup_lands"]) == (1.0, 1.0)
    assert found["shifts_to_answer"] == pytest.approx(2 / 5)


def test_a_walk_that_does_not_come_to_the_answer_in_time_does_not_count() -> None:
    trace = walking()
    trace.read[ASKED + 2 :] = trace.read[ASKED + 1]
    assert (trace.measured()["lookup_lands"], trace.measured()["shifts_to_answer"]) == (1.0, 0.0)


def test_the_shift_may_come_in_the_step_after_the_look_up() -> None:
    found = looking_up(digest_row, shift=0, at=ANSWER - 1)
    assert (found["answer_from_its_rows"], found["lookup_lands"], found["shifts_to_answer"]) == (1.0, 1.0, 1.0)


def test_reading_a_step_early_is_the_mechanism_too() -> None:
    found = looking_up(digest_row, shift=1, at=ANSWER - 1)
    assert (found["answer_from_its_rows"], found["shifts_to_answer"]) == (1.0, 1.0)
    assert found["one_shift_to_answer"] == 0.0


def test_looking_the_answer_up_directly_is_not_the_mechanism() -> None:
    found = looking_up(lambda query: digest_row(query) + 1, shift=0)
    assert found["answer_from_its_rows"] == 1.0
    assert (found["lookup_lands"], found["lookup_lands_on_answer"], found["shifts_to_answer"]) == (0.0, 1.0, 0.0)


def test_reading_another_item_is_not_the_mechanism() -> None:
    found = looking_up(lambda query: digest_row((query + 2) % ITEMS), shift=1)
    assert found["answer_from_its_rows"] == found["lookup_lands"] == found["shifts_to_answer"] == 0.0
    assert found["lookup_lands_on_others"] > 0.2


def test_giving_the_query_back_is_not_the_mechanism() -> None:
    found = looking_up(lambda query: digest_row(query) - VECTORS - 1, shift=1)
    assert found["answer_from_its_rows"] == found["shifts_to_answer"] == 0.0
    inside = looking_up(lambda query: digest_row(query) - VECTORS, shift=1)
    assert (inside["lookup_lands"], inside["shifts_to_answer"]) == (1.0, 0.0)


def test_the_other_direction_for_some_sequences_does_not_count() -> None:
    trace = waiting()
    for b, query in enumerate(QUERIES):
        # the last sequence's writer runs the other way, so its answer lies on the other side of the digest
        sign = -1 if b == len(QUERIES) - 1 else 1
        trace.write[:, b] *= sign
        trace.gate[ANSWER, b] = 0.9
        trace.content[ANSWER, b] = sign * digest_row(query)
        trace.read[ANSWER:, b] = sign * (digest_row(query) + 1 + np.arange(VECTORS))
    found = trace.measured()
    assert (found["answer_from_its_rows"], found["lookup_lands"]) == (1.0, 1.0)
    assert found["shifts_to_answer"] == found["one_shift_to_answer"] == pytest.approx(4 / 5)


def test_without_a_gate_there_is_no_look_up() -> None:
    found = waiting().measured()
    assert found["lookup_gate"] == pytest.approx(0.1)
    assert found["lookup_lands"] == found["lookup_lands_on_others"] == found["shifts_to_answer"] == 0.0
    assert found["answer_from_its_rows"] == 0.0


def test_the_last_look_up_counts() -> None:
    trace = waiting()
    trace.gate[ASKED + 1, :] = 1.0
    trace.content[ASKED + 1] = [digest_row(query) for query in QUERIES]
    trace.read[ASKED + 1 :] = trace.content[ASKED + 1] + 1
    assert trace.measured()["one_shift_to_answer"] == 1.0
    trace.gate[ANSWER] = 0.6
    assert trace.measured()["lookup_lands"] == 0.0


def test_where_the_head_stood_before_the_look_up_does_not_count() -> None:
    trace = waiting()
    trace.gate[ANSWER] = 0.9
    trace.content[ANSWER] = [digest_row(query) for query in QUERIES]
    trace.read[ANSWER - 1] = trace.content[ANSWER] + 1
    found = trace.measured()
    assert (found["lookup_lands"], found["shifts_to_answer"]) == (1.0, 0.0)


def test_random_heads_have_little_of_it() -> None:
    rng, count = np.random.default_rng(0), 2000
    write, read, content = (rng.random((STEPS, count, ROWS)).astype(np.float32) for _ in range(3))
    gate, query = rng.random((STEPS, count)), rng.integers(0, ITEMS - 1, count)
    found = look_up(write, read, content, gate, query, ITEMS, VECTORS)
    controls = {"answer_from_its_rows": "answer_from_other_rows", "lookup_lands": "lookup_lands_on_others"}
    for name, control in controls.items():
        assert found[name] == pytest.approx(found[control], abs=0.02)
        assert found[name] < 0.1
    assert found["shifts_to_answer"] < 0.02
    assert found["lookup_gate"] > 0.8
    assert found["answer_gate"] == pytest.approx(0.5, abs=0.02)


def test_walks_are_those_of_a_loop_over_the_steps() -> None:
    rng, rows, items, vectors = np.random.default_rng(0), 8, 3, 1
    count, steps, answer = 4000, 11, 9
    write, content = (rng.random((steps, count, rows)).astype(np.float32) for _ in range(2))
    places = rng.integers(rows, size=count) + np.cumsum(rng.integers(-1, 2, (steps, count)), axis=0)
    read = (np.eye(rows)[places % rows] + 0.5 * rng.random((steps, count, rows))).astype(np.float32)
    gate, query = rng.random((steps, count)).astype(np.float32), rng.integers(0, items - 1, count)
    own_JBN = item_rows(write, items, vectors)
    lands, walks, once = 0, {1: 0, -1: 0}, {1: 0, -1: 0}
    for b in range(count):
        looks = [
            step
            for step in range(answer - vectors - 1, answer + 1)
            if max(gate[step, b] * content[step, b]) > max((1 - gate[step, b]) * read[step - 1, b])
        ]
        found = int(content[looks[-1], b].argmax()) if looks else -1
        if not looks or not own_JBN[query[b], b, found]:
            continue
        lands += 1
        for shift in walks:
            place, moved, strays = found, 0, False
            for step in range(looks[-1], answer + 1):
                now = int(read[step, b].argmax())
                strays |= now not in (place, (place + shift) % rows)
                moved += now != place
                place = now
            if not strays and own_JBN[query[b] + 1, b, place]:
                walks[shift] += 1
                once[shift] += moved == 1
    measured = look_up(write, read, content, gate, query, items, vectors)
    assert measured["lookup_lands"] == pytest.approx(lands / count)
    assert measured["shifts_to_answer"] == pytest.approx(max(walks.values()) / count)
    assert measured["one_shift_to_answer"] == pytest.approx(max(once.values()) / count)
    assert max(walks.values()) > max(once.values()) > 0


def test_own_rows_are_those_of_a_loop_over_the_steps() -> None:
    rng, batch, rows = np.random.default_rng(0), 20, 30
    write = rng.random((STEPS, batch, rows)).astype(np.float32)
    own_JBN = item_rows(write, ITEMS, VECTORS)
    for b in range(batch):
        visits: dict[int, set[int]] = {row: set() for row in range(rows)}
        for step in range(1, ASKED + 1):  # the delimiter after an item is the item's
            visits[int(write[step, b].argmax())].add((step - 1) // (VECTORS + 1))
        for row, items in visits.items():
            assert np.flatnonzero(own_JBN[:, b, row]).tolist() == (list(items) if len(items) == 1 else [])


def test_two_items_of_one_vector_have_no_controls() -> None:
    w = np.eye(8, dtype=np.float32)[[0, 1, 2, 3, 4, 4, 4, 4]][:, None]
    found = look_up(w, w, w, np.zeros((8, 1), np.float32), np.array([0]), 2, 1)
    assert [name for name, value in found.items() if value is None] == [
        "answer_from_other_rows",
        "answer_gate",
        "lookup_lands_on_others",
    ]


@pytest.mark.parametrize("controller", [lambda size: LSTM(size, 6), lambda size: Feedforward(size, 6)])
def test_content_weightings_are_those_the_machine_was_addressed_by(controller: Callable[[int], Cell]) -> None:
    torch.manual_seed(0)
    cell = NTM(5, 3, controller, heads=2, rows=9, width=4, sharpening=False)
    with torch.no_grad():
        cell.to_heads.weight.mul_(3)
        batch = AssociativeRecall(width=3).sample(4, (3,), 0)
        trace = Transducer(cell).eval()(batch, keep=True).trace
        content = content_weightings(cell, batch.inputs_TBI, trace)
        assert_close(content.sum(-1), torch.ones_like(content[..., 0]))
        first = cell.initial_state(4).weighting_BAN[None]
        before = torch.cat([first, trace.weighting_BAN[:-1]])
        gated = torch.lerp(before, content, trace.gate_BA[..., None])
    # What is left between these and the weightings is the shift: a mixture of the gated weighting's three rotations.
    rotations = torch.stack([gated.roll(shift, -1) for shift in (-1, 0, 1)], dim=-1).flatten(0, 2)
    target = trace.weighting_BAN.flatten(0, 2)[..., None]
    shifts = torch.linalg.lstsq(rotations.double(), target.double(), driver="gelsd").solution
    assert_close(rotations.double() @ shifts, target.double(), atol=1e-5, rtol=0)


def test_costs_by_position_are_means_over_the_sequences_that_ask_there() -> None:
    cost, query = np.array([1.0, 2.0, 4.0, 8.0], np.float32), np.array([0, 2, 0, 2])
    assert by_position(cost, query, 4) == [2.5, None, 5.0]


def cells(kind: str) -> Cell:
    torch.manual_seed(0)
    return NTM(5, 3, lambda size: LSTM(size, 8), heads=2, rows=8, width=5) if kind == "ntm" else GravesLSTM(5, 3, 6)


@pytest.mark.parametrize("kind", ["ntm", "lstm"])
def test_everything_is_measured_and_can_be_recorded(kind: str) -> None:
    task = AssociativeRecall(width=3, vectors=2, max_items=4, test_items=(2, 7, 5), test_sequences=200)
    system = Transducer(cells(kind))
    numbers, exhibits = measured(system, task)
    assert json.loads(json.dumps(numbers)) == numbers
    assert list(numbers["cost_bits"]) == list(numbers["wrong_bits"]) == ["2", "7", "5"]
    assert ("mechanism" in numbers) == bool(exhibits) == (kind == "ntm")
    costs: dict[int, list[float]] = {place: [] for place in range(3)}
    for number in range(2):
        batch = task.sample(100, (4,), 2, 4, number)
        with torch.no_grad():
            cost = batch.cost_bits(system(batch).y_TBO)
        for b in range(100):
            asked = batch.inputs_TBI[13:15, b, :3]
            listed = [torch.equal(batch.inputs_TBI[3 * j + 1 : 3 * j + 3, b, :3], asked) for j in range(3)]
            if sum(listed) == 1:
                costs[listed.index(True)].append(float(cost[b]))
    assert numbers["cost_by_position"] == pytest.approx([np.mean(costs[place]) for place in range(3)], abs=0.02)


def spans(shown: MemoryTrace) -> dict[str, slice]:
    """The steps that are framed, by item and whether it is listed or given."""
    places = {"write": "listed", "read": "given"}
    framed = [frame for frame in shown.frames if frame.panel in places]
    return {f"{frame.label.split()[0]}_{places[frame.panel]}": slice(*frame.steps) for frame in framed}


def test_the_shown_sequence_is_the_largest_with_its_spans_where_the_items_are() -> None:
    task = AssociativeRecall(width=3, vectors=2, max_items=4, test_items=(2, 7, 5), test_sequences=100)
    shown = measured(Transducer(cells("ntm")), task).exhibits["heads"]
    assert isinstance(shown, MemoryTrace)
    assert len(shown.write) == len(shown.read) == 7 * 3 + 2 + 2 + 2
    inputs = shown.inputs[:, :3]
    target = task.sample(100, (7,), 2, 7, 0).targets_TBO[:, 0].numpy()
    parts = spans(shown)
    assert len(parts) == 4
    assert (inputs[parts["query_listed"]] == inputs[parts["query_given"]]).all()
    assert (inputs[parts["answer_listed"]] == target[parts["answer_given"]]).all()
    assert parts["answer_given"].stop == len(inputs)


@pytest.mark.parametrize("items", [2, 6, 20])
def test_queries_are_the_items_that_were_drawn_to_be_asked_for(items: int) -> None:
    task = AssociativeRecall()
    batch = task.sample(100, (items,), 2, items, 0)
    assert queries(batch, task.vectors).tolist() == task.draw_items(100, items, 2, items, 0)[1].tolist()


def test_an_item_listed_twice_is_the_query_where_the_answer_follows() -> None:
    task = AssociativeRecall(width=2, vectors=1)
    inputs_TBI, targets_TBO, scored_TB = task.sample(1, (4,), 0)
    for step, bits in zip((1, 3, 5, 7, 9), ((1, 0), (0, 1), (1, 0), (1, 1), (1, 0)), strict=True):
        inputs_TBI[step, 0, :2] = torch.tensor(bits)
    for answer, place in (((0, 1), 0), ((1, 1), 2)):
        targets_TBO[-1, 0] = torch.tensor(answer)
        assert queries(BitBatch(inputs_TBI, targets_TBO, scored_TB), 1).tolist() == [place]


def test_the_example_is_a_validation_sequence() -> None:
    task = AssociativeRecall(width=3, vectors=2, max_items=4, validation_sequences=96)
    shown = previewed(Transducer(cells("ntm")), task)["heads"]
    batch = task.evaluation_example()
    assert shown.inputs == pytest.approx(batch.inputs_TBI[:, 0].numpy())
    parts = spans(shown)
    query, answer = (shown.inputs[parts[f"{item}_listed"], :3] for item in ("query", "answer"))
    assert query == pytest.approx(shown.inputs[parts["query_given"], :3])
    assert answer == pytest.approx(batch.targets_TBO[parts["answer_given"], 0].numpy())
