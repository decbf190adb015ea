import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from augrnn.soft import masked_softmax, mix

seeds = st.integers(0, 10_000)


@given(seeds, st.integers(1, 9), st.integers(1, 4))
def test_weights_are_a_distribution_over_the_choices_that_exist(seed: int, k: int, batch: int) -> None:
    random = torch.Generator().manual_seed(seed)
    scores = 50 * torch.randn(batch, k, generator=random)
    mask = torch.rand(batch, k, generator=random) < 0.6
    weights = masked_softmax(scores, mask)
    assert (weights >= 0).all()
    assert (weights[~mask] == 0).all()
    assert_close(weights.sum(-1), mask.any(-1).float())


@given(seeds, st.integers(1, 6), st.integers(1, 5))
def test_choices_that_do_not_exist_change_nothing(seed: int, k: int, padding: int) -> None:
    random = torch.Generator().manual_seed(seed)
    scores, extra = torch.randn(k, generator=random), torch.randn(padding, generator=random)
    mask = torch.cat([torch.ones(k), torch.zeros(padding)]).bool()
    assert_close(masked_softmax(torch.cat([scores, extra]), mask)[:k], masked_softmax(scores))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("value", [0.0, 30.0, torch.inf])
def test_an_empty_source_gives_no_weight_and_no_gradient(dtype: torch.dtype, value: float) -> None:
    scores = torch.full((2, 3), value, dtype=dtype, requires_grad=True)
    choices = torch.randn(2, 3, 4).to(dtype).requires_grad_()
    mask = torch.tensor([[False, False, False], [True, False, False]])
    weights = masked_softmax(scores.masked_fill(mask, 0.0), mask)
    mix(weights, choices).sum().backward()
    assert weights.tolist() == [[0, 0, 0], [1, 0, 0]]
    assert scores.grad is not None
    assert scores.grad.count_nonzero() == 0
    assert choices.grad is not None
    assert choices.grad[0].count_nonzero() == 0


def test_mix_is_the_weighted_sum() -> None:
    weights, choices = torch.rand(2, 3, 4), torch.rand(2, 4, 5)
    naive = torch.zeros(2, 3, 5)
    for b in range(2):
        for q in range(3):
            for k in range(4):
                naive[b, q] += weights[b, q, k] * choices[b, k]
    assert_close(mix(weights, choices), naive)
    assert_close(mix(weights[:, 0], choices), naive[:, 0])
