"""Decoders' rows in a search, in C++, against their steps."""

import copy
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import nn

from augrnn.attention.additive import AdditiveAttention
from augrnn.attention.attention import Annotations, Attention
from augrnn.attention.fixed_context import FixedContext
from augrnn.attention.hard import HardAttention
from augrnn.attention.multiplicative import GeneralAttention
from augrnn.decoders.attentive import AttentiveDecoder
from augrnn.decoders.captioning import CaptionDecoder
from augrnn.decoders.conditional_gru import ConditionalDecoder
from augrnn.decoders.decoder import Decoder
from augrnn.decoders.luong import LuongDecoder
from augrnn.native import SWITCH
from augrnn.text.token_batches import BOS

SOURCES, LENGTH, VOCABULARY, EMBEDDING, HIDDEN, ANNOTATION, START = 4, 6, 9, 5, 7, 4, 3

Maker = Callable[[], Decoder]


def attention() -> AdditiveAttention:
    return AdditiveAttention(HIDDEN, ANNOTATION, 6)


def made(kind: type[Decoder], looks: Attention | None = None, **options: bool | int | str) -> Decoder:
    torch.manual_seed(0)
    cell = kind(VOCABULARY, EMBEDDING, HIDDEN, START, looks or attention(), **options)  # type: ignore[arg-type]
    for weight in cell.parameters():
        weight.data += 0.3 * torch.randn_like(weight)
    return cell.eval()


MADE: dict[str, Maker] = {
    "attentive": lambda: made(AttentiveDecoder),
    "attentive, wide maxout": lambda: made(AttentiveDecoder, maxout_size=17),
    "conditional": lambda: made(ConditionalDecoder),
    "conditional, normalised and tied": lambda: made(ConditionalDecoder, layer_norm=True, tied=True),
    "captions": lambda: made(CaptionDecoder),
    "captions, first a symbol, no gate": lambda: made(CaptionDecoder, first_input="symbol", gated=False),
    "captions, the word in the query": lambda: made(CaptionDecoder, word_in_query=True),
    "captions, the context that hard attention expects": lambda: made(CaptionDecoder, HardAttention(attention())),
}


def annotations() -> Annotations:
    generator = torch.Generator().manual_seed(1)
    values_BLD, start_BS = (
        torch.randn(*shape, generator=generator) for shape in ((SOURCES, LENGTH, ANNOTATION), (SOURCES, START))
    )
    return Annotations(values_BLD, torch.arange(LENGTH) < torch.tensor([[6], [1], [0], [4]]), start_BS, start_BS)


@pytest.fixture
def without_gradient() -> Iterator[None]:
    with torch.no_grad():
        yield


@pytest.mark.usefixtures("compiled_functions", "without_gradient")
@pytest.mark.parametrize("name", MADE)
def test_rows_are_steps_of_the_decoder_whichever_go_on(name: str) -> None:
    cell = MADE[name]()
    weights = copy.deepcopy(cell.state_dict())
    state = cell.start(annotations())
    rows = cell.rows(state)
    assert rows is not None
    generator, source_N = torch.Generator().manual_seed(2), torch.arange(SOURCES)
    for chosen in ([0, 1, 2, 3], [0, 0, 0, 1, 2, 2, 3], [1, 1, 0, 5, 6, 6, 6, 6], [7, 3], [0, 0, 1], [2], [0]):
        rows_M = torch.tensor(chosen)
        rows.select(rows_M)
        source_N = source_N[rows_M]
        fields = [part[rows_M] for part in state[:-1]]
        state = type(state)(*fields, type(state.attended)(*(part[rows_M] for part in state.attended)))
        words_N = torch.randint(0, VOCABULARY, (len(rows_M),), generator=generator)
        words_N[0] = BOS
        expected_NJ, state = cell(cell.embed(words_N), state)
        torch.testing.assert_close(rows.step(words_N), expected_NJ, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(rows.alignment_NL, state.alignment_BL, rtol=1e-4, atol=1e-5)
    assert all(torch.equal(weight, weights[key]) for key, weight in cell.state_dict().items())


@pytest.mark.usefixtures("compiled_functions", "without_gradient")
@pytest.mark.parametrize("name", MADE)
def test_there_are_none_where_they_could_not_be_the_steps(name: str) -> None:
    def rows(cell: Decoder) -> object:
        return cell.rows(cell.start(annotations()))

    cell = MADE[name]()
    assert rows(cell)
    assert rows(copy.deepcopy(cell).train()) is None
    with torch.enable_grad():
        assert rows(cell) is None
    with torch.autocast("cpu", torch.bfloat16):
        assert rows(cell) is None
    hooked = copy.deepcopy(cell)
    hooked.vocabulary_layer.register_forward_hook(lambda *_: None)
    assert rows(hooked) is None
    other = copy.deepcopy(cell)
    other.word_layer = nn.Sequential(other.word_layer)  # type: ignore[assignment]
    assert rows(other) is None
    own = copy.deepcopy(cell)
    own.__class__ = type("Own", (type(cell),), {})
    assert rows(own) is None
    double = copy.deepcopy(cell).double()
    given = Annotations(*(part.double() if part.is_floating_point() else part for part in annotations()))
    assert double.rows(double.start(given)) is None
    large = copy.deepcopy(cell)
    getattr(large.attention, "attention", large.attention).key.bias.data[0] = 50.0
    assert rows(large) is None


@pytest.mark.usefixtures("compiled_functions", "without_gradient")
@pytest.mark.parametrize(
    "make",
    [
        lambda: made(AttentiveDecoder, GeneralAttention(HIDDEN, ANNOTATION)),
        lambda: made(ConditionalDecoder, HardAttention(attention())),
        lambda: made(LuongDecoder),
        lambda: made(CaptionDecoder, HardAttention(attention(), decoding="argmax")),
        lambda: made(CaptionDecoder, FixedContext(HIDDEN, ANNOTATION, START)),
    ],
)
def test_others_have_none(make: Maker) -> None:
    cell = make()
    assert cell.rows(cell.start(annotations())) is None


@pytest.mark.usefixtures("without_gradient")
@pytest.mark.parametrize("name", MADE)
def test_there_are_none_without_a_compiler(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "0")
    cell = MADE[name]()
    assert cell.rows(cell.start(annotations())) is None
