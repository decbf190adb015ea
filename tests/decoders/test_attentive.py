import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor
from torch._dynamo.utils import counters

from augrnn import linear
from augrnn.attention.additive import AdditiveAttention
from augrnn.attention.attention import Annotations, Attention
from augrnn.attention.fixed_context import FixedContext
from augrnn.cells import compilation
from augrnn.cells.unroll import unroll
from augrnn.decoders.attentive import AttentiveDecoder

VOCABULARY, EMBEDDING, HIDDEN, ANNOTATION, START, MAXOUT, SUMMARY = 9, 3, 4, 5, 2, 3, 6


def decoder(attention: Attention | None = None, **options: float) -> AttentiveDecoder:
    torch.manual_seed(0)
    attention = attention or AdditiveAttention(HIDDEN, ANNOTATION, 4)
    return AttentiveDecoder(VOCABULARY, EMBEDDING, HIDDEN, START, attention, MAXOUT, **options).double()


def annotations(batch: int = 2, length: int = 3) -> Annotations:
    generator = torch.Generator().manual_seed(1)
    sizes = ((batch, length, ANNOTATION), (batch, START), (batch, SUMMARY))
    values_BLD, start_BS, summary_BC = (torch.randn(size, generator=generator).double() for size in sizes)
    mask_BL = torch.arange(length) < torch.arange(length, length - batch, -1).clamp(min=1)[:, None]
    return Annotations(values_BLD, mask_BL, start_BS, summary_BC)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def dot(matrix: list[list[float]], vector: list[float]) -> list[float]:
    return [sum(m * v for m, v in zip(row, vector, strict=True)) for row in matrix]


def added(*vectors: list[float]) -> list[float]:
    return [sum(parts) for parts in zip(*vectors, strict=True)]


def naive_step(
    cell: AttentiveDecoder, y: list[float], s: list[float], c: list[float]
) -> tuple[list[float], list[float]]:
    """s_i and the maxout t_i of one sentence, number by number from appendix A.2.2 (t_i with s_i, as Eq. 4)."""
    n = HIDDEN
    word, bias = cell.word_layer.weight.tolist(), cell.word_layer.bias.tolist()
    gate, context = cell.gate_layer.weight.tolist(), cell.context_layer.weight.tolist()
    z = list(map(sigmoid, added(dot(word[:n], y), dot(gate[:n], s), dot(context[:n], c), bias[:n])))
    r = list(
        map(sigmoid, added(dot(word[n : 2 * n], y), dot(gate[n:], s), dot(context[n : 2 * n], c), bias[n : 2 * n]))
    )
    kept = [r_k * s_k for r_k, s_k in zip(r, s, strict=True)]
    candidate = dot(cell.candidate_layer.weight.tolist(), kept)
    new = list(
        map(math.tanh, added(dot(word[2 * n : 3 * n], y), candidate, dot(context[2 * n :], c), bias[2 * n : 3 * n]))
    )
    s = [(1 - z_k) * s_k + z_k * new_k for z_k, s_k, new_k in zip(z, s, new, strict=True)]
    pairs = added(dot(cell.deep_layer.weight.tolist(), s + c), dot(word[3 * n :], y), bias[3 * n :])
    return s, [max(pairs[2 * j], pairs[2 * j + 1]) for j in range(MAXOUT)]


def test_steps_are_the_papers_equations() -> None:
    cell, source = decoder(), annotations()
    words_MB = torch.tensor([[1, 5], [4, 6], [2, 3]])
    state = cell.start(source)
    torch.testing.assert_close(
        state.hidden_BH, torch.tanh(source.start_BS @ cell.start_layer.weight.T + cell.start_layer.bias)
    )
    with torch.no_grad():
        for words_B in words_MB:
            context_BD, alignment_BL = cell.attention(state.hidden_BH, state.attended)
            before_BH = state.hidden_BH
            y_BJ, state = cell(cell.embed(words_B), state)
            torch.testing.assert_close(state.alignment_BL, alignment_BL)
            for row, word in enumerate(words_B):
                y, s, c = (x.tolist() for x in (cell.embedding.weight[word], before_BH[row], context_BD[row]))
                hidden, maxout = naive_step(cell, y, s, c)
                torch.testing.assert_close(state.hidden_BH[row], torch.tensor(hidden).double())
                torch.testing.assert_close(y_BJ[row], torch.tensor(maxout).double())


@pytest.mark.parametrize("attention", [None, FixedContext(HIDDEN, ANNOTATION, SUMMARY)])
def test_unrolling_is_stepping(attention: Attention | None) -> None:
    cell, source = decoder(attention), annotations()
    x_MBE = cell.embed(torch.tensor([[1, 1], [5, 3], [8, 2], [4, 4]]))
    whole = unroll(cell, x_MBE, cell.start(source), keep=True)
    state = cell.start(source)
    for step, x_BE in enumerate(x_MBE):
        y_BJ, state = cell(x_BE, state)
        torch.testing.assert_close(whole.y_TBO[step], y_BJ)
        torch.testing.assert_close(whole.trace.alignment_BL[step], state.alignment_BL)
        torch.testing.assert_close(whole.trace.hidden_BH[step], state.hidden_BH)
    assert cell.logits(whole.y_TBO).shape == (4, 2, VOCABULARY)


