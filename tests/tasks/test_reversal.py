import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils import _pytree as pytree

from augrnn.errors import UserError
from augrnn.tasks.reversal import FIRST, Reversal
from augrnn.text.token_batches import EOS


@given(st.integers(1, 12), st.integers(1, 9), st.integers(0, 99))
def test_the_target_is_the_source_reversed(length: int, symbols: int, seed: int) -> None:
    batch = Reversal(symbols=symbols).sample(5, length, seed)
    for source, target in zip(batch.source.ids_BL.tolist(), batch.target_BM.tolist(), strict=True):
        assert source[-1] == target[-1] == EOS
        assert target[:-1] == source[-2::-1]
        assert all(FIRST <= symbol < FIRST + symbols for symbol in source[:-1])
    assert batch.source.mask_BL.all()
    assert batch.source.ids_BL.shape == batch.target_mask_BM.shape == (5, length + 1)


def test_a_batch_is_a_function_of_seed_and_number() -> None:
    first, again = Reversal(seed=1).draw(7), Reversal(seed=1).draw(7)
    assert all(torch.equal(a, b) for a, b in zip(pytree.tree_leaves(first), pytree.tree_leaves(again), strict=True))
    others = [Reversal(seed=2).draw(7), Reversal(seed=1).draw(8)]
    assert not any(torch.equal(first.source.ids_BL, other.source.ids_BL) for other in others)
    lengths = {Reversal(min_length=2, max_length=5).draw(number).source.ids_BL.shape[1] - 1 for number in range(100)}
    assert lengths == {2, 3, 4, 5}


def test_evaluation_sets_are_the_same_for_every_seed_and_of_the_asked_lengths() -> None:
    tasks = [Reversal(seed=seed, test_lengths=(3, 40), test_sequences=100, validation_sequences=150) for seed in (0, 1)]
    validation = [list(task.val_dataloader()) for task in tasks]
    assert all(torch.equal(a.source.ids_BL, b.source.ids_BL) for a, b in zip(*validation, strict=True))
    assert torch.cat([batch.index_B for batch in validation[0]]).tolist() == list(range(150))
    shapes = [[tuple(batch.source.ids_BL.shape) for batch in draws] for draws in tasks[0].test_dataloader()]
    assert shapes == [[(50, 4)] * 2, [(50, 41)] * 2]
    assert tasks[0].test_splits == ["length_3", "length_40"]


def test_training_and_evaluation_do_not_draw_the_same() -> None:
    task = Reversal(min_length=16, max_length=16, test_lengths=(16,))
    drawn = [task.draw(0), task.evaluation_draw("val", 0), task.evaluation_draw("length_16", 0)]
    rows = [tuple(row) for batch in drawn for row in batch.source.ids_BL.tolist()]
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize("split", ["val", "length_4"])
def test_scores_count_whole_sequences_and_symbols_in_place(split: str) -> None:
    task = Reversal(test_lengths=(4,), min_length=4, max_length=4)
    targets = [row[:-1] for number in (0, 1) for row in task.evaluation_draw(split, number).target_BM.tolist()]
    indices = [99, 0, 51, 7]
    right = [list(targets[index]) for index in indices]
    assert task.score(right, indices, split) == {"exact": 1.0, "symbols_right": 1.0}
    wrong = [right[0], right[1][:2], [*right[2], 5], [1, *right[3][1:]]]
    assert task.score(wrong, indices, split) == {"exact": 0.25, "symbols_right": 13 / 16}


@pytest.mark.parametrize("sizes", [{"symbols": 0}, {"min_length": 0}, {"min_length": 5, "max_length": 4}])
def test_impossible_sizes_are_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(UserError, match="reversal needs"):
        Reversal(**sizes)
