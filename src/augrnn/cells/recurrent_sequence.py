"""A layer of tanh units or of an LSTM, alone or in adaptive computation time, over a whole sequence in one call.

The loops over time and over inner steps are `recurrent.cpp`, forward and backward, on a processor with a C++ compiler.
Samples that have halted or are padding do no work there. Numbers are those of the loops in Python up to rounding.
"""

# T = time steps, B = batch, H = hidden, G = gates: 4 H of an LSTM, else H, M = the cap

import ctypes
import functools
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from augrnn.native import library
from augrnn.products import pack

SOURCE = os.path.join(os.path.dirname(__file__), "recurrent.cpp")


class Pondered(NamedTuple):
    """What adaptive computation time gives over a sequence.

    Attributes:
      hidden_TBH, cell_TBH: the mean-field states after each step; no cell of a layer of tanh units: (T, B, 0).
      remainder_TB: R(t), 0 for padding.
      steps_TB: N(t), 0 for padding; without gradient.
      halting_TBM: the halting probabilities up to step N(t), then zeros; without gradient.
    """

    hidden_TBH: Tensor
    cell_TBH: Tensor
    remainder_TB: Tensor
    steps_TB: Tensor
    halting_TBM: Tensor


@functools.cache
def functions() -> ctypes.CDLL | None:
    """The compiled functions; None without a compiler."""
    found = library(SOURCE)
    if found is None:
        return None
    arrays: list[Any] = [ctypes.POINTER(ctypes.c_int64), ctypes.POINTER(ctypes.c_void_p)]
    tape: list[Any] = [ctypes.c_void_p]
    for function, arguments in (
        (found.layer_forward, arrays),
        (found.layer_backward, arrays),
        (found.act_forward, arrays),
        (found.act_backward, arrays + tape),
        (found.act_free, tape),
    ):
        function.argtypes, function.restype = arguments, None
    found.act_forward.restype = ctypes.c_void_p
    return found


def available() -> bool:
    """Whether there is a compiler for them."""
    return functions() is not None


def fits(p_TBG: Tensor, layer: Sequence[Tensor], *states_BH: Tensor) -> bool:
    """Whether projected inputs, a layer's weight and bias, and its states have sizes that belong together.

    Others are left to the loop, which refuses them, or takes one row for all of a batch.
    """
    if p_TBG.dim() != 3 or not len(p_TBG) or len(layer) != 2:
        return False
    batch, gates = p_TBG.shape[1:]
    units = layer[0].shape[1]
    of_units = 4 if len(states_BH) == 2 else 1
    return layer[0].shape[0] == gates == of_units * units and all(each.shape == (batch, units) for each in states_BH)


def layer_sequence(
    p_TBG: Tensor,
    layer: Sequence[Tensor],
    hidden_BH: Tensor,
    cell_BH: Tensor | None,
    kept_BH: Tensor | None = None,
    squashes: bool = True,
) -> tuple[Tensor, Tensor]:
    """The outputs and memory cells of a layer after each step, (T, B, H); no cells of tanh units: (T, B, 0).

    Args:
      p_TBG: the projected inputs.
      layer: weight (G, H) and bias (G,) of its own last output.
      hidden_BH: the state before the first step.
      cell_BH: its memory cells; None for a layer of tanh units.
      kept_BH: what every output is multiplied by, without a gradient: a mask of dropout.
      squashes: whether an LSTM emits the tanh of its memory cells, or these themselves.
    """
    state = hidden_BH, _cells(hidden_BH, cell_BH)
    found: tuple[Tensor, Tensor] = _Layer.apply((kept_BH, squashes), p_TBG, *layer, *state)
    return found


def act_sequence(
    p_TBG: Tensor,
    flag_BG: Tensor,
    layer: Sequence[Tensor],
    halting: Sequence[Tensor],
    hidden_BH: Tensor,
    cell_BH: Tensor | None,
    left_B: Tensor,
    end: float,
    cap: int,
) -> Pondered:
    """Adaptive computation time around a layer.

    Args:
      p_TBG: the projected inputs without the flag.
      flag_BG: what the flag adds at the first inner step.
      layer: weight (G, H) and bias (G,) of its own last output.
      halting: weight (1, H) and bias (1,) of the halting unit.
      hidden_BH: the state before the first step.
      cell_BH: its memory cells; None for a layer of tanh units.
      left_B: steps that each sample has before its padding.
      end: of the sum of halting probabilities.
      cap: M.
    """
    state = hidden_BH, _cells(hidden_BH, cell_BH)
    return Pondered(*_ACT.apply((end, cap, torch.is_grad_enabled()), p_TBG, flag_BG, *layer, *halting, *state, left_B))


def _cells(hidden_BH: Tensor, cell_BH: Tensor | None) -> Tensor:
    return hidden_BH[:, :0] if cell_BH is None else cell_BH


def _call(name: str, sizes: Sequence[int], tensors: Sequence[Tensor | None], *more: Any) -> Any:
    arrays = (ctypes.c_void_p * len(tensors))(*[None if tensor is None else tensor.data_ptr() for tensor in tensors])
    return getattr(functions(), name)((ctypes.c_int64 * len(sizes))(*sizes), arrays, *more)


