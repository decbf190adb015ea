"""A whole sequence in one call is the loop over steps, forward and backward."""

# T = time steps, B = batch, I = input

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close
from torch.utils import _pytree as pytree

from augrnn import native, products
from augrnn.bench.naive import NaiveNTM
from augrnn.cells import LSTM, NTM, ntm, ntm_sequence
from augrnn.cells.cell import Cell
from augrnn.cells.feedforward import Feedforward
from augrnn.cells.lstm import StackedLSTM
from augrnn.cells.unroll import unroll

CONTROLLERS: dict[str, Callable[[int], Cell]] = {
    "lstm": lambda size: LSTM(size, 11),
    "stack": lambda size: StackedLSTM(size, 9, 3),
    "feedforward": lambda size: Feedforward(size, 37),
}
SIZES = [
    # steps, batch, heads, rows, width
    (1, 1, 1, 4, 1),
    (7, 3, 1, 16, 5),
    (4, 2, 3, 33, 7),
    (5, 13, 2, 128, 20),
    (12, 2, 2, 9, 3),
]


@pytest.fixture
def calls(compiled_functions: None, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """An entry for each sequence that was computed in one call."""
    made: list[int] = []

    def counted(*arguments: Any) -> Any:
        made.append(1)
        return whole(*arguments)

    whole = ntm.ntm_sequence
    monkeypatch.setattr(ntm, "ntm_sequence", counted)
    return made


def machine(controller: str, heads: int = 1, rows: int = 16, width: int = 5, **options: Any) -> NTM:
    torch.manual_seed(0)
    return NTM(6, 4, CONTROLLERS[controller], heads=heads, rows=rows, width=width, **options)


def found(cell: NTM, x_TBI: Tensor, whole: bool) -> list[Tensor]:
    """Outputs, last state, and the gradients of inputs and parameters; the loop's are in float64."""
    dtype = torch.float32 if whole else torch.float64
    cell = cell.to(dtype)
    x_TBI = x_TBI.to(dtype, copy=True).requires_grad_()
    unrolled = unroll(cell, x_TBI)
    given = [unrolled.y_TBO, *pytree.tree_leaves(unrolled.state)]
    torch.manual_seed(1)
    weights = [torch.randn(each.shape, dtype=torch.float64).to(dtype) for each in given]
    total = sum((each * weight).sum() for each, weight in zip(given, weights, strict=True))
    assert isinstance(total, Tensor)
    gradients = torch.autograd.grad(total, [x_TBI, *cell.parameters()], materialize_grads=True, allow_unused=True)
    return [*(each.detach() for each in given), *gradients]


@pytest.mark.parametrize("options", [{}, {"interpolation": False}, {"sharpening": False}, {"memory": "ring"}])
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("controller", CONTROLLERS)
def test_it_is_the_loop(
    controller: str, sizes: tuple[int, int, int, int, int], options: dict[str, Any], calls: list[int]
) -> None:
    steps, batch, *shape = sizes
    cell, x_TBI = machine(controller, *shape, **options), torch.randn(steps, batch, 6)
    theirs = found(cell, x_TBI, whole=False)
    assert not calls
    ours = found(cell, x_TBI, whole=True)
    assert calls
    for mine, its in zip(ours, theirs, strict=True):
        assert_close(mine.double(), its, rtol=2e-4, atol=1e-5 * (1 + its.abs().max().item()))


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_it_is_the_plain_loop_of_the_paper(controller: str, calls: list[int]) -> None:
    cell, x_TBI = machine(controller, heads=2), torch.randn(5, 3, 6)
    y_TBO = unroll(cell, x_TBI).y_TBO
    assert calls
    assert_close(y_TBO, NaiveNTM(cell)(x_TBI), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_without_gradients_it_gives_the_same(controller: str, calls: list[int]) -> None:
    cell, x_TBI = machine(controller), torch.randn(8, 3, 6)
    expected = unroll(cell, x_TBI)
    with torch.no_grad():
        given = unroll(cell.eval(), x_TBI)
    assert len(calls) == 2
    for mine, its in zip(pytree.tree_leaves(given[:2]), pytree.tree_leaves(expected[:2]), strict=True):
        assert torch.equal(mine, its)


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_a_sequence_in_two_parts_is_the_whole(controller: str, calls: list[int]) -> None:
    cell, x_TBI = machine(controller, heads=2), torch.randn(6, 3, 6)
    results = []
    for cut in (6, 2):
        cell.zero_grad()
        first = unroll(cell, x_TBI[:cut])
        parts = [first] if cut == 6 else [first, unroll(cell, x_TBI[cut:], first.state)]
        y_TBO = torch.cat([part.y_TBO for part in parts])
        y_TBO.square().sum().backward()
        results.append([y_TBO.detach(), *(each.grad for each in cell.parameters() if each.grad is not None)])
    assert len(calls) == 3
    for whole, cut_up in zip(*results, strict=True):
        assert_close(whole, cut_up, rtol=1e-4, atol=1e-5)


def test_what_is_not_a_number_stays_so(calls: list[int]) -> None:
    cell, x_TBI = machine("lstm"), torch.randn(5, 3, 6)
    x_TBI[2, 1, 0] = torch.nan
    x_TBI.requires_grad_()
    y_TBO = unroll(cell, x_TBI).y_TBO
    assert y_TBO[:2].isfinite().all()
    assert y_TBO[:, [0, 2]].isfinite().all()
    assert y_TBO[2:, 1].isnan().all()
    y_TBO.sum().backward()
    assert calls
    assert cell.to_heads.weight.grad is not None
    assert cell.to_heads.weight.grad.isnan().any()


def test_large_inputs_stay_finite(calls: list[int]) -> None:
    cell, x_TBI = machine("lstm"), 1e4 * torch.randn(5, 3, 6)
    given = found(cell, x_TBI, whole=True)
    assert calls
    assert all(each.isfinite().all() for each in given)


def test_gradients_that_do_not_arrive_are_zeros(calls: list[int]) -> None:
    cell, x_TBI = machine("lstm"), torch.randn(5, 3, 6)
    results = []
    for dtype in (torch.float32, torch.float64):
        given = unroll(cell.to(dtype), x_TBI.to(dtype)).state.read_BHW
        results.append(torch.autograd.grad(given.square().sum(), list(cell.to_heads.parameters())))
    assert calls
    for ours, theirs in zip(*results, strict=True):
        assert_close(ours.double(), theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("spacing", [2, 3, 4, 6, 7])
def test_a_memory_written_again_is_the_one_that_was(
    spacing: int, calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    cell, x_TBI = machine("lstm", heads=2), torch.randn(7, 3, 6)
    results = []
    for each in (1, spacing):
        monkeypatch.setattr(ntm_sequence, "_spacing", lambda steps, each=each: each)
        results.append(found(cell, x_TBI, whole=True))
    assert len(calls) == 2
    for kept, written in zip(*results, strict=True):
        assert torch.equal(kept, written)


def test_the_memory_of_few_steps_is_kept(calls: list[int]) -> None:
    cell, x_TBI = machine("lstm", rows=64, width=7), torch.randn(100, 3, 6)
    kept: list[torch.Size] = []

    def counted(tensor: Tensor) -> Tensor:
        kept.append(tensor.shape)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(counted, lambda tensor: tensor):
        unroll(cell, x_TBI)
    assert calls
    assert [shape[0] for shape in kept if shape[1:] == (3, 7, 64)] == [13]  # ten, two at work and the last


def test_a_gradient_can_be_taken_again(calls: list[int]) -> None:
    cell, x_TBI = machine("lstm"), torch.randn(8, 3, 6)
    total = unroll(cell, x_TBI).y_TBO.square().sum()
    first, again = (torch.autograd.grad(total, list(cell.to_heads.parameters()), retain_graph=True) for _ in range(2))
    assert calls
    assert all(torch.equal(*pair) for pair in zip(first, again, strict=True))


def without_switch(cell: NTM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(native.SWITCH, "0")
    native.library.cache_clear()
    products.functions.cache_clear()


def watched(cell: NTM, monkeypatch: pytest.MonkeyPatch) -> None:
    cell.to_heads.register_forward_hook(lambda module, given, made: None)


def normalised(cell: NTM, monkeypatch: pytest.MonkeyPatch) -> None:
    nn.utils.parametrizations.weight_norm(cell.to_heads)


def with_read_out(cell: NTM, monkeypatch: pytest.MonkeyPatch) -> None:
    cell.controller = LSTM(6 + 5, 8, output_size=11)


def double(cell: NTM, monkeypatch: pytest.MonkeyPatch) -> None:
    cell.double()


@pytest.mark.parametrize("change", [without_switch, watched, normalised, with_read_out, double])
def test_what_it_cannot_do_is_left_to_the_loop(
    change: Callable[[NTM, pytest.MonkeyPatch], None], calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = machine("lstm").eval()
    change(cell, monkeypatch)
    unroll(cell, torch.randn(5, 3, 6, dtype=cell.output.weight.dtype))
    with torch.autocast("cpu", torch.bfloat16):
        unroll(cell, torch.randn(5, 3, 6, dtype=cell.output.weight.dtype))
    assert not calls


def test_a_trace_is_kept_by_the_loop(calls: list[int]) -> None:
    cell, x_TBI = machine("lstm").eval(), torch.randn(5, 3, 6)
    traced = unroll(cell, x_TBI, keep=True)
    assert not calls
    whole = unroll(cell, x_TBI)
    assert_close(whole.y_TBO, traced.y_TBO, rtol=1e-4, atol=1e-5)
    assert_close(whole.state.add_BHW, traced.trace.add_BHW[-1], rtol=1e-4, atol=1e-5)
    assert_close(whole.state.gate_BA, traced.trace.gate_BA[-1], rtol=1e-4, atol=1e-5)


def test_under_transforms_of_functions_it_is_the_loop(calls: list[int]) -> None:
    cell, x_KTBI = machine("lstm").eval(), torch.randn(2, 5, 3, 6)
    together = torch.func.vmap(lambda x_TBI: unroll(cell.double(), x_TBI).y_TBO)(x_KTBI.double())
    assert not calls
    for y_TBO, x_TBI in zip(together, x_KTBI, strict=True):
        assert_close(y_TBO.float(), unroll(cell.float(), x_TBI).y_TBO, rtol=1e-4, atol=1e-5)


def test_a_state_of_another_batch_is_left_to_the_loop(calls: list[int]) -> None:
    """In C++ it would be read and written beyond its end."""
    cell = machine("lstm").eval()
    with pytest.raises(RuntimeError):
        unroll(cell, torch.randn(5, 3, 6), cell.initial_state(2))
    assert not calls
