import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from augrnn.attention.additive import AdditiveAttention
from augrnn.attention.attention import Annotations
from augrnn.attention.fixed_context import FixedContext

QUERY, ANNOTATION, SIZE = 3, 4, 5


def annotations(lengths: list[int], columns: int, dtype: torch.dtype = torch.float64) -> Annotations:
    """Random ones, the same for the same lengths whatever the columns."""
    generator = torch.Generator().manual_seed(0)
    values_BLD = torch.randn(len(lengths), 20, ANNOTATION, generator=generator, dtype=dtype)[:, :columns]
    start_BS, summary_BC = torch.randn(2, len(lengths), 2, generator=generator, dtype=dtype)
    return Annotations(values_BLD, torch.arange(columns) < torch.tensor(lengths)[:, None], start_BS, summary_BC)


def additive(**options: bool) -> AdditiveAttention:
    torch.manual_seed(1)
    return AdditiveAttention(QUERY, ANNOTATION, SIZE, **options).double()


def naive(attention: AdditiveAttention, query_H: Tensor, values_LD: Tensor) -> tuple[list[float], list[float]]:
    """Weights and context for one sentence, number by number: e_j = v^T tanh(W s + U h_j)."""
    w, u, b = (x.tolist() for x in (attention.query.weight, attention.key.weight, attention.key.bias))
    v, s, h = attention.energy.weight[0].tolist(), query_H.tolist(), values_LD.tolist()
    energies = []
    for h_j in h:
        energy = 0.0
        for a in range(SIZE):
            inside = b[a] + sum(w[a][i] * s[i] for i in range(QUERY)) + sum(u[a][i] * h_j[i] for i in range(ANNOTATION))
            energy += v[a] * math.tanh(inside)
        energies.append(math.exp(energy))
    weights = [energy / sum(energies) for energy in energies]
    return weights, [sum(weight * h_j[i] for weight, h_j in zip(weights, h, strict=True)) for i in range(ANNOTATION)]


def test_additive_attention_is_the_papers_formula() -> None:
    attention, source, query_BH = additive(), annotations([4, 1, 6], 6), torch.randn(3, QUERY).double()
    with torch.no_grad():
        context_BD, alignment_BL = attention(query_BH, attention.prepare(source))
    for row, length in enumerate([4, 1, 6]):
        weights, context = naive(attention, query_BH[row], source.values_BLD[row, :length])
        torch.testing.assert_close(alignment_BL[row, :length], torch.tensor(weights).double())
        torch.testing.assert_close(context_BD[row], torch.tensor(context).double())
        assert alignment_BL[row, length:].abs().sum() == 0


@settings(max_examples=30)
@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4), padding=st.integers(1, 5), scale=st.floats(-1e6, 1e6)
)
def test_padding_changes_nothing(lengths: list[int], padding: int, scale: float) -> None:
    attention, query_BH = additive(), torch.randn(len(lengths), QUERY).double()
    tight, wide = (annotations(lengths, max(lengths) + more) for more in (0, padding))
    wide = wide._replace(values_BLD=torch.where(wide.mask_BL.unsqueeze(-1), wide.values_BLD, scale))
    with torch.no_grad():
        context_BD, alignment_BL = attention(query_BH, attention.prepare(tight))
        padded_BD, padded_BL = attention(query_BH, attention.prepare(wide))
    torch.testing.assert_close(context_BD, padded_BD)
    torch.testing.assert_close(alignment_BL, padded_BL[:, : max(lengths)])
    torch.testing.assert_close(padded_BL.sum(1), torch.ones(len(lengths)).double())


def test_the_papers_initialisation_starts_uniform() -> None:
    attention, source = additive(paper_start=True), annotations([4, 1, 6], 6)
    _, alignment_BL = attention(torch.randn(3, QUERY).double(), attention.prepare(source))
    assert torch.equal(alignment_BL, source.mask_BL / torch.tensor([[4.0], [1.0], [6.0]]).double())
    assert attention.query.weight.std() < 0.01


def test_default_initialisation_does_not_start_uniform() -> None:
    attention, source = additive(), annotations([6], 6)
    _, alignment_BL = attention(torch.randn(1, QUERY).double(), attention.prepare(source))
    assert alignment_BL.std() > 1e-3


def test_gradients() -> None:
    attention, source = additive(), annotations([3, 2], 3)

    def look(query_BH: Tensor, values_BLD: Tensor, *parameters: Tensor) -> tuple[Tensor, ...]:
        names = [name for name, _ in attention.named_parameters()]
        attended = torch.func.functional_call(
            _Prepared(attention),
            {f"inner.{n}": p for n, p in zip(names, parameters, strict=True)},
            (query_BH, source._replace(values_BLD=values_BLD)),
        )
        return attended

    inputs = (torch.randn(2, QUERY).double(), source.values_BLD.clone(), *attention.parameters())
    assert torch.autograd.gradcheck(look, [x.detach().requires_grad_() for x in inputs])


class _Prepared(torch.nn.Module):
    def __init__(self, inner: AdditiveAttention) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, query_BH: Tensor, source: Annotations) -> tuple[Tensor, Tensor]:
        return self.inner(query_BH, self.inner.prepare(source))


@pytest.mark.parametrize("columns", [1, 5])
def test_fixed_context_is_the_summary_and_nothing_else(columns: int) -> None:
    attention, source = FixedContext(QUERY, ANNOTATION, 2), annotations([1, 1], columns)
    context_BD, alignment_BL = attention(torch.randn(2, QUERY).double(), attention.prepare(source))
    assert torch.equal(context_BD, source.summary_BC)
    assert alignment_BL.shape == (2, columns)
    assert alignment_BL.abs().sum() == 0