def _states(steps: int, first: Tensor) -> Tensor:
    """Room for a state before and after each step, with the first in its place."""
    made = first.new_empty(steps + 1, *first.shape)
    made[0] = first
    return made


def _panels(weight_GH: Tensor, bias_G: Tensor) -> tuple[Tensor, Tensor]:
    packed = pack(weight_GH.t(), bias_G)
    assert packed.bias is not None
    return packed.panels, packed.bias


def _dense(tensors: Sequence[Tensor | None]) -> list[Tensor | None]:
    return [None if tensor is None else tensor.contiguous() for tensor in tensors]


class _Layer(torch.autograd.Function):
    """Options: what outputs are multiplied by, and whether memory cells are squashed."""

    @staticmethod
    def forward(ctx: Any, options: tuple[Tensor | None, bool], *inputs: Tensor) -> tuple[Tensor, Tensor]:
        p_TBG, weight_GH, bias_G, hidden_BH, cell_BH = (each.contiguous() for each in inputs)
        factor, squashes = options
        ctx.factor = None if factor is None else factor.contiguous()
        steps, batch, gates = p_TBG.shape
        kind = (1 if squashes else 2) if gates > weight_GH.shape[1] else 0
        ctx.sizes = steps, batch, weight_GH.shape[1], kind
        kept = _states(steps, hidden_BH), _states(steps, cell_BH), torch.empty_like(p_TBG)
        _call("layer_forward", ctx.sizes, [*_panels(weight_GH, bias_G), None, p_TBG, *kept, ctx.factor])
        ctx.save_for_backward(weight_GH, *kept)
        ctx.set_materialize_grads(False)
        return kept[0][1:], kept[1][1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        weight_GH, *kept = ctx.saved_tensors
        of_first = torch.zeros_like(kept[0][0]), torch.zeros_like(kept[1][0])
        g_p_TBG, g_weight_GH = torch.empty_like(kept[2]), torch.zeros_like(weight_GH)
        given = _dense(gradients)
        made = *of_first, g_p_TBG, g_weight_GH
        back = [None, None, pack(weight_GH).panels, None]
        _call("layer_backward", ctx.sizes, [*back, *kept, ctx.factor, *given, *made])
        return None, g_p_TBG, g_weight_GH, g_p_TBG.sum((0, 1)), *of_first


class _Tape:
    """What the inner steps keep for the gradient, until nothing refers to it."""

    def __init__(self, address: int) -> None:
        self.address = address

    def __del__(self) -> None:
        if (found := functions()) is not None:
            found.act_free(self.address)


class _ACT(torch.autograd.Function):
    """Options: end, cap, and whether a gradient may be asked for. Inputs: projected, flag, weight, bias, those of the
    halting unit, hidden, cell, left.
    """

    @staticmethod
    def forward(ctx: Any, options: tuple[float, int, bool], *inputs: Tensor) -> tuple[Tensor, ...]:
        p_TBG, flag_BG, weight_GH, bias_G, *halting, hidden_BH, cell_BH, left_B = (each.contiguous() for each in inputs)
        steps, batch, gates = p_TBG.shape
        end, cap, learning = options
        sizes = (
            steps,
            batch,
            weight_GH.shape[1],
            gates > weight_GH.shape[1],
            cap,
            learning and any(ctx.needs_input_grad),
        )
        hidden, cell = _states(steps, hidden_BH), _states(steps, cell_BH)
        steps_TB, remainder_TB = p_TBG.new_empty(steps, batch), p_TBG.new_empty(steps, batch)
        halting_TBM = p_TBG.new_zeros(steps, batch, cap)
        given = [p_TBG, flag_BG, *halting, p_TBG.new_tensor(end), left_B]
        made = [hidden, cell, steps_TB, remainder_TB, halting_TBM]
        address = _call("act_forward", sizes, [*_panels(weight_GH, bias_G), None, *given, *made])
        if address is not None:
            ctx.sizes, ctx.tape = sizes, _Tape(address)
            ctx.save_for_backward(weight_GH, p_TBG, flag_BG, *halting, cell)
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(steps_TB, halting_TBM)
        return hidden[1:], cell[1:], remainder_TB, steps_TB, halting_TBM

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        weight_GH, p_TBG, flag_BG, halting_1H, halting_1, cell = ctx.saved_tensors
        given = _dense(gradients[:3])
        like = (p_TBG.new_empty(p_TBG.shape[1], weight_GH.shape[1]), cell[0], p_TBG, flag_BG, weight_GH, halting_1H)
        made = [*map(torch.zeros_like, like), torch.zeros_like(halting_1)]
        g_hidden, g_cell, g_p_TBG, g_flag_BG, g_weight, g_halting_1H, g_halting_1 = made
        forward = [None, None, pack(weight_GH).panels, p_TBG, flag_BG, halting_1H, halting_1, None, None, None, cell]
        _call("act_backward", ctx.sizes, [*forward, None, None, None, *given, *made], ctx.tape.address)
        of_layer = g_weight, g_p_TBG.sum((0, 1))
        return None, g_p_TBG, g_flag_BG, *of_layer, g_halting_1H, g_halting_1, g_hidden, g_cell, None
