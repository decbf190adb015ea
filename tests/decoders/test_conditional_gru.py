"""The conditional decoder against torch's own GRU cells, and the contracts that every decoder keeps."""

import pytest
import torch
from torch import Tensor, nn

from augrnn.attention.additive import AdditiveAttention
from augrnn.attention.attention import Annotations, Attention
from augrnn.attention.fixed_context import FixedContext
from augrnn.attention.multiplicative import DotAttention, GeneralAttention
from augrnn.cells.gru import GRU
from augrnn.cells.unroll import unroll
from augrnn.decoders.attentive import AttentiveDecoder
from augrnn.decoders.conditional_gru import ConditionalDecoder
from augrnn.decoders.decoder import Decoder
from augrnn.decoders.luong import LuongDecoder

VOCABULARY, EMBEDDING, HIDDEN, ANNOTATION, START, SUMMARY = 9, 3, 4, 4, 2, 6
WORDS_MB = torch.tensor([[1, 1], [5, 3], [8, 2], [4, 4]])


def annotations(length: int = 3) -> Annotations:
    generator = torch.Generator().manual_seed(1)
    values_BLD = torch.randn(2, 8, ANNOTATION, generator=generator).double()[:, :length]
    start_BS, summary_BC = (torch.randn(2, size, generator=generator).double() for size in (START, SUMMARY))
    return Annotations(values_BLD, torch.arange(length) < torch.tensor([[3], [2]]), start_BS, summary_BC)


def make(kind: type[Decoder], attention: Attention | None = None, **options: bool | float) -> Decoder:
    torch.manual_seed(0)
    attention = attention or AdditiveAttention(HIDDEN, ANNOTATION, 5)
    return kind(VOCABULARY, EMBEDDING, HIDDEN, START, attention, **options).double()  # type: ignore[arg-type]


def torchs(ours: GRU) -> nn.GRUCell:
    cell = nn.GRUCell(ours.from_input.in_features, HIDDEN).double()
    weights = (ours.from_input.weight, ours.from_hidden.weight, ours.from_input.bias, ours.from_hidden.bias)
    for mine, theirs in zip(weights, (cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh), strict=True):
        theirs.data.copy_(mine.data)
    return cell


@torch.no_grad()
def test_steps_are_two_of_torchs_cells_around_a_look() -> None:
    ours, source = make(ConditionalDecoder), annotations()
    first, second = torchs(ours.first), torchs(ours.second)
    whole = unroll(ours, ours.embed(WORDS_MB), ours.start(source), keep=True)
    hidden_BH = torch.tanh(source.start_BS @ ours.start_layer.weight.T + ours.start_layer.bias)
    for step, words_B in enumerate(WORDS_MB):
        y_BE = ours.embedding.weight[words_B]
        between_BH = first(y_BE, hidden_BH)
        context_BD, alignment_BL = ours.attention(between_BH, ours.attention.prepare(source))
        hidden_BH = second(context_BD, between_BH)
        deep, word = ours.deep_layer.weight, ours.word_layer
        expected_BE = torch.tanh(torch.cat([hidden_BH, context_BD], 1) @ deep.T + y_BE @ word.weight.T + word.bias)
        torch.testing.assert_close(whole.y_TBO[step], expected_BE)
        torch.testing.assert_close(whole.trace.alignment_BL[step], alignment_BL)
        torch.testing.assert_close(whole.trace.hidden_BH[step], hidden_BH)


# Every decoder -------------------------------------------------------------------------------------------------------

KINDS = (AttentiveDecoder, ConditionalDecoder, LuongDecoder)
ATTENTIONS = (
    AdditiveAttention(HIDDEN, ANNOTATION, 5),
    DotAttention(HIDDEN, ANNOTATION),
    GeneralAttention(HIDDEN, ANNOTATION),
    FixedContext(HIDDEN, ANNOTATION, SUMMARY),
)


@torch.no_grad()
@pytest.mark.parametrize("attention", ATTENTIONS, ids=lambda attention: type(attention).__name__)
@pytest.mark.parametrize("kind", KINDS)
def test_any_attention_fits_any_decoder_and_unrolling_is_stepping(kind: type[Decoder], attention: Attention) -> None:
    ours, source = make(kind, attention), annotations()
    whole = unroll(ours, ours.embed(WORDS_MB), ours.start(source), keep=True)
    state = ours.start(source)
    for step, words_B in enumerate(WORDS_MB):
        y_BJ, state = ours(ours.embed(words_B), state)
        torch.testing.assert_close(whole.y_TBO[step], y_BJ)
        torch.testing.assert_close(whole.trace.alignment_BL[step], state.alignment_BL)
    assert ours.logits(whole.y_TBO).shape == (4, 2, VOCABULARY)


@torch.no_grad()
@pytest.mark.parametrize("kind", KINDS)
def test_padding_and_the_other_sentence_change_nothing(kind: type[Decoder]) -> None:
    ours, tight, wide = make(kind), annotations(), annotations(length=7)
    alone = Annotations(*(field[1:, :2] if field.dim() > 1 and i < 2 else field[1:] for i, field in enumerate(tight)))
    whole, padded, single = (
        unroll(ours, ours.embed(words), ours.start(source)).y_TBO
        for words, source in ((WORDS_MB, tight), (WORDS_MB, wide), (WORDS_MB[:, 1:], alone))
    )
    torch.testing.assert_close(whole, padded)
    torch.testing.assert_close(whole[:, 1:], single)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_reach_every_parameter(kind: type[Decoder]) -> None:
    ours, source = make(kind), annotations()

    def decode(values_BLD: Tensor, start_BS: Tensor) -> Tensor:
        state = ours.start(source._replace(values_BLD=values_BLD, start_BS=start_BS))
        return ours.logits(unroll(ours, ours.embed(WORDS_MB), state).y_TBO)

    inputs = [x.clone().requires_grad_() for x in (source.values_BLD, source.start_BS)]
    assert torch.autograd.gradcheck(decode, inputs, fast_mode=True)
    decode(*inputs).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in ours.parameters())


@pytest.mark.parametrize("kind", [ConditionalDecoder, LuongDecoder])
def test_a_tied_vocabulary_is_the_embedding(kind: type[Decoder]) -> None:
    ours = make(kind, tied=True)
    assert ours.vocabulary_layer.weight is ours.embedding.weight
    assert ours.embedding.weight.std().item() == pytest.approx(EMBEDDING**-0.5, rel=0.5)
    with pytest.raises(ValueError, match="tied embeddings need outputs of their size 3, not 5"):
        make(LuongDecoder, tied=True, attentional_size=5)


def test_dot_attention_needs_one_size() -> None:
    with pytest.raises(ValueError, match="one size, not 4 and 5"):
        DotAttention(4, 5)
