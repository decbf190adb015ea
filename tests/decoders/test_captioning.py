"""The caption decoder against the paper's equations, written out, and torch's LSTM cell."""

import pytest
import torch
from torch import Tensor, nn

from augrnn.attention.additive import AdditiveAttention
from augrnn.attention.attention import Annotations, Attention
from augrnn.attention.fixed_context import FixedContext
from augrnn.attention.hard import HardAttention
from augrnn.attention.multiplicative import GeneralAttention
from augrnn.cells.unroll import unroll
from augrnn.decoders.captioning import CaptionDecoder, CaptionState

VOCABULARY, EMBEDDING, HIDDEN, D, L = 9, 3, 4, 5, 6
WORDS_MB = torch.tensor([[1, 1], [5, 3], [8, 2], [4, 4]])


def annotations() -> Annotations:
    values_BLD = torch.randn(2, L, D, generator=torch.Generator().manual_seed(1)).double()
    return Annotations(values_BLD, torch.ones(2, L, dtype=torch.bool), values_BLD.mean(1), values_BLD.mean(1))


def make(attention: Attention | None = None, **options: object) -> CaptionDecoder:
    torch.manual_seed(0)
    attention = attention or AdditiveAttention(HIDDEN, D, 7)
    ours = CaptionDecoder(VOCABULARY, EMBEDDING, HIDDEN, D, attention, **options).double()  # type: ignore[arg-type]
    for parameter in ours.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    return ours


def by_hand(ours: CaptionDecoder, source: Annotations) -> tuple[Tensor, Tensor, Tensor]:
    """Scores, weights and betas, word by word and sentence by sentence."""
    cell = nn.LSTMCell(EMBEDDING + D, HIDDEN).double()
    names = dict(ours.named_parameters())
    scores, weights, betas = [], [], []

    def layer(name: str, x: Tensor) -> Tensor:
        return names[f"{name}.weight"] @ x + names.get(f"{name}.bias", torch.zeros(()))

    for b in range(2):
        mean_D = source.values_BLD[b].mean(0)
        h = layer("first_hidden", layer("start_layer", mean_D).clamp_min(0)).tanh()
        m = layer("first_memory", layer("memory_layer", mean_D).clamp_min(0)).tanh()
        for words_B in WORDS_MB:
            y = names["embedding.weight"][words_B[b]] * (words_B[b] != 1 or ours.first_input == "symbol")
            query = h + layer("query_layer", y) if ours.query_layer else h
            energies = [
                layer("attention.energy", (layer("attention.query", query) + layer("attention.key", place_D)).tanh())
                for place_D in source.values_BLD[b]
            ]
            alpha_L = torch.cat(energies).exp() / torch.cat(energies).exp().sum()
            context_D = sum(weight * place_D for weight, place_D in zip(alpha_L, source.values_BLD[b], strict=True))
            beta = 1 / (1 + (-layer("gate", h)).exp()) if ours.gate else torch.ones(1).double()
            z = beta * context_D
            joined = {
                "weight_ih": torch.cat([names["word_layer.weight"], names["context_layer.weight"]], 1),
                "weight_hh": names["hidden_layer.weight"],
                "bias_ih": names["word_layer.bias"],
                "bias_hh": torch.zeros(4 * HIDDEN).double(),
            }
            h, m = torch.func.functional_call(cell, joined, (torch.cat([y, z]), (h, m)))
            o = (layer("deep_layer", torch.cat([h, z])) + y).tanh()
            scores.append(layer("vocabulary_layer", o))
            weights.append(alpha_L)
            betas.append(beta.squeeze())

    def stacked(each: list[Tensor]) -> Tensor:
        return torch.stack(each).unflatten(0, (2, 4)).transpose(0, 1)

    return stacked(scores), stacked(weights), stacked(betas)


def decoded(ours: CaptionDecoder, source: Annotations) -> tuple[Tensor, Tensor, Tensor]:
    whole = unroll(ours, ours.embed(WORDS_MB), ours.start(source), keep=True)
    return ours.logits(whole.y_TBO), whole.trace.alignment_BL, whole.trace.beta_B


