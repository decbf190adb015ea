"""Associative recall's measures on traces made by hand, and the whole of them on small cells."""

import json
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from augrnn.batches import BitsBatch
from augrnn.cells.cell import Cell
from augrnn.cells.lstm import LSTM, GravesLSTM
from augrnn.cells.ntm import NTM, Feedforward
from augrnn.measures.recall import (
    by_position,
    content_weightings,
    example_of,
    item_rows,
    look_up,
    measure_recall,
    queries,
)
from augrnn.systems.transducer import Transducer
from augrnn.tasks.associative_recall import AssociativeRecall

ITEMS, VECTORS, ROWS = 5, 3, 64
ASKED = ITEMS * (VECTORS + 1)
ANSWER = ASKED + VECTORS + 2
STEPS = ANSWER + VECTORS
QUERIES = np.array([0, 1, 2, 3, 1])


def digest_row(item: int) -> int:
    """Where the writer of `Trace` puts the digest of an item: before the next item's vectors, around the ring."""
    return 50 + (item + 1) * (VECTORS + 1)


class Trace(NamedTuple):
    """A write head that moves on by one row a step, and a read head that waits on the row behind its start."""

    write: np.ndarray
    read: np.ndarray
    content: np.ndarray
    gate: np.ndarray

    def measured(self) -> dict[str, float | None]:
        weightings = (np.eye(ROWS, dtype=np.float32)[rows % ROWS] for rows in self[:3])
        return look_up(*weightings, self.gate, QUERIES, ITEMS, VECTORS)


def waiting() -> Trace:
    write = np.repeat(50 + np.arange(STEPS)[:, None], len(QUERIES), axis=1)
    still = np.full_like(write, 49)
    return Trace(write, still, still.copy(), np.full(write.shape, 0.1, np.float32))


def looking_up(
    found: Callable[[int], int], shift: int, at: int = ANSWER, onward: int = 1, direction: int = 1
) -> dict[str, float | None]:
    """The measures of a read head that finds a row by content at a step, shifts, and moves `onward` afterwards.

    With `direction` -1 all heads move the other way around the ring.
    """
    trace = waiting()
    for b, query in enumerate(QUERIES):
        trace.gate[at, b] = 0.9
        trace.content[at, b] = found(query)
        trace.read[at:, b] = found(query) + shift + onward * np.arange(STEPS - at)
    return Trace(*(direction * rows for rows in trace[:3]), trace.gate).measured()


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
            "shift_after_lookup": 1.0,
        }
    )


def test_the_shift_may_come_in_the_step_after_the_look_up() -> None:
    found = looking_up(digest_row, shift=0, at=ANSWER - 1)
    assert (found["answer_from_its_rows"], found["lookup_lands"], found["shift_after_lookup"]) == (1.0, 1.0, 1.0)


def test_reading_a_step_early_is_the_mechanism_too() -> None:
    found = looking_up(digest_row, shift=1, at=ANSWER - 1)
    assert (found["answer_from_its_rows"], found["shift_after_lookup"]) == (1.0, 1.0)


def test_looking_the_answer_up_directly_is_not_the_mechanism() -> None:
    found = looking_up(lambda query: digest_row(query) + 1, shift=0)
    assert found["answer_from_its_rows"] == 1.0
    assert (found["lookup_lands"], found["lookup_lands_on_answer"], found["shift_after_lookup"]) == (0.0, 1.0, 0.0)


def test_reading_another_item_is_not_the_mechanism() -> None:
    found = looking_up(lambda query: digest_row((query + 2) % ITEMS), shift=1)
    assert found["answer_from_its_rows"] == found["lookup_lands"] == found["shift_after_lookup"] == 0.0
    assert found["lookup_lands_on_others"] > 0.2


def test_giving_the_query_back_is_not_the_mechanism() -> None:
    found = looking_up(lambda query: digest_row(query) - VECTORS - 1, shift=1)
    assert found["answer_from_its_rows"] == found["shift_after_lookup"] == 0.0
    inside = looking_up(lambda query: digest_row(query) - VECTORS, shift=1)
    assert (inside["lookup_lands"], inside["shift_after_lookup"]) == (1.0, 0.0)


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
    assert found["shift_after_lookup"] == pytest.approx(4 / 5)


def test_without_a_gate_there_is_no_look_up() -> None:
    found = waiting().measured()
    assert found["lookup_gate"] == pytest.approx(0.1)
    assert found["lookup_lands"] == found["lookup_lands_on_others"] == found["shift_after_lookup"] == 0.0
    assert found["answer_from_its_rows"] == 0.0


