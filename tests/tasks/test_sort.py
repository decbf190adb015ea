import json
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from augrnn.errors import UserError
from augrnn.tasks.sort import Sort


@given(st.integers(2, 9), st.integers(0, 7), st.integers(0, 99), st.sampled_from([0.0, 0.02]))
def test_the_target_is_pythons_sort_of_the_input(most: int, less: int, seed: int, gap: float) -> None:
    fewest = max(2, most - less)
    batch = Sort(fewest, most, gap).sample(5, (fewest, most), seed)
    for b, length in enumerate(batch.lengths.tolist()):
        count = length // 2
        assert fewest <= count <= most
        inputs, targets = batch.inputs_TBI[:, b].tolist(), batch.targets_TBD[:, b, 0].tolist()
        numbers = [number for number, _ in inputs[:count]]
        ordered = sorted(numbers)
        assert all(after - before >= gap - 1e-6 for before, after in pairwise(ordered))
        assert targets[count:length] == [numbers.index(number) for number in ordered]
        rest = len(inputs) - count
        assert [flag for _, flag in inputs] == [0.0] * (count - 1) + [1.0] + [0.0] * rest
        assert inputs[count:] == [[0.0, 0.0]] * rest
        assert batch.scored_TB[:, b].tolist() == [0.0] * count + [1.0] * count + [0.0] * (len(inputs) - length)


def test_numbers_are_standard_normal_and_counts_even() -> None:
    task = Sort()
    batch = task.sample(3000, (15, 15), 0)
    numbers = batch.inputs_TBI[:15, :, 0].flatten().double()
    assert abs(numbers.mean()) < 4 / len(numbers) ** 0.5
    assert abs(numbers.std() - 1) < 4 / (2 * len(numbers)) ** 0.5
    counts = torch.bincount(torch.cat([task.draw(number).lengths for number in range(400)]) // 2, minlength=16)
    assert not counts[:2].any()
    assert ((counts[2:] - 6400 / 14).abs() < 4 * (6400 * 13 / 196) ** 0.5).all()
    assert (task.input_size, task.output_size) == (2, 15)


def test_a_gap_leaves_the_distribution_of_wider_sequences_as_it_is() -> None:
    plain = Sort(4, 4).sample(40_000, (4, 4), 0).inputs_TBI[:4, :, 0]
    wide = plain[:, plain.sort(0).values.diff(dim=0).amin(0) >= 0.2]
    gapped = Sort(4, 4, 0.2).sample(20_000, (4, 4), 1).inputs_TBI[:4, :, 0]
    assert gapped.sort(0).values.diff(dim=0).min() >= 0.2
    for moment in (2, 4):
        first, second = wide.double() ** moment, gapped.double() ** moment
        assert abs(first.mean() - second.mean()) < 4 * (first.var() / wide.numel() + second.var() / 80_000) ** 0.5


def test_sets_are_named_by_their_counts() -> None:
    task = Sort(2, 4, test_sequences=300)
    assert task.test_names == ["2", "3", "4", "2-4"]
    found = {name: torch.cat([batch.lengths for batch in batches]) // 2 for name, batches in task.test_sets().items()}
    assert all((counts == int(name)).all() for name, counts in found.items() if "-" not in name)
    assert [len(counts) for counts in found.values()] == [300] * 4
    assert set(found["2-4"].tolist()) == {2, 3, 4}


def test_a_batch_is_a_function_of_seed_and_number() -> None:
    first, again = Sort(least_gap=0.01, seed=1).draw(7), Sort(least_gap=0.01, seed=1).draw(7)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    others = [Sort(seed=2).draw(7), Sort(seed=1).draw(8)]
    assert not any(torch.equal(first.inputs_TBI[0], other.inputs_TBI[0]) for other in others)
    validations = [next(iter(Sort(seed=seed).validation_set())) for seed in (0, 1)]
    assert torch.equal(validations[0].inputs_TBI, validations[1].inputs_TBI)


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ({"min_count": 1}, "2 <= min_count <= max_count, not 1 and 15"),
        ({"min_count": 16}, "not 16 and 15"),
        ({"least_gap": -0.1}, "a least_gap from 0"),
        ({"least_gap": 0.2}, "that 1% of sequences of 15 numbers have, not 0.2"),
        ({"least_gap": float("nan")}, "a finite number for least_gap, not nan"),
        ({"least_gap": "0.1"}, "a finite number for least_gap, not '0.1'"),
        ({"max_count": 7.5}, r"a whole number for max_count, not 7\.5"),
    ],
)
def test_impossible_sizes_are_refused(sizes: dict[str, object], told: str) -> None:
    with pytest.raises(UserError, match=told):
        Sort(**sizes)  # type: ignore[arg-type]


def test_a_users_numbers_are_sorted() -> None:
    codec = Sort(max_count=4).codec
    (first, second) = codec.batches(["[0.5, -1, 2]", "", "[3, 1]"])
    assert (first[0], second[0]) == ([0], [2])
    batch = first[1]
    assert batch.inputs_TBI[:, 0].tolist() == [[0.5, 0], [-1, 0], [2, 1], [0, 0], [0, 0], [0, 0]]
    assert batch.lengths.tolist() == [6]
    outputs_TBO = torch.zeros(6, 1, 4)
    outputs_TBO[3:, 0] = torch.eye(4)[[1, 0, 2]]
    assert [json.loads(line) for line in codec.texts(outputs_TBO)] == [[1, 0, 2]]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("[1, 2, 1]", "line 2 has equal numbers, whose order is not defined"),
        ("[1, 2, 3, 4, 5]", "line 2 is not a JSON list of 1 to 4 numbers"),
        ("[]", "line 2 is not a JSON list"),
        ("[[1, 0], [2, 1]]", "line 2 is not a JSON list"),
        ("[1, 1" + "0" * 400 + "]", "line 2 is not a JSON list"),
        ("[" * 100_000, "line 2 is not a JSON list"),
        ("[1, NaN]", "line 2 is not a JSON list"),
        ("1 2", "line 2 is not a JSON list"),
    ],
)
def test_lines_that_cannot_be_sorted_are_refused(line: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        list(Sort(max_count=4).codec.batches(["[1, 2]", line]))
