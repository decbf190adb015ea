"""A layer's whole sequence in C++, alone and in wrappers, is the loop over the steps, with all gradients."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from augrnn.cells import ACT, LSTM, RNN, Cell, PonderNet, Repeat, recurrent_sequence
from augrnn.cells.inner_steps import Pondering
from augrnn.cells.unroll import unroll

SIZES = [(1, 1, 1), (6, 5, 7), (3, 17, 33)]
"""Steps, batch and units."""

LAYERS = [LSTM, RNN]

Made = tuple[Cell, Tensor, Any, list[Tensor]]
"""A cell, its inputs, its first state, and the parts of it that gradients are taken to."""


@pytest.fixture(autouse=True)
def _compiled(compiled_functions: None) -> Iterator[None]:
    return


def plain(layer: Any, size: int) -> Cell:
    return layer(4, size, 2)


def act(layer: Any, size: int, cap: int = 6, bias: float = -1.0) -> ACT:
    return ACT(layer(5, size, 2), cap=cap, bias=bias)


WRAPPERS: list[Callable[[Any, int], Cell]] = [
    act,
    lambda layer, size: act(layer, size, cap=1),
    lambda layer, size: act(layer, size, bias=3.0),
    lambda layer, size: act(layer, size, cap=40, bias=-4.0),
]

MAKERS: list[Callable[[Any, int], Cell]] = [
    plain,
    lambda layer, size: Repeat(layer(5, size, 2), 3),
    lambda layer, size: PonderNet(layer(5, size, 2), cap=4),
    *WRAPPERS,
]


def made(make: Callable[[Any, int], Cell], layer: Any, steps: int, batch: int, size: int, padded: bool) -> Made:
    torch.manual_seed(0)
    cell = make(layer, size)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    first = [torch.randn(batch, size, requires_grad=True) for _ in ("hidden", "cell")[: 1 + (layer is LSTM)]]
    inner = (
        (LSTM, RNN)[layer is RNN](1, size)
        .initial_state(batch)
        ._replace(**dict(zip(("hidden_BH", "cell_BH"), first, strict=False)))
    )
    state: Any = inner
    if isinstance(cell, Pondering):
        state = cell.start(inner, batch, torch.arange(batch) % (steps + 1) if padded else None)
    elif isinstance(cell, Repeat):
        state = cell.start(inner, batch)
    return cell, torch.randn(steps, batch, 4, requires_grad=True), state, first


def outcome(given: Made, keep: bool) -> list[Tensor | None]:
    """Outputs, the last state, records if kept, and all gradients of a loss of them."""
    cell, inputs, state, first = given
    found = unroll(cell, inputs, state, keep)
    outputs = [found.y_TBO, *pytree.tree_leaves(found.state), *(pytree.tree_leaves(found.trace) if keep else [])]
    generator = torch.Generator().manual_seed(1)
    learned = [each for each in outputs if each.requires_grad]
    loss = sum(((each * torch.randn(each.shape, generator=generator)).sum() for each in learned), torch.zeros(()))
    gradients = torch.autograd.grad(loss, [inputs, *first, *cell.parameters()], allow_unused=True, retain_graph=True)
    return [*outputs, *gradients]


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("make", MAKERS)
def test_they_are_the_loop(
    make: Callable[[Any, int], Cell],
    layer: Any,
    sizes: tuple[int, int, int],
    keep: bool,
    padded: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = made(make, layer, *sizes, padded)
    ours = outcome(given, keep)
    monkeypatch.setattr(recurrent_sequence, "available", lambda: False)
    for mine, theirs in zip(ours, outcome(given, keep), strict=True):
        if mine is None or theirs is None:  # what no gradient reaches may have zeros or none
            assert not any(each is not None and each.any() for each in (mine, theirs))
            continue
        largest = float(theirs.detach().nan_to_num(posinf=0).abs().max()) if theirs.numel() else 0.0
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-5 * max(1.0, largest))


@pytest.mark.parametrize("layer", LAYERS)
def test_samples_ponder_for_different_times(layer: Any) -> None:
    """What the other tests rest on."""
    cell, inputs, state, _ = made(act, layer, 6, 17, 7, True)
    steps_TB = unroll(cell, inputs, state, keep=True).trace.steps_B
    assert len(steps_TB.unique()) >= 3
    assert 0.0 in steps_TB


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("make", MAKERS)
def test_a_second_backward_pass_gives_the_same(make: Callable[[Any, int], Cell], layer: Any) -> None:
    cell, inputs, state, _ = made(make, layer, 4, 3, 5, False)
    loss = unroll(cell, inputs, state).y_TBO.square().sum()
    first, second = (
        torch.autograd.grad(loss, [*cell.parameters()], retain_graph=True, allow_unused=True) for _ in "12"
    )
    assert all((one is None and two is None) or torch.equal(one, two) for one, two in zip(first, second, strict=True))


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("make", [plain, *WRAPPERS])
def test_what_is_not_a_number_stays_in_its_sample(make: Callable[[Any, int], Cell], layer: Any) -> None:
    cell, inputs, state, _ = made(make, layer, 4, 3, 5, False)
    spoilt = inputs.detach().clone()
    spoilt[0, 1, 0] = torch.nan
    found = unroll(cell, spoilt.requires_grad_(), state).y_TBO.isnan()
    assert found[0, 1].all()
    assert not found[:, [0, 2]].any()


def test_halting_probabilities_are_added_up_in_float32() -> None:
    """Nine tenths are .9 in float32, and are not in float64."""
    cell = ACT(RNN(4, 5, 2), epsilon=0.1, cap=50, bias=math.log(0.1 / 0.9))
    with torch.no_grad():
        cell.halting_unit.weight.zero_()
    steps_TB = unroll(cell, torch.randn(3, 2, 3), keep=True).trace.steps_B
    assert set(steps_TB.flatten().tolist()) == {9.0}


class Other(ACT):
    """An ACT with an idea of its own."""


class OtherLinear(torch.nn.Linear):
    """A linear layer with an idea of its own."""


class OtherLayer(RNN):
    def step(self, p_BP: Tensor, state: Any) -> tuple[Tensor, Any]:
        return super().step(p_BP.relu(), state)


@pytest.mark.parametrize(
    "change",
    [
        lambda cell: cell.double(),
        lambda cell: cell.halting_unit.register_forward_hook(lambda *given: None),
        lambda cell: setattr(cell.cell.from_hidden, "__class__", OtherLinear),
        lambda cell: setattr(cell, "__class__", Other),
        lambda cell: setattr(cell, "cell", OtherLayer(5, 7, 2)),
    ],
)
def test_what_it_cannot_do_is_left_to_the_loop(change: Callable[[Any], Any]) -> None:
    cell = act(RNN, 7)
    assert cell.sequence(cell.project(torch.randn(2, 3, 4)), cell.initial_state(3)) is not None
    change(cell)
    dtype = cell.halting_unit.weight.dtype
    assert cell.sequence(cell.project(torch.randn(2, 3, 4, dtype=dtype)), cell.initial_state(3)) is None


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("make", [plain, act])
def test_sizes_that_do_not_belong_together_are_left_to_the_loop(make: Callable[[Any, int], Cell], layer: Any) -> None:
    """In C++ they would be memory that is not ours."""
    cell: Any = make(layer, 7)
    projected = cell.project(torch.randn(3, 4, 4))
    assert cell.sequence(projected, cell.initial_state(4)) is not None
    assert cell.sequence(projected, make(layer, 6).initial_state(4)) is None
    assert cell.sequence(projected, cell.initial_state(2)) is None
    assert cell.sequence(projected[:0], cell.initial_state(4)) is None
    assert cell.sequence(projected[0], cell.initial_state(4)) is None
    assert cell.sequence(projected[..., :-1], cell.initial_state(4)) is None
    inner = cell if make is plain else cell.cell
    inner.from_hidden = torch.nn.Linear(7, inner.from_hidden.out_features, bias=False)
    assert cell.sequence(projected, cell.initial_state(4)) is None


@pytest.mark.parametrize("make", [plain, act])
def test_a_batch_of_no_samples(make: Callable[[Any, int], Cell]) -> None:
    cell, inputs, state, _ = made(make, LSTM, 3, 0, 5, False)
    found = unroll(cell, inputs, state, keep=True)
    assert found.y_TBO.shape == (3, 0, 2)
    found.y_TBO.sum().backward()
    assert inputs.grad is not None


def test_inner_steps_are_kept_for_a_gradient_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[int] = []

    class Counted(recurrent_sequence._Tape):
        def __init__(self, address: int) -> None:
            kept.append(address)
            super().__init__(address)

    monkeypatch.setattr(recurrent_sequence, "_Tape", Counted)
    cell, inputs, state, _ = made(act, LSTM, 4, 3, 5, False)
    with torch.no_grad():
        unroll(cell, inputs, state)
    assert not kept
    unroll(cell, inputs, state)
    assert len(kept) == 1


def test_weights_changed_before_the_backward_pass_are_an_error() -> None:
    cell, inputs, state, _ = made(act, LSTM, 4, 3, 5, False)
    loss = unroll(cell, inputs, state).y_TBO.sum()
    with torch.no_grad():
        cell.halting_unit.weight.mul_(2)  # type: ignore[union-attr, operator]
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