def test_rnnenc_sees_nothing_of_the_source_but_start_and_summary() -> None:
    cell, source = decoder(FixedContext(HIDDEN, ANNOTATION, SUMMARY)), annotations()
    other = source._replace(values_BLD=torch.randn_like(source.values_BLD), mask_BL=torch.ones_like(source.mask_BL))
    x_MBE = cell.embed(torch.tensor([[1, 1], [5, 3]]))
    same = [unroll(cell, x_MBE, cell.start(annotations)).y_TBO for annotations in (source, other)]
    assert torch.equal(*same)
    changed = unroll(cell, x_MBE, cell.start(source._replace(summary_BC=source.summary_BC + 1))).y_TBO
    assert not torch.allclose(same[0], changed)


def test_dropout_only_in_training() -> None:
    cell = decoder(embedding_dropout=0.5, output_dropout=0.5)
    assert (cell.embed(torch.arange(VOCABULARY)) == 0).any()
    assert (cell.read_out(torch.ones(20, HIDDEN + ANNOTATION + 2 * MAXOUT).double()) == 0).any()
    cell.eval()
    assert torch.equal(cell.embed(torch.arange(VOCABULARY)), cell.embedding.weight)


def test_it_has_no_state_without_a_source() -> None:
    with pytest.raises(TypeError, match="start"):
        decoder().initial_state(2)


def test_gradients() -> None:
    cell, source = decoder(), annotations()
    names = [name for name, _ in cell.named_parameters()]
    words_MB = torch.tensor([[1, 1], [5, 3]])

    class Whole(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = cell

        def forward(self, values_BLD: Tensor, start_BS: Tensor) -> Tensor:
            state = self.cell.start(source._replace(values_BLD=values_BLD, start_BS=start_BS))
            return self.cell.logits(unroll(self.cell, self.cell.embed(words_MB), state).y_TBO)

    whole = Whole()

    def decode(values_BLD: Tensor, start_BS: Tensor, *parameters: Tensor) -> Tensor:
        named = {f"cell.{name}": parameter for name, parameter in zip(names, parameters, strict=True)}
        return torch.func.functional_call(whole, named, (values_BLD, start_BS))

    inputs = (source.values_BLD, source.start_BS, *cell.parameters())
    assert torch.autograd.gradcheck(decode, [x.detach().requires_grad_() for x in inputs], fast_mode=True)


@pytest.fixture
def compiling(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Steps compiled and products through oneDNN, as with a real run's sizes."""
    monkeypatch.setattr(compilation, "available", lambda: True)
    monkeypatch.setattr(compilation, "_COMPILED", {})
    monkeypatch.setattr(linear, "LEAST", 0)
    yield
    torch.compiler.reset()


def weight_gradients(cell: AttentiveDecoder, loss: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(loss, (cell.gate_layer.weight, cell.attention.query.weight)))


@pytest.mark.usefixtures("compiling")
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")  # of the compiler's own code
def test_one_compiled_program_gives_the_same_numbers_for_all_sizes() -> None:
    cell, programs = decoder().float(), []
    for batch, length, steps in ((2, 3, 5), (4, 6, 3), (3, 5, 4)):
        source = Annotations(
            *(field.float() if field.is_floating_point() else field for field in annotations(batch, length))
        )
        words_MB = torch.randint(VOCABULARY, (steps, batch), generator=torch.Generator().manual_seed(batch))
        compiled = unroll(cell, cell.embed(words_MB), cell.start(source)).y_TBO
        programs.append(counters["stats"]["unique_graphs"])
        cell.eval()
        eager = unroll(cell, cell.embed(words_MB), cell.start(source)).y_TBO
        cell.train()
        torch.testing.assert_close(compiled, eager)
        for mine, theirs in zip(*(weight_gradients(cell, y.square().sum()) for y in (compiled, eager)), strict=True):
            torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-4)
    assert programs[0] == programs[-1] > 0


def test_the_papers_start_is_small_and_orthogonal() -> None:
    torch.manual_seed(0)
    attention = AdditiveAttention(40, 30, 20, paper_start=True)
    cell = AttentiveDecoder(200, 30, 40, 20, attention, paper_start=True)
    names = ("word_layer", "context_layer", "deep_layer", "start_layer", "vocabulary_layer", "embedding")
    assert all(0.009 < getattr(cell, name).weight.std() < 0.011 for name in names)
    assert all(parameter.abs().sum() == 0 for name, parameter in cell.named_parameters() if name.endswith("bias"))
    for recurrent_HH in (*cell.gate_layer.weight.chunk(2), cell.candidate_layer.weight):
        torch.testing.assert_close(recurrent_HH @ recurrent_HH.T, torch.eye(40), atol=1e-5, rtol=0)
