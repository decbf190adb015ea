from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from augrnn.errors import UserError
from augrnn.tasks.parity import Parity


@given(st.integers(1, 12), st.integers(0, 11), st.integers(0, 99), st.sampled_from(["scattered", "prefix"]))
def test_the_target_is_whether_the_ones_are_odd(high: int, less: int, seed: int, places: str) -> None:
    low = max(1, high - less)
    task = Parity(12, low, high, places=places, test_nonzeros=(1,), test_ranges=())  # type: ignore[arg-type]
    batch = task.sample(5, (low, high), seed)
    assert batch.inputs_TBI.shape == (1, 5, 12)
    for b in range(5):
        vector = batch.inputs_TBI[0, b].tolist()
        counts = Counter(vector)
        assert set(counts) <= {-1.0, 0.0, 1.0}
        assert low <= counts[1.0] + counts[-1.0] <= high
        assert batch.targets_TBO[0, b].tolist() == [counts[1.0] % 2]
        if places == "prefix":
            filled = counts[1.0] + counts[-1.0]
            assert all(vector[:filled])
            assert not any(vector[filled:])
    assert batch.scored_TB.tolist() == [[1.0] * 5]


def test_numbers_signs_and_places_are_even() -> None:
    many = 20000
    vectors_BE = Parity(8, 1, 8, test_nonzeros=(1,), test_ranges=()).sample(many, (1, 8), 0).inputs_TBI[0]
    counts = torch.bincount((vectors_BE != 0).sum(1), minlength=9)
    assert counts[0] == 0
    assert ((counts[1:] - many / 8).abs() < 4 * (many * 7 / 64) ** 0.5).all()
    share_E = (vectors_BE != 0).double().mean(0)  # 4.5 of 8 elements
    assert ((share_E - 4.5 / 8).abs() < 4 * 0.5 / many**0.5).all()
    signs = vectors_BE[vectors_BE != 0]
    assert abs(signs.mean()) < 4 / len(signs) ** 0.5


def test_sets_are_named_by_their_numbers_of_nonzeros() -> None:
    task = Parity(96, 1, 48, test_nonzeros=(8, 96), test_ranges=((49, 96),), test_sequences=300)
    sets = task.test_sets()
    assert list(sets) == task.test_names == ["8", "96", "49-96"]
    found = {name: [(batch.inputs_TBI != 0).sum(-1) for batch in batches] for name, batches in sets.items()}
    assert all((counts == 8).all() for counts in found["8"])
    assert all((counts == 96).all() for counts in found["96"])
    every = torch.cat(found["49-96"], dim=1)
    assert every.shape == (1, 300)
    assert (every.min() >= 49, every.max() <= 96) == (True, True)
    drawn = torch.cat([(task.draw(number).inputs_TBI != 0).sum(-1) for number in range(20)])
    assert (int(drawn.min()), int(drawn.max())) == (1, 48)


def test_a_batch_is_a_function_of_seed_and_number() -> None:
    first, again = Parity(seed=1).draw(7), Parity(seed=1).draw(7)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    for other in (Parity(seed=2).draw(7), Parity(seed=1).draw(8)):
        assert not torch.equal(first.inputs_TBI, other.inputs_TBI)
    validations = [next(iter(Parity(seed=seed).validation_set())) for seed in (0, 1)]
    assert torch.equal(validations[0].inputs_TBI, validations[1].inputs_TBI)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"max_nonzeros": 65}, "at most its 64 elements, not 1 to 65"),
        ({"min_nonzeros": 0}, "not 0 to 64"),
        ({"min_nonzeros": 9, "max_nonzeros": 8}, "not 9 to 8"),
        ({"test_ranges": ((60, 70),)}, "not 60 to 70"),
        ({"test_nonzeros": (0,)}, "test sizes, each of at least 1"),
        ({"elements": 8}, "at most its 8 elements"),
        ({"elements": 0}, "at most its 0 elements"),
        ({"places": "first"}, "scattered or prefix, not first"),
        ({"places": 3}, "scattered or prefix, not 3"),
        ({"elements": 64.5}, r"a whole number for elements, not 64\.5"),
        ({"min_nonzeros": "1"}, "a whole number for min_nonzeros, not '1'"),
        ({"max_nonzeros": None}, "a whole number for max_nonzeros, not None"),
        ({"batch_size": 2.5}, r"a whole number for batch_size, not 2\.5"),
        ({"test_sequences": True}, "a whole number for test_sequences, not True"),
        ({"test_ranges": (1, 64)}, r"pairs of whole numbers for test_ranges, such as \[\[1, 64\]\], not \(1, 64\)"),
        ({"test_ranges": ((1, 2, 3),)}, r"test_ranges.* not \(\(1, 2, 3\),\)"),
        ({"test_ranges": ((1,),)}, "test_ranges"),
        ({"test_ranges": ("1-64",)}, "test_ranges.* not \\('1-64',\\)"),
        ({"test_ranges": ("12",)}, "test_ranges"),
        ({"test_ranges": ((1.0, 2.0),)}, "test_ranges"),
        ({"test_ranges": 64}, "test_ranges.* not 64"),
        ({"test_ranges": None}, "test_ranges.* not None"),
        ({"test_nonzeros": 8}, "a list of whole numbers for test_nonzeros, not 8"),
        ({"test_nonzeros": "8"}, "test_nonzeros, not '8'"),
        ({"test_nonzeros": (8.0,)}, r"test_nonzeros, not \(8\.0,\)"),
    ],
)
def test_impossible_ranges_are_refused(options: dict[str, object], told: str) -> None:
    with pytest.raises(UserError, match=told):
        Parity(**options)  # type: ignore[arg-type]
