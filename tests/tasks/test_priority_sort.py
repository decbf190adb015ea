import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from augrnn.errors import UserError
from augrnn.tasks.priority_sort import PrioritySort


@given(st.integers(1, 12), st.integers(0, 11), st.integers(1, 5), st.integers(0, 99))
def test_the_target_is_pythons_sort_of_the_input(vectors: int, left_out: int, width: int, seed: int) -> None:
    given_back = max(1, vectors - left_out)
    batch = PrioritySort(width=width, vectors=vectors, sorted_vectors=given_back).sample(3, (vectors,), seed)
    for sequence in range(3):
        inputs, targets = batch.inputs_TBI[:, sequence].tolist(), batch.targets_TBO[:, sequence].tolist()
        pairs = [(step[width], step[:width]) for step in inputs[:vectors]]
        assume(len(dict(pairs)) == vectors)  # the order of equal priorities is nobody's business
        expected = [vector for _, vector in sorted(pairs, reverse=True)][:given_back]
        assert targets == [[0.0] * width] * (vectors + 1) + expected
        assert [step[width + 1] for step in inputs] == [0.0] * vectors + [1.0] + [0.0] * given_back
        assert inputs[vectors:] == [[0.0] * (width + 1) + [1.0]] + [[0.0] * (width + 2)] * given_back
        assert batch.scored_TB[:, sequence].tolist() == [0.0] * (vectors + 1) + [1.0] * given_back


def test_priorities_are_even_from_minus_one_to_one() -> None:
    priority = PrioritySort().sample(1000, (20,), 0).inputs_TBI[:20, :, 8].flatten()
    assert -1 <= float(priority.min()) < -0.999
    assert 0.999 < float(priority.max()) <= 1
    counts = torch.histc(priority, bins=10, min=-1, max=1)
    assert ((counts - 2000).abs() < 4 * 42.5).all()


def test_chance_at_the_papers_sizes() -> None:
    task = PrioritySort()
    batch = task.draw(0)
    assert batch.cost_bits(torch.zeros_like(batch.targets_TBO)).tolist() == pytest.approx([128.0] * 16)
    assert (task.input_size, task.output_size) == (10, 8)


def test_a_batch_is_a_function_of_seed_and_number() -> None:
    first, again = PrioritySort(seed=1).draw(7), PrioritySort(seed=1).draw(7)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    others = [PrioritySort(seed=2).draw(7), PrioritySort(seed=1).draw(8)]
    assert not any(torch.equal(first.inputs_TBI, other.inputs_TBI) for other in others)


def test_evaluation_sets_are_the_same_for_every_seed() -> None:
    tasks = [PrioritySort(seed=seed, test_sequences=200, batch_size=8) for seed in (0, 1)]
    assert tasks[0].test_names == ["20"]
    for sets in ([task.val_dataloader()] for task in tasks), (task.test_dataloader() for task in tasks):
        first, second = ([batch.inputs_TBI for draws in found for batch in draws] for found in sets)
        assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(
    "sizes", [{"width": 0}, {"sorted_vectors": 0}, {"vectors": 15}, {"vectors": 0, "sorted_vectors": 0}]
)
def test_impossible_sizes_are_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(UserError, match="priority sort needs"):
        PrioritySort(**sizes)
