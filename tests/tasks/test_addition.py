import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from augrnn.errors import UserError
from augrnn.tasks.addition import BLANK, Addition


@given(st.integers(1, 6), st.integers(2, 5), st.integers(0, 99))
def test_the_target_is_pythons_sum_of_the_numbers(max_digits: int, max_numbers: int, seed: int) -> None:
    task = Addition(max_digits, max_numbers=max_numbers, test_numbers=2)
    batch = task.sample(4, (1, max_digits, 1, max_numbers), seed)
    places = len(str(max_numbers * int("9" * max_digits)))
    assert batch.targets_TBD.shape[2] * 11 == task.output_size == places * 11
    assert batch.inputs_TBI.shape[2] == task.input_size == 10 * max_digits
    for b, length in enumerate(batch.lengths.tolist()):
        total = 0
        for t, vector in enumerate(batch.inputs_TBI[:, b].tolist()):
            if t >= length:
                assert not any(vector)
                assert not batch.scored_TB[t, b]
                continue
            chunks = [vector[10 * n : 10 * n + 10] for n in range(max_digits)]
            digits = "".join(str(chunk.index(1)) for chunk in chunks if any(chunk))
            assert digits
            assert all(sum(chunk) == (n < len(digits)) for n, chunk in enumerate(chunks))
            total += int(digits)
            expected = [int(digit) for digit in str(total)]
            assert batch.targets_TBD[t, b].tolist() == expected + [BLANK] * (places - len(expected))
            assert batch.scored_TB[t, b] == (t > 0)


def test_the_papers_sizes() -> None:
    task = Addition()
    assert (task.input_size, task.classifications, task.output_size) == (50, 6, 66)
    assert task.draw(0).inputs_TBI.shape[1] == 32
    lengths = torch.cat([task.draw(number).lengths for number in range(300)])
    counts = torch.bincount(lengths, minlength=6)[1:]
    assert ((counts - 1920).abs() < 4 * (9600 * 4 / 25) ** 0.5).all()


def test_single_numbers_are_met_in_training_alone() -> None:
    task = Addition(2, max_numbers=3, test_numbers=2, test_sequences=300)
    alone = torch.cat([task.draw(number).lengths for number in range(20)])
    assert (int(alone.min()), int(alone.max())) == (1, 3)
    assert task.test_names == ["1", "2", "1-2"]
    for batches in (task.validation_set(), task.test_sets()["1-2"]):
        lengths = torch.cat([batch.lengths for batch in batches])
        assert (int(lengths.min()), int(lengths.max())) == (2, 3)
        assert all((batch.scored_outputs > 0).all() for batch in batches)
    for digits in (1, 2):
        (first, *_) = task.test_sets()[str(digits)]
        assert first.lengths.tolist() == [2] * 100
        assert (first.inputs_TBI.sum(2) == digits).all()
    longer = Addition(2, min_numbers=3, max_numbers=3)
    assert all((longer.draw(number).lengths == 3).all() for number in range(3))


def test_the_training_distribution_has_a_name_of_its_own_at_one_digit() -> None:
    task = Addition(1, max_numbers=3)
    assert task.test_names == ["1", "1-1"]
    (first, *_) = task.test_sets()["1"]
    assert first.lengths.unique().tolist() == [3]


def test_a_batch_is_a_function_of_seed_and_number() -> None:
    first, again = Addition(seed=1).draw(7), Addition(seed=1).draw(7)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    others = [Addition(seed=2).draw(7), Addition(seed=1).draw(8)]
    assert not any(torch.equal(first.inputs_TBI[0], other.inputs_TBI[0]) for other in others)
    validations = [next(iter(Addition(seed=seed).validation_set())) for seed in (0, 1)]
    assert torch.equal(validations[0].inputs_TBI, validations[1].inputs_TBI)


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ({"max_digits": 0}, "max_digits of at least 1"),
        ({"max_digits": 16}, "max_digits of at most 15"),
        ({"max_digits": 15, "max_numbers": 10_000}, "sums of at most 18 digits"),
        ({"min_numbers": 0}, "min_numbers of at least 1"),
        ({"min_numbers": 6}, "min_numbers of at most max_numbers"),
        ({"test_numbers": 1}, "test_numbers from 2"),
        ({"max_numbers": 4.5}, r"a whole number for max_numbers, not 4\.5"),
        ({"max_digits": True}, "a whole number for max_digits, not True"),
        ({"test_numbers": 6}, "to max_numbers, not 1, 5 and 6"),
    ],
)
def test_impossible_sizes_are_refused(sizes: dict[str, object], told: str) -> None:
    with pytest.raises(UserError, match=told):
        Addition(**sizes)  # type: ignore[arg-type]
