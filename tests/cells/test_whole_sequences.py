"""Whole sequences in C++ are the loop over the steps, with all gradients."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from augrnn.attention.additive import AdditiveAttention
from augrnn.attention.attention import Annotations, Attention
from augrnn.attention.fixed_context import FixedContext
from augrnn.attention.hard import HardAttention
from augrnn.attention.multiplicative import GeneralAttention
from augrnn.cells import whole_sequences
from augrnn.cells.bidirectional_gru import BidirectionalGRU
from augrnn.cells.cell import Cell
from augrnn.cells.unroll import Keep, unroll
from augrnn.decoders.attentive import AttentiveDecoder
from augrnn.decoders.captioning import CaptionDecoder, CaptionRecord
from augrnn.decoders.conditional_gru import ConditionalDecoder
from augrnn.decoders.decoder import Decoder

Made = tuple[Cell, Tensor, Any, list[Tensor]]
"""A cell, its inputs, its first state, and what else gradients are taken to."""

SIZES = [(1, 1, 1, 1), (5, 3, 4, 6), (4, 15, 9, 33)]
"""Steps, batch, source positions and units."""


@pytest.fixture(autouse=True)
def _compiled(compiled_functions: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("augrnn.cells.compilation.available", lambda: False)
    return


def scattered(cell: nn.Module) -> None:
    """Normalisations and biases that are not at their start."""
    for name, parameter in cell.named_parameters():
        if "norm" in name or "bias" in name:
            nn.init.normal_(parameter)


def bidirectional(steps: int, batch: int, length: int, size: int, layer_norm: bool) -> Made:
    torch.manual_seed(0)
    cell = BidirectionalGRU(3, size, layer_norm)
    scattered(cell)
    lengths_B = torch.randint(1, steps + 1, (batch,))
    padding_TB1 = (torch.arange(steps)[:, None] >= lengths_B).float().unsqueeze(-1)
    x_TBX = torch.cat([nn.functional.dropout(torch.randn(steps, batch, 3)), padding_TB1], -1)
    inputs = torch.cat([x_TBX, x_TBX.flip(0)], -1).requires_grad_()
    first = [torch.randn(batch, size, requires_grad=True) for _ in range(2)]
    return cell, inputs, type(cell.initial_state(1))(*first), first


def additive(size: int) -> Attention:
    return AdditiveAttention(size, 5, 7)


def decoder(
    kind: type[Decoder],
    steps: int,
    batch: int,
    length: int,
    size: int,
    looking: Callable[[int], Attention] = additive,
    **options: bool,
) -> Made:
    torch.manual_seed(0)
    cell = kind(11, 3, size, 2, looking(size), embedding_dropout=0.3, **options)  # type: ignore[arg-type]
    scattered(cell)
    source = [torch.randn(shape, requires_grad=True) for shape in ((batch, length, 5), (batch, 2), (batch, 5))]
    mask_BL = torch.arange(length) < torch.randint(1, length + 1, (batch, 1))
    state = cell.start(Annotations(source[0], mask_BL, source[1], source[2]))
    return cell, cell.embed(torch.randint(11, (steps, batch))).detach().requires_grad_(), state, source


def hard(size: int, coin: float) -> Attention:
    return HardAttention(additive(size), coin)


def drawing(*sizes: int) -> Made:
    return decoder(CaptionDecoder, *sizes, looking=lambda size: hard(size, 1.0))


CAPTIONS: list[Callable[..., Made]] = [
    lambda *sizes: decoder(CaptionDecoder, *sizes),
    lambda *sizes: decoder(CaptionDecoder, *sizes, gated=False),
    lambda *sizes: decoder(CaptionDecoder, *sizes, word_in_query=True),
    lambda *sizes: decoder(CaptionDecoder, *sizes, looking=lambda size: FixedContext(size, 5, 5)),
    drawing,
    lambda *sizes: decoder(CaptionDecoder, *sizes, looking=lambda size: hard(size, 0.0)),
]

MAKERS: list[Callable[..., Made]] = [
    *CAPTIONS,
    lambda *sizes: bidirectional(*sizes, layer_norm=False),
    lambda *sizes: bidirectional(*sizes, layer_norm=True),
    lambda *sizes: decoder(AttentiveDecoder, *sizes),
    lambda *sizes: decoder(ConditionalDecoder, *sizes, layer_norm=False),
    lambda *sizes: decoder(ConditionalDecoder, *sizes, layer_norm=True),
]


def outcome(made: Made, keep: bool | Keep = False) -> list[Tensor | None]:
    """Outputs, the last state, and all gradients of a loss of both; with `keep`, of all records as well."""
    cell, inputs, state, others = made
    torch.manual_seed(2)
    found = unroll(cell, inputs, state, keep)
    kept = pytree.tree_leaves(found.trace) if keep else []
    outputs = [found.y_TBO, *(part for part in found.state if isinstance(part, Tensor)), *kept]
    generator = torch.Generator().manual_seed(1)
    weights = [torch.randn(each.shape, generator=generator).to(each.dtype) for each in outputs]
    loss = sum((each * weight).sum() for each, weight in zip(outputs, weights, strict=True))
    assert isinstance(loss, Tensor)
    leaves = [inputs, *others, *cell.parameters()]
    return [*outputs, *torch.autograd.grad(loss, leaves, allow_unused=True, retain_graph=True)]


def loop(made: Made, monkeypatch: pytest.MonkeyPatch, keep: bool | Keep = False) -> list[Tensor | None]:
    with monkeypatch.context() as patch:
        for name in ("sequence", "recorded_sequence"):
            patch.setattr(type(made[0]), name, lambda *given: None)
        return outcome(made, keep)


def same(ours: list[Tensor | None], loops: list[Tensor | None]) -> None:
    for mine, theirs in zip(ours, loops, strict=True):
        assert (mine is None) == (theirs is None)
        if mine is not None and theirs is not None:
            torch.testing.assert_close(
                mine, theirs, rtol=1e-4, atol=1e-5 * max(1.0, float(theirs.detach().abs().max()))
            )


def is_whole(made: Made) -> bool:
    cell, inputs, state, _ = made
    return cell.sequence(cell.project(inputs), state) is not None


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("sizes", SIZES)
def test_they_are_the_loop(make: Callable[..., Made], sizes: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    made = make(*sizes)
    assert is_whole(made)
    same(outcome(made), loop(made, monkeypatch))


def kept_parts(record: CaptionRecord) -> dict[str, Tensor]:
    return {"chances": record.chances_BL[:, :1] * 2, "beta": record.beta_B}


@pytest.mark.parametrize("keep", [True, kept_parts])
@pytest.mark.parametrize("make", CAPTIONS)
@pytest.mark.parametrize("sizes", SIZES)
def test_what_is_kept_of_them_is_what_the_loop_keeps(
    make: Callable[..., Made], sizes: tuple[int, ...], keep: bool | Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(*sizes)
    cell, inputs, state, _ = made
    assert cell.recorded_sequence(cell.project(inputs), state) is not None
    same(outcome(made, keep), loop(made, monkeypatch, keep))


def test_a_fixed_source_gets_no_gradient_and_all_else_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    made = decoder(CaptionDecoder, 3, 2, 4, 6)
    cell, inputs, state, others = made
    values_BLD = others[0].detach()
    state = cell.start(Annotations(values_BLD, state.attended.mask_BL, *others[1:]))
    fixed = cell, inputs, state, others[1:2]
    same(outcome(fixed), loop(fixed, monkeypatch))


@pytest.mark.parametrize("decoding", ["expectation", "argmax", "sample"])
def test_hard_attention_is_evaluated_in_each_way(decoding: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = decoder(CaptionDecoder, 4, 3, 5, 6, looking=lambda size: HardAttention(additive(size), decoding=decoding))
    cell, inputs, state, others = made
    cell.eval()
    state = cell.start(Annotations(others[0], state.attended.mask_BL, *others[1:]))
    same(outcome((cell, inputs, state, others), True), loop((cell, inputs, state, others), monkeypatch, True))


@pytest.mark.parametrize("make", MAKERS)
def test_a_second_backward_pass_gives_the_same(make: Callable[..., Made]) -> None:
    cell, inputs, state, _ = make(4, 3, 5, 6)
    loss = unroll(cell, inputs, state).y_TBO.square().sum()
    first, second = (
        torch.autograd.grad(loss, [*cell.parameters()], retain_graph=True, allow_unused=True) for _ in "12"
    )
    assert all((one is None and two is None) or torch.equal(one, two) for one, two in zip(first, second, strict=True))


@pytest.mark.parametrize("make", [make for make in MAKERS if make is not drawing])  # torch draws from numbers alone
def test_what_is_not_a_number_stays_in_its_sequence(make: Callable[..., Made]) -> None:
    cell, inputs, state, _ = make(4, 3, 5, 6)
    spoilt = inputs.detach().clone()
    spoilt[0, 1, 0] = torch.nan
    found = unroll(cell, spoilt.requires_grad_(), state).y_TBO.isnan()
    assert found[0, 1].any()
    assert not found[:, [0, 2]].any()


@pytest.mark.parametrize("place", [0, 1])
def test_a_source_that_is_not_a_number_spoils_its_contexts(place: int) -> None:
    cell, inputs, state, _ = decoder(AttentiveDecoder, 3, 2, 4, 6)
    attended = [part.detach().clone() for part in state.attended]
    attended[place][1, 0, 2] = torch.nan
    found = unroll(cell, inputs, state._replace(attended=type(state.attended)(*attended))).y_TBO.isnan()
    assert found[:, 1].any()
    assert not found[:, 0].any()


def test_a_source_without_positions_gives_nothing_to_look_at(monkeypatch: pytest.MonkeyPatch) -> None:
    cell, inputs, state, others = decoder(AttentiveDecoder, 3, 2, 4, 6)
    state.attended.mask_BL[1] = False
    made = cell, inputs, state, others
    for mine, theirs in zip(outcome(made), loop(made, monkeypatch), strict=True):
        if mine is not None and theirs is not None:
            torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("make", MAKERS)
def test_what_they_cannot_do_is_left_to_the_loop(make: Callable[..., Made]) -> None:
    cell, inputs, state, _ = make(3, 2, 4, 6)
    with torch.autocast("cpu", torch.bfloat16):
        assert cell.sequence(cell.project(inputs), state) is None
    handle = next(cell.children()).register_forward_hook(lambda *given: None)
    assert not is_whole((cell, inputs, state, []))
    handle.remove()
    assert is_whole((cell, inputs, state, []))

    class Changed(type(cell)):  # type: ignore[misc]
        def step(self, *given: Any) -> Any:
            return super().step(*given)

    other = copy.deepcopy(cell)
    other.__class__ = Changed
    assert not is_whole((other, inputs, state, []))
    assert copy.deepcopy(cell).double().sequence(cell.project(inputs), state) is None


def test_large_steps_are_left_to_torchs_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    made = decoder(AttentiveDecoder, 3, 2, 4, 6)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert is_whole(made)
    monkeypatch.setattr(whole_sequences, "MOST", 100)
    assert not is_whole(made)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert is_whole(made)


def test_other_attentions_are_left_to_the_loop() -> None:
    cell, inputs, _, source = decoder(AttentiveDecoder, 3, 2, 4, 6)
    cell.attention = GeneralAttention(6, 5)
    mask_BL = torch.ones(2, 4, dtype=torch.bool)
    assert not is_whole((cell, inputs, cell.start(Annotations(source[0], mask_BL, source[1], source[1])), []))


def test_weights_changed_before_the_backward_pass_are_an_error() -> None:
    cell, inputs, state, _ = decoder(AttentiveDecoder, 3, 2, 4, 6)
    loss = unroll(cell, inputs, state).y_TBO.sum()
    with torch.no_grad():
        cell.gate_layer.weight.add_(1.0)
    with pytest.raises(RuntimeError, match="inplace"):
        loss.backward()
