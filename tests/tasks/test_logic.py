from collections import Counter
from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from augrnn.errors import UserError
from augrnn.tasks.logic import GATES, Logic, targets

BY_NAME = {
    "NOR": lambda p, q: not (p or q),
    "Xq": lambda p, q: not p and q,
    "ABJ": lambda p, q: p and not q,
    "XOR": lambda p, q: p != q,
    "NAND": lambda p, q: not (p and q),
    "AND": lambda p, q: p and q,
    "XNOR": lambda p, q: p == q,
    "if/then": lambda p, q: not p or q,
    "then/if": lambda p, q: p or not q,
    "OR": lambda p, q: p or q,
}
"""What the names of the paper's table 1 mean, in its order."""


def answer(gates: list[int], older: bool, newer: bool) -> bool:
    for gate in gates:
        older, newer = newer, bool(list(BY_NAME.values())[gate](newer, older))
    return newer


def test_gates_do_what_their_names_say() -> None:
    assert list(GATES) == list(BY_NAME)
    for name, row in GATES.items():
        inputs = [(True, True), (True, False), (False, True), (False, False)]
        assert [bool(value) for value in row] == [bool(BY_NAME[name](p, q)) for p, q in inputs]


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 99))
def test_targets_follow_the_chunks_of_the_input(max_gates: int, max_length: int, seed: int) -> None:
    task = Logic(max_gates, max_length, test_sequences=1)
    batch = task.sample(4, (1, max_gates, 1, max_length), seed)
    assert batch.inputs_TBI.shape[2] == task.input_size == 2 + 10 * max_gates
    for b, length in enumerate(batch.lengths.tolist()):
        assert 1 <= length <= max_length
        carried = False
        for t, vector in enumerate(batch.inputs_TBI[:, b].tolist()):
            chunks = [vector[2 + 10 * g : 12 + 10 * g] for g in range(max_gates)]
            gates = [chunk.index(1) for chunk in chunks if any(chunk)]
            if t >= length:
                assert not any(vector)
                assert not batch.scored_TB[t, b]
                continue
            assert gates
            assert all(sum(chunk) == (g < len(gates)) for g, chunk in enumerate(chunks))
            assert t == 0 or vector[0] == 0
            carried = answer(gates, bool(vector[0]) if t == 0 else carried, bool(vector[1]))
            assert batch.targets_TBO[t, b].tolist() == [carried]
            assert batch.scored_TB[t, b] == 1


def test_targets_are_balanced_whatever_the_bits_are() -> None:
    for number in range(1, 5):
        gates_BG = torch.tensor(list(product(range(10), repeat=number)))
        for b0, b1 in product((0, 1), repeat=2):
            bits_TB2 = torch.tensor([b0, b1]).expand(1, len(gates_BG), 2)
            found_TB = targets(bits_TB2, gates_BG.unsqueeze(0), torch.ones(1, *gates_BG.shape, dtype=torch.bool))
            assert 2 * int(found_TB.sum()) == 10**number


def test_numbers_of_gates_and_lengths_are_even() -> None:
    many = 8000
    batch = Logic(5, 4).sample(many, (1, 5, 1, 4), 0)
    lengths = Counter(batch.lengths.tolist())
    assert set(lengths) == {1, 2, 3, 4}
    assert all(abs(count - many / 4) < 4 * (many * 3 / 16) ** 0.5 for count in lengths.values())
    gates = Counter((batch.inputs_TBI[:, :, 2:].sum(2)[batch.scored_TB > 0]).tolist())
    vectors = sum(gates.values())
    assert set(gates) == {1.0, 2.0, 3.0, 4.0, 5.0}
    assert all(abs(count - vectors / 5) < 4 * (vectors * 4 / 25) ** 0.5 for count in gates.values())


def test_sets_are_named_by_their_numbers_of_gates() -> None:
    task = Logic(3, 4, test_length=6, test_sequences=200)
    assert (Logic().input_size, task.test_names) == (102, ["1", "2", "3", "1-3"])
    for name, batches in task.test_sets().items():
        found = [(batch.inputs_TBI[:, :, 2:].sum(2), batch.lengths) for batch in batches]
        assert sum(len(lengths) for _, lengths in found) == 200
        if "-" not in name:
            assert all((gates == int(name)).all() and (lengths == 6).all() for gates, lengths in found)
    assert max(int(batch.lengths.max()) for batch in task.test_sets()["1-3"]) == 4


def test_a_batch_is_a_function_of_seed_and_number() -> None:
    first, again = Logic(seed=1).draw(7), Logic(seed=1).draw(7)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    others = [Logic(seed=2).draw(7), Logic(seed=1).draw(8)]
    assert not any(torch.equal(first.inputs_TBI[0], other.inputs_TBI[0]) for other in others)
    validations = [next(iter(Logic(seed=seed).validation_set())) for seed in (0, 1)]
    assert torch.equal(validations[0].inputs_TBI, validations[1].inputs_TBI)


@pytest.mark.parametrize("name", ["max_gates", "max_length", "test_length", "batch_size", "test_sequences"])
def test_impossible_sizes_are_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"needs {name} of at least 1, not 0"):
        Logic(**{name: 0})
