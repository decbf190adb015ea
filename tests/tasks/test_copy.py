import hashlib

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from augrnn.errors import UserError
from augrnn.tasks.bit_task import BitBatch
from augrnn.tasks.copy import Copy


@given(st.integers(1, 12), st.integers(1, 9), st.integers(0, 99))
def test_the_target_is_the_input_after_the_delimiter(length: int, width: int, seed: int) -> None:
    batch = Copy(width=width).sample(3, (length,), seed)
    assert batch.inputs_TBI.shape == (2 * length + 1, 3, width + 1)
    assert torch.equal(batch.targets_TBO[length + 1 :], batch.inputs_TBI[:length, :, :width])
    assert (batch.inputs_TBI[length + 1 :] == 0).all()
    assert batch.inputs_TBI[..., width].T.tolist() == [[0.0] * length + [1.0] + [0.0] * length] * 3
    assert batch.scored_TB.sum(0).tolist() == [length] * 3
    assert (batch.scored_TB[: length + 1] == 0).all()


def test_a_batch_is_a_function_of_seed_and_number() -> None:
    def bits(seed: int, number: int) -> torch.Tensor:
        return Copy(seed=seed).draw(number).inputs_TBI

    assert torch.equal(bits(1, 7), bits(1, 7))
    assert not torch.equal(bits(1, 7), bits(2, 7)[: len(bits(1, 7))]) or len(bits(1, 7)) != len(bits(2, 7))
    lengths = {len(Copy().draw(number).inputs_TBI) // 2 for number in range(400)}
    assert lengths == set(range(1, 21))


def test_the_draws_are_those_that_the_committed_records_were_made_with() -> None:
    def digest(batch: BitBatch) -> str:
        content = b"".join(str(tuple(part.shape)).encode() + part.byte().numpy().tobytes() for part in batch)
        return hashlib.sha256(content).hexdigest()[:16]

    task = Copy(seed=3)
    assert digest(task.draw(7)) == "d09a1c5faf1c1667"
    assert digest(task.validation_draw(2)) == "0075482fb240ec94"
    assert digest(list(task.evaluation_set((30,), 200))[1]) == "abb84dc8a6ef1b27"


def test_validation_is_the_same_for_every_seed_and_testing_has_the_asked_lengths() -> None:
    first, second = (list(Copy(seed=seed, validation_sequences=64).val_dataloader()) for seed in (0, 1))
    assert all(torch.equal(a.inputs_TBI, b.inputs_TBI) for a, b in zip(first, second, strict=True))
    assert sum(batch.size for batch in first) == 64
    task = Copy(test_lengths=(3, 5), test_sequences=200)
    assert task.test_names == ["3", "5"]
    steps = [[len(batch.inputs_TBI) for batch in draws] for draws in task.test_dataloader()]
    assert steps == [[2 * 3 + 1] * 2, [2 * 5 + 1] * 2]


def test_chance_is_one_bit_a_target_bit() -> None:
    batch = Copy().sample(4, (10,), 0)
    cost = batch.cost_bits(torch.zeros_like(batch.targets_TBO))
    assert cost.tolist() == pytest.approx([80.0] * 4)


def test_cost_and_wrong_bits_of_a_hand_made_answer() -> None:
    targets = torch.tensor([[[1.0, 0.0]], [[1.0, 1.0]]])
    batch = BitBatch(torch.zeros(2, 1, 3), targets, torch.tensor([[0.0], [1.0]]))
    logits = torch.tensor([[[-9.0, 9.0]], [[0.0, -1.0986123]]])  # the scored step: probabilities 1/2 and 1/4
    assert batch.cost_bits(logits).tolist() == pytest.approx([1.0 + 2.0])
    assert batch.wrong_bits(logits).tolist() == [2.0]
    assert batch.scores(logits)["wrong_sequences"].tolist() == [1.0]
    assert batch.scores(20 * targets - 10)["wrong_sequences"].tolist() == [0.0]


@pytest.mark.parametrize("sizes", [{"width": 0}, {"min_length": 0}, {"min_length": 5, "max_length": 4}])
def test_impossible_sizes_are_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(UserError, match="the copy task needs"):
        Copy(**sizes)


@pytest.mark.parametrize("lengths", [(), (10, 0)])
def test_impossible_test_lengths_are_refused(lengths: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="Copy needs test sizes, each of at least 1"):
        Copy(test_lengths=lengths)