@pytest.mark.parametrize("options", [{}, {"first_input": "symbol"}, {"gated": False}, {"word_in_query": True}])
def test_outputs_and_gradients_are_those_of_the_equations(options: dict[str, object]) -> None:
    ours, source = make(**options), annotations()
    found, expected = decoded(ours, source), by_hand(ours, source)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)
    weights = [torch.randn_like(each) for each in found]
    parameters = list(ours.parameters())
    ours_gradients, theirs = (
        torch.autograd.grad(
            sum((each * weight).sum() for each, weight in zip(several, weights, strict=True)),
            parameters,
            allow_unused=True,
        )
        for several in (found, expected)
    )
    for (name, _), one, other in zip(ours.named_parameters(), ours_gradients, theirs, strict=True):
        torch.testing.assert_close(one, other, msg=name)


ATTENTIONS = (
    AdditiveAttention(HIDDEN, D, 7),
    GeneralAttention(HIDDEN, D),
    FixedContext(HIDDEN, D, D),
    HardAttention(AdditiveAttention(HIDDEN, D, 7)),
)


@torch.no_grad()
@pytest.mark.parametrize("attention", ATTENTIONS, ids=lambda attention: type(attention).__name__)
def test_any_attention_fits_and_unrolling_is_stepping(attention: Attention) -> None:
    ours, source = make(attention).eval(), annotations()
    whole = unroll(ours, ours.embed(WORDS_MB), ours.start(source), keep=True)
    state = ours.start(source)
    for step, words_B in enumerate(WORDS_MB):
        y_BJ, state = ours(ours.embed(words_B), state)
        torch.testing.assert_close(whole.y_TBO[step], y_BJ)
        torch.testing.assert_close(whole.trace.alignment_BL[step], state.alignment_BL)


@torch.no_grad()
def test_a_closed_gate_shuts_the_picture_out() -> None:
    ours, source = make(), annotations()
    assert ours.gate is not None
    ours.gate.bias.fill_(-1e3)
    other = source._replace(values_BLD=source.values_BLD.flip(1) * 2)
    torch.testing.assert_close(decoded(ours, source)[0], decoded(ours, other)[0])
    assert (decoded(ours, source)[2] == 0).all()


@torch.no_grad()
def test_forcing_the_maps_gives_the_same_scores() -> None:
    """The maps that are told are those that made the words."""

    class Forced(Attention):
        query_size, annotation_size, context_size = HIDDEN, D, D

        def __init__(self, maps_MBL: Tensor) -> None:
            super().__init__()
            self.maps = iter(maps_MBL)

        def prepare(self, annotations: Annotations) -> Annotations:  # type: ignore[override]
            return annotations

        def forward(self, query_BH: Tensor, attended: Annotations) -> tuple[Tensor, Tensor]:  # type: ignore[override]
            map_BL = next(self.maps)
            return (map_BL.unsqueeze(-1) * attended.values_BLD).sum(1), map_BL

    source = annotations()
    for attention in (None, ATTENTIONS[3]):
        ours = make(attention).train()
        torch.manual_seed(5)
        scores_MBV, maps_MBL, _ = decoded(ours, source)
        ours.attention = Forced(maps_MBL)
        torch.testing.assert_close(decoded(ours, source)[0], scores_MBV)


def test_dropout_is_of_the_state_and_of_the_deep_output() -> None:
    ours, source = make(output_dropout=0.5).train(), annotations()
    torch.manual_seed(0)
    one = unroll(ours, ours.embed(WORDS_MB), ours.start(source)).y_TBO
    assert 0.2 < (one == 0).double().mean() < 0.8
    state: CaptionState = unroll(ours, ours.embed(WORDS_MB), ours.start(source)).state
    again: CaptionState = unroll(ours, ours.embed(WORDS_MB), ours.start(source)).state
    assert torch.equal(state.hidden_BH, again.hidden_BH)


def test_an_unknown_first_input_is_refused() -> None:
    with pytest.raises(ValueError, match="zero or symbol, not word"):
        make(first_input="word")
