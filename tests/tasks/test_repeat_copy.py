import statistics

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from augrnn.errors import UserError
from augrnn.tasks.repeat_copy import RepeatCopy


@given(st.integers(1, 6), st.integers(1, 12), st.integers(1, 6), st.integers(0, 99))
def test_the_target_is_the_input_again_and_again_and_then_the_end(
    length: int, repeats: int, width: int, seed: int
) -> None:
    task = RepeatCopy(width=width)
    batch = task.sample(3, (length, repeats), seed)
    for sequence in range(3):
        inputs, targets = batch.inputs_TBI[:, sequence].tolist(), batch.targets_TBO[:, sequence].tolist()
        vectors = [step[:width] for step in inputs[:length]]
        expected = [[0.0] * (width + 1) for _ in range(length + 1)]
        for _ in range(repeats):
            expected += [[*vector, 0.0] for vector in vectors]
        expected.append([0.0] * width + [1.0])
        assert targets == expected
        blank = [[0.0] * (width + 2)] * (length * repeats + 1)
        count = pytest.approx(task.scaled(repeats))
        assert inputs == [*([*vector, 0.0, 0.0] for vector in vectors), [0.0] * width + [1.0, count], *blank]
        assert batch.scored_TB[:, sequence].tolist() == [0.0] * (length + 1) + [1.0] * (length * repeats + 1)


@pytest.mark.parametrize("most", [2, 7, 10])
def test_the_number_of_repeats_has_mean_0_and_variance_1(most: int) -> None:
    seen = [RepeatCopy(max_repeats=most).scaled(repeats) for repeats in range(1, most + 1)]
    assert statistics.fmean(seen) == pytest.approx(0, abs=1e-12)
    assert statistics.pvariance(seen) == pytest.approx(1)


def test_every_size_is_drawn_and_both_numbers_by_themselves() -> None:
    task = RepeatCopy(max_length=3, max_repeats=4)
    sizes = [task.random_size(0, 0, number, 0) for number in range(600)]
    assert set(sizes) == {(length, repeats) for length in range(1, 4) for repeats in range(1, 5)}
    assert min(map(sizes.count, set(sizes))) > 25  # 50 expected


def test_chance_at_the_papers_sizes() -> None:
    task = RepeatCopy()
    costs = [
        float(batch.cost_bits(torch.zeros_like(batch.targets_TBO)).mean())
        for batch in (task.sample(1, (length, repeats), 0) for length in range(1, 11) for repeats in range(1, 11))
    ]
    assert statistics.fmean(costs) == pytest.approx(218.75)
    data_bits = statistics.fmean(task.width * length * repeats for length in range(1, 11) for repeats in range(1, 11))
    assert data_bits == 181.5
    assert (task.input_size, task.output_size) == (8, 7)


def test_a_batch_is_a_function_of_seed_and_number() -> None:
    first, again = RepeatCopy(seed=1).draw(7), RepeatCopy(seed=1).draw(7)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    same_size = [RepeatCopy(seed=seed).sample(16, (5, 2), 0, seed, 7, 1).inputs_TBI for seed in (1, 2)]
    assert not torch.equal(*same_size)


def test_evaluation_sets_are_the_same_for_every_seed_and_named_by_their_sizes() -> None:
    tasks = [RepeatCopy(seed=s, test_sizes=((3, 4), (4, 3)), test_sequences=200, batch_size=8) for s in (0, 1)]
    assert tasks[0].test_names == ["3x4", "4x3"]
    for sets in ([task.val_dataloader()] for task in tasks), (task.test_dataloader() for task in tasks):
        first, second = ([batch.inputs_TBI for draws in found for batch in draws] for found in sets)
        assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    steps = [[tuple(batch.scored_TB.shape) for batch in draws] for draws in tasks[0].test_dataloader()]
    assert steps == [[(3 + 1 + 12 + 1, 100)] * 2, [(4 + 1 + 12 + 1, 100)] * 2]


@pytest.mark.parametrize("sizes", [{"width": 0}, {"max_length": 0}, {"max_repeats": 1}])
def test_impossible_sizes_are_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(UserError, match="the repeat copy task needs"):
        RepeatCopy(**sizes)


@pytest.mark.parametrize("sizes", [(), ((10, 10), (10, 0)), ((0, 10),)])
def test_impossible_test_sizes_are_refused(sizes: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(UserError, match="RepeatCopy needs test sizes, each of at least 1"):
        RepeatCopy(test_sizes=sizes)