def test_the_last_look_up_counts() -> None:
    trace = waiting()
    trace.gate[ASKED + 1, :] = 1.0
    trace.content[ASKED + 1] = [digest_row(query) for query in QUERIES]
    trace.read[ASKED + 1 :] = trace.content[ASKED + 1] + 1
    assert trace.measured()["shift_after_lookup"] == 1.0
    trace.gate[ANSWER] = 0.6
    assert trace.measured()["lookup_lands"] == 0.0


def test_where_the_head_stood_before_the_look_up_does_not_count() -> None:
    trace = waiting()
    trace.gate[ANSWER] = 0.9
    trace.content[ANSWER] = [digest_row(query) for query in QUERIES]
    trace.read[ANSWER - 1] = trace.content[ANSWER] + 1
    found = trace.measured()
    assert (found["lookup_lands"], found["shift_after_lookup"]) == (1.0, 0.0)


def test_random_heads_have_little_of_it() -> None:
    rng, count = np.random.default_rng(0), 2000
    write, read, content = (rng.random((STEPS, count, ROWS)).astype(np.float32) for _ in range(3))
    gate, query = rng.random((STEPS, count)), rng.integers(0, ITEMS - 1, count)
    found = look_up(write, read, content, gate, query, ITEMS, VECTORS)
    controls = {"answer_from_its_rows": "answer_from_other_rows", "lookup_lands": "lookup_lands_on_others"}
    for name, control in controls.items():
        assert found[name] == pytest.approx(found[control], abs=0.02)
        assert found[name] < 0.1
    assert found["shift_after_lookup"] < 0.02
    assert found["lookup_gate"] > 0.8
    assert found["answer_gate"] == pytest.approx(0.5, abs=0.02)


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
        trace = Transducer(cell).eval()(batch.inputs_TBI, keep=True).trace
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
    numbers, arrays = measure_recall(system, task)
    assert json.loads(json.dumps(numbers)) == numbers
    assert list(numbers["cost_bits"]) == list(numbers["wrong_bits"]) == ["2", "7", "5"]
    assert ("mechanism" in numbers) == bool(arrays) == (kind == "ntm")
    costs: dict[int, list[float]] = {place: [] for place in range(3)}
    for number in range(2):
        batch = task.sample(100, (4,), 2, 4, number)
        with torch.no_grad():
            cost = batch.cost_bits(system(batch.inputs_TBI).y_TBO)
        for b in range(100):
            asked = batch.inputs_TBI[13:15, b, :3]
            listed = [torch.equal(batch.inputs_TBI[3 * j + 1 : 3 * j + 3, b, :3], asked) for j in range(3)]
            if sum(listed) == 1:
                costs[listed.index(True)].append(float(cost[b]))
    assert numbers["cost_by_position"] == pytest.approx([np.mean(costs[place]) for place in range(3)], abs=0.02)


def test_the_shown_sequence_is_the_largest_with_its_spans_where_the_items_are() -> None:
    task = AssociativeRecall(width=3, vectors=2, max_items=4, test_items=(2, 7, 5), test_sequences=100)
    _, arrays = measure_recall(Transducer(cells("ntm")), task)
    assert arrays["write"].shape == arrays["read"].shape == (7 * 3 + 2 + 2 + 2, 8)
    inputs = arrays["inputs"][:, :3]
    target = task.sample(100, (7,), 2, 7, 0).targets_TBO[:, 0].numpy()
    parts = {name: slice(*arrays[name]) for name in arrays if name.endswith(("listed", "given"))}
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
        assert queries(BitsBatch(inputs_TBI, targets_TBO, scored_TB), 1).tolist() == [place]


def test_the_example_is_a_validation_sequence() -> None:
    task = AssociativeRecall(width=3, vectors=2, max_items=4, validation_sequences=96)
    with torch.no_grad():
        arrays = example_of(Transducer(cells("ntm")).eval(), task)
    batch = task.evaluation_example()
    assert arrays["inputs"] == pytest.approx(batch.inputs_TBI[:, 0].numpy())
    query, answer = (arrays["inputs"][slice(*arrays[f"{item}_listed"]), :3] for item in ("query", "answer"))
    assert query == pytest.approx(arrays["inputs"][slice(*arrays["query_given"]), :3])
    assert answer == pytest.approx(batch.targets_TBO[slice(*arrays["answer_given"]), 0].numpy())
