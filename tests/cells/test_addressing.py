"""Each addressing function against a naive loop written from the paper, and the properties a weighting must keep."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.testing import assert_close

from augrnn.cells import addressing

sizes = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(3, 9), st.integers(1, 5), st.integers(0, 9999))


def weighting(random: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=random, dtype=torch.float64).softmax(-1)


@given(sizes)
def test_content_weighting_is_the_softmax_of_scaled_cosines(size: tuple[int, ...]) -> None:
    batch, heads, rows, width, seed = size
    random = torch.Generator().manual_seed(seed)
    key = torch.randn(batch, heads, width, generator=random, dtype=torch.float64)
    beta = 5 * torch.rand(batch, heads, generator=random, dtype=torch.float64)
    memory = 3 * torch.randn(batch, rows, width, generator=random, dtype=torch.float64)
    got = addressing.content_weighting(key, beta, memory)
    for b in range(batch):
        for h in range(heads):
            powers = []
            for n in range(rows):
                dot = sum(float(key[b, h, w] * memory[b, n, w]) for w in range(width))
                norms = math.dist(key[b, h], [0] * width) * math.dist(memory[b, n], [0] * width)
                powers.append(math.exp(float(beta[b, h]) * dot / norms))
            naive = [power / sum(powers) for power in powers]
            assert_close(got[b, h], torch.tensor(naive, dtype=torch.float64), atol=1e-3, rtol=1e-3)


def test_zero_rows_are_unlike_every_key_and_keep_gradients_finite() -> None:
    memory = torch.zeros(1, 4, 3)
    memory[0, 2] = torch.tensor([1.0, 2.0, 3.0])
    memory.requires_grad_()
    key = torch.tensor([[[1.0, 2.0, 3.0]]])
    w = addressing.content_weighting(key, torch.tensor([[20.0]]), memory)
    assert w[0, 0, 2] > 0.999
    w[0, 0, 0].backward()
    assert memory.grad is not None
    assert torch.isfinite(memory.grad).all()


@given(sizes, st.integers(0, 1))
def test_shift_is_circular_convolution(size: tuple[int, ...], reach: int) -> None:
    batch, heads, rows, _, seed = size
    random = torch.Generator().manual_seed(seed)
    w, s = weighting(random, batch, heads, rows), weighting(random, batch, heads, 2 * reach + 1)
    got = addressing.shift(w, s)
    for b in range(batch):
        for h in range(heads):
            for i in range(rows):
                naive = sum(float(w[b, h, (i - j) % rows] * s[b, h, j + reach]) for j in range(-reach, reach + 1))
                assert float(got[b, h, i]) == pytest.approx(naive)


@given(st.integers(3, 9), st.integers(-1, 1), st.integers(0, 9999))
def test_a_certain_shift_rotates_the_ring(rows: int, by: int, seed: int) -> None:
    w = weighting(torch.Generator().manual_seed(seed), 1, 1, rows)
    s = torch.nn.functional.one_hot(torch.tensor([[by + 1]]), 3).double()
    assert_close(addressing.shift(w, s), w.roll(by, dims=-1))


@given(sizes)
def test_every_step_keeps_a_distribution(size: tuple[int, ...]) -> None:
    batch, heads, rows, width, seed = size
    random = torch.Generator().manual_seed(seed)
    w = addressing.content_weighting(
        torch.randn(batch, heads, width, generator=random, dtype=torch.float64),
        10 * torch.rand(batch, heads, generator=random, dtype=torch.float64),
        torch.randn(batch, rows, width, generator=random, dtype=torch.float64),
    )
    w = addressing.interpolate(
        w, weighting(random, batch, heads, rows), torch.rand(batch, heads, generator=random).double()
    )
    w = addressing.shift(w, weighting(random, batch, heads, 3))
    w = addressing.sharpen(w, 1 + 30 * torch.rand(batch, heads, generator=random).double())
    assert (w >= 0).all()
    assert_close(w.sum(-1), torch.ones(batch, heads, dtype=torch.float64))


def test_interpolation_gate_chooses_between_content_and_the_previous_place() -> None:
    content, previous = torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[0.0, 1.0]]])
    for gate in (0.0, 0.3, 1.0):
        got = addressing.interpolate(content, previous, torch.tensor([[gate]]))
        assert_close(got, torch.tensor([[[gate, 1 - gate]]]))


def test_sharpening_is_the_normalised_power() -> None:
    w = torch.tensor([[[0.1, 0.2, 0.7]]], dtype=torch.float64)
    for gamma in (1.0, 2.5, 40.0):
        naive = w**gamma / (w**gamma).sum()
        assert_close(addressing.sharpen(w, torch.tensor([[gamma]]).double()), naive, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("heads", [1, 3])
def test_write_erases_with_all_heads_then_adds_with_all(heads: int) -> None:
    random = torch.Generator().manual_seed(heads)
    memory = torch.randn(2, 5, 4, generator=random)
    w = torch.rand(2, heads, 5, generator=random)
    erase, add = torch.rand(2, heads, 4, generator=random), torch.randn(2, heads, 4, generator=random)
    naive = memory.clone()
    for b in range(2):
        for h in range(heads):
            for n in range(5):
                naive[b, n] *= 1 - w[b, h, n] * erase[b, h]
        for h in range(heads):
            for n in range(5):
                naive[b, n] += w[b, h, n] * add[b, h]
    assert_close(addressing.write(memory, w, erase, add), naive)


def test_gradients_agree_with_finite_differences() -> None:
    random = torch.Generator().manual_seed(0)

    def doubles(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=random, dtype=torch.float64).requires_grad_()

    def whole(key: Tensor, beta: Tensor, gate: Tensor, shifts: Tensor, gamma: Tensor, memory: Tensor) -> Tensor:
        w = addressing.content_weighting(key, addressing.strength(beta), memory)
        w = addressing.interpolate(w, torch.full_like(w, 1 / w.shape[-1]), gate.sigmoid())
        return addressing.sharpen(addressing.shift(w, shifts.softmax(-1)), addressing.sharpness(gamma))

    inputs = doubles(2, 2, 3), doubles(2, 2), doubles(2, 2), doubles(2, 2, 3), doubles(2, 2), doubles(2, 5, 3)
    assert torch.autograd.gradcheck(whole, inputs)
