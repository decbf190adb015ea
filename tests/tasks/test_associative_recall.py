from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from augrnn.errors import UserError
from augrnn.tasks.associative_recall import AssociativeRecall

Item = list[list[float]]


def parsed(inputs: list[list[float]], width: int, vectors: int) -> tuple[list[Item], Item]:
    """The listed items and the query of one sequence, read step by step as the paper describes it."""
    items: list[Item] = []
    query: Item = []
    asked = 0
    for step, (*bits, delimiter, queries) in enumerate(inputs):
        assert len(bits) == width
        if delimiter:
            assert not asked
            assert not any(bits)
            items.append([])
        elif queries:
            assert not any(bits)
            asked += 1
        elif asked == 0:
            items[-1].append(bits)
        elif asked == 1:
            query.append(bits)
        else:
            assert step >= len(inputs) - vectors
            assert not any(bits)
    assert asked == 2
    assert {len(item) for item in items} | {len(query)} == {vectors}
    return items, query


@given(st.integers(2, 9), st.integers(1, 4), st.integers(1, 7), st.integers(0, 99))
def test_the_target_is_the_item_after_the_queried_one(items: int, vectors: int, width: int, seed: int) -> None:
    task = AssociativeRecall(width=width, vectors=vectors)
    batch = task.sample(4, (items,), seed)
    _, query_B = task.draw_items(4, items, seed)
    for sequence, asked in enumerate(query_B.tolist()):
        listed, query = parsed(batch.inputs_TBI[:, sequence].tolist(), width, vectors)
        assert len(listed) == items
        assert query == listed[asked]
        assert batch.targets_TBO[-vectors:, sequence].tolist() == listed[asked + 1]
    assert (batch.targets_TBO[:-vectors] == 0).all()
    scored = [0.0] * (len(batch.inputs_TBI) - vectors) + [1.0] * vectors
    assert batch.scored_TB.T.tolist() == [scored] * 4


def test_the_picture_in_the_docstring() -> None:
    task = AssociativeRecall(width=1, vectors=2)
    wanted = [[[1.0], [0.0]], [[1.0], [1.0]], [[0.0], [0.0]]], [[1.0], [1.0]]
    batch = next(
        batch
        for batch in (task.sample(1, (3,), seed) for seed in range(999))
        if parsed(batch.inputs_TBI[:, 0].tolist(), 1, 2) == wanted
    )
    item, query = batch.inputs_TBI[:, 0, 1].tolist(), batch.inputs_TBI[:, 0, 2].tolist()
    assert item == [1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    assert query == [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0]
    assert batch.scored_TB[:, 0].tolist() == [0.0] * 13 + [1.0] * 2
    assert batch.targets_TBO[-2:, 0, 0].tolist() == [0.0, 0.0]


def test_every_item_but_the_last_is_asked_for_equally_often() -> None:
    _, query_B = AssociativeRecall().draw_items(3000, 4, 0)
    counts = query_B.bincount(minlength=4).tolist()
    assert counts[3] == 0
    assert all(abs(count - 1000) < 4 * 26 for count in counts[:3])


def test_two_to_six_items_all_occur() -> None:
    steps = {len(AssociativeRecall().draw(number).inputs_TBI) for number in range(100)}
    assert steps == {4 * items + 1 + 3 + 1 + 3 for items in range(2, 7)}


def test_chance_at_the_papers_sizes() -> None:
    task = AssociativeRecall()
    batch = task.draw(0)
    assert batch.cost_bits(torch.zeros_like(batch.targets_TBO)).tolist() == pytest.approx([18.0] * 16)
    assert (task.input_size, task.output_size) == (8, 6)


def test_a_batch_is_a_function_of_seed_and_number() -> None:
    first, again = AssociativeRecall(seed=1).draw(7), AssociativeRecall(seed=1).draw(7)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    fixed = {"min_items": 4, "max_items": 4}
    others = [
        AssociativeRecall(seed=seed, **fixed).draw(number).inputs_TBI for seed, number in ((1, 7), (2, 7), (1, 8))
    ]
    assert not any(torch.equal(others[0], other) for other in others[1:])


def test_evaluation_sets_are_the_same_for_every_seed_and_named_by_their_items() -> None:
    tasks = [AssociativeRecall(seed=seed, test_items=(2, 10), test_sequences=200, batch_size=8) for seed in (0, 1)]
    assert tasks[0].test_names == ["2", "10"]
    for sets in ([task.val_dataloader()] for task in tasks), (task.test_dataloader() for task in tasks):
        first, second = ([batch.inputs_TBI for draws in found for batch in draws] for found in sets)
        assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    shapes = [[tuple(batch.scored_TB.shape) for batch in draws] for draws in tasks[0].test_dataloader()]
    assert shapes == [[(2 * 4 + 8, 100)] * 2, [(10 * 4 + 8, 100)] * 2]


@pytest.mark.parametrize(
    "sizes",
    [
        {"width": 0},
        {"vectors": 0},
        {"min_items": 1},
        {"min_items": 5, "max_items": 4},
        {"test_items": (2, 1)},
        {"test_items": ()},
    ],
)
def test_impossible_sizes_are_refused(sizes: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="associative recall needs"):
        AssociativeRecall(**sizes)
