"""A Neural Turing Machine over a whole sequence in one call, forward and backward, on a processor with a C++ compiler.

The loop over time is `ntm.cpp`. Python, autograd and the optimizer's gradients are then met once a sequence and not
once a step: the gradients of weights are gathered over time and multiplied once. Of some steps alone the memory is kept
for backward; those between are written again.
"""

# T = time steps, B = batch, C = controller output, G = gates of a controller layer, K = what a controller layer sees,
# N = memory rows, W = row width, H = heads of a kind, A = 2 * H heads that address, P = what the controller asks for,
# E = C + H * W, what a step emits

import ctypes
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from augrnn.cells.cell import Cell
from augrnn.cells.feedforward import Feedforward
from augrnn.cells.lstm import LSTM, LSTMState, StackedLSTM
from augrnn.cells.ntm_memory import SOURCE
from augrnn.native import library


class Layer(NamedTuple):
    """A layer of the controller: an LSTM's, or one of tanh units, which has no state.

    Attributes:
      weight_GK: of what it sees: the vectors read, or the layer below; then, in an LSTM, its own last output.
      bias_G: its bias; of the first layer this is in the projected inputs, and anything may stand here.
      output_BC, cell_BC: its state before the first step; zeros in a layer of tanh units.
    """

    weight_GK: Tensor
    bias_G: Tensor
    output_BC: Tensor
    cell_BC: Tensor


class Controller(NamedTuple):
    """A controller of layers.

    Attributes:
      lstm: whether they are of an LSTM.
      input_weight_GI: of the first layer, for the inputs of the machine.
      layers: the lowest first; one where they are of tanh units.
    """

    lstm: bool
    input_weight_GI: Tensor
    layers: list[Layer]


class Memory(NamedTuple):
    """The memory of the machine and where its heads stand.

    Attributes:
      memory_BWN: the memory, its rows last.
      weighting_BAN: the weightings, reads first.
      read_BR: the vectors just read, (B, H * W).
    """

    memory_BWN: Tensor
    weighting_BAN: Tensor
    read_BR: Tensor


class Swept(NamedTuple):
    """What comes of a sequence.

    Attributes:
      emitted_TBE: the controller's outputs and the vectors read.
      memory: at the end.
      asked_BP: what the controller asked for at the last step.
      states: of the controller's layers at the end; none of tanh units.
    """

    emitted_TBE: Tensor
    memory: Memory
    asked_BP: Tensor
    states: tuple[LSTMState, ...]


def linear_layers(controller: Cell) -> list[nn.Module] | None:
    """The linear layers of a controller, the lowest first; None where it is no controller of this module."""
    if type(controller) is Feedforward:
        return [controller.hidden]
    cells: Any = controller.layers if type(controller) is StackedLSTM else [controller]
    if any(type(cell) is not LSTM or type(cell.output) is not nn.Identity for cell in cells):
        return None
    return [layer for cell in cells for layer in (cell.from_input, cell.from_hidden)]


def as_layers(controller: Cell, state: Any, inputs: int, batch_size: int) -> Controller:
    """The weights and the state of a controller that `linear_layers` knows.

    Args:
      controller: the cell.
      state: before the first step.
      inputs: I, the first of what it sees.
      batch_size: B.
    """
    if isinstance(controller, Feedforward):
        weight_GI = controller.hidden.weight
        none_BC = weight_GI.new_zeros(batch_size, controller.output_size)
        layer = Layer(weight_GI[:, inputs:], controller.hidden.bias, none_BC, none_BC)
        return Controller(False, weight_GI[:, :inputs], [layer])
    cells: Any = controller.layers if isinstance(controller, StackedLSTM) else [controller]
    layers: list[Layer] = []
    for cell, before in zip(cells, state if isinstance(controller, StackedLSTM) else [state], strict=True):
        below, own = cell.from_input, cell.from_hidden
        below_GK = below.weight if layers else below.weight[:, inputs:]
        weight_GK = torch.cat([below_GK, own.weight], dim=1)
        layers.append(Layer(weight_GK, below.bias + own.bias, before.hidden_BH, before.cell_BH))
    return Controller(True, cells[0].from_input.weight[:, :inputs], layers)


def ntm_sequence(
    projected_TBG: Tensor,
    controller: Controller,
    heads: nn.Linear,
    memory: Memory,
    shifts: int,
    interpolation: bool,
    sharpening: bool,
) -> Swept:
    """Unroll a machine.

    Args:
      projected_TBG: the first layer's bias and its product with the inputs.
      controller: what `as_layers` gives.
      heads: from the controller to what it asks for.
      memory: before the first step.
      shifts: S.
      interpolation: whether there is Eq. 7.
      sharpening: whether there is Eq. 9.
    """
    layers = controller.layers
    options = len(layers) if controller.lstm else 0, shifts, interpolation, sharpening
    flat = [each for layer in layers for each in layer]
    emitted_TBE, memory_BWN, weighting_BAN, read_BR, asked_BP, *states = _Sequence.apply(
        options, projected_TBG, heads.weight, heads.bias, *memory, *flat
    )
    ends = tuple(LSTMState(*pair) for pair in zip(states[::2], states[1::2], strict=True)) if controller.lstm else ()
    return Swept(emitted_TBE, Memory(memory_BWN, weighting_BAN, read_BR), asked_BP, ends)


# The call ------------------------------------------------------------------------------------------------------------


def _pointers(tensors: Sequence[Tensor]) -> Any:
    return (ctypes.c_void_p * len(tensors))(*[tensor.data_ptr() for tensor in tensors])


def _call(name: str, sizes: Sequence[int], *arrays: Sequence[Tensor]) -> None:
    found = library(SOURCE)
    assert found is not None
    getattr(found, name)((ctypes.c_int64 * len(sizes))(*sizes), *map(_pointers, arrays))


class _Arrays(NamedTuple):
    """The arrays of a machine in the order of ntm.cpp, which those of its layers follow.

    Attributes:
      projected: see `ntm_sequence`.
      weight, transposed, bias: from the controller to what it asks for.
      emitted, asked, memory, weighting, read, kept: as in ntm.cpp, with a slot for each step, the memory for some.
    """

    projected: Tensor
    weight: Tensor
    transposed: Tensor
    bias: Tensor
    emitted: Tensor
    asked: Tensor
    memory: Tensor
    weighting: Tensor
    read: Tensor
    kept: Tensor


class _LayerArrays(NamedTuple):
    """The arrays of a layer in the order of ntm.cpp; from `seen` on they have a slot for each step."""

    weight: Tensor
    transposed: Tensor
    bias: Tensor
    seen: Tensor
    gate: Tensor
    cell: Tensor
    output: Tensor


def _groups(tensors: Sequence[Tensor], kind: Any, start: int = 0) -> list[Any]:
    size = len(kind._fields)
    return [kind(*tensors[at : at + size]) for at in range(start, len(tensors), size)]


class _Sequence(torch.autograd.Function):
    """Inputs after the options: projected, heads' weight and bias, memory, weighting, read, then a Layer's for each.

    Outputs: emitted, memory, weighting, read, asked (of the last step), then output and cell of each layer.
    """

    @staticmethod
    def forward(ctx: Any, options: tuple[int, int, bool, bool], *inputs: Tensor) -> tuple[Tensor, ...]:
        projected, weight, bias, memory, weighting, read, *flat = (each.contiguous() for each in inputs)
        lstm, shifts, interpolation, sharpening = options
        steps, batch, gates = projected.shape
        heads, rows = weighting.shape[1:]
        hidden = weight.shape[1]
        trains = any(ctx.needs_input_grad)
        slots = steps + 1 if trains else 2
        spacing = _spacing(steps) if trains else steps
        of_memory = steps, batch, heads // 2, rows, memory.shape[1], shifts, interpolation, sharpening
        sizes = *of_memory, lstm, hidden, slots, spacing

        def room(*shape: int) -> Tensor:
            return projected.new_empty(slots, batch, *shape)

        def room_after(first: Tensor, slots: int = slots) -> Tensor:
            made = first.new_empty(slots, *first.shape)
            made[0] = first
            return made

        emitted = projected.new_empty(steps, batch, hidden + read.shape[1])
        state = room_after(memory, (steps - 1) // spacing + 4), room_after(weighting), room_after(read)
        machine = _Arrays(
            projected, weight, _transposed(weight), bias, emitted, room(len(bias)), *state, room(2 * heads + 1, rows)
        )
        layers = [
            _LayerArrays(
                layer.weight_GK,
                _transposed(layer.weight_GK),
                layer.bias_G,
                room(layer.weight_GK.shape[1]),
                room(gates),
                room_after(layer.cell_BC),
                room_after(layer.output_BC),
            )
            for layer in _groups(flat, Layer)
        ]
        arrays = [*machine, *(each for layer in layers for each in layer)]
        _call("ntm_sequence_forward", sizes, arrays)
        if trains:
            ctx.sizes = sizes
            arrays[0] = arrays[4] = bias  # what was projected and emitted is not read again
            ctx.save_for_backward(*arrays)
            ctx.set_materialize_grads(False)
        last = steps % slots
        ends = (each.clone() for each in (machine.memory[-1], machine.weighting[last], machine.read[last]))
        states = (each[last].clone() for layer in layers for each in (layer.output, layer.cell))
        return emitted, *ends, machine.asked[(steps - 1) % slots].clone(), *states

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *given: Tensor | None) -> tuple[Tensor | None, ...]:
        arrays = ctx.saved_tensors
        machine = _Arrays(*arrays[: len(_Arrays._fields)])
        layers = _groups(arrays, _LayerArrays, len(_Arrays._fields))
        steps, batch, *_, spacing = ctx.sizes
        new = machine.weight.new_empty

        def arriving(number: int, like: Tensor) -> Tensor:
            gradient = given[number]
            return torch.zeros_like(like) if gradient is None else gradient.clone(memory_format=torch.contiguous_format)

        g_emitted = given[0]
        if g_emitted is None:
            g_emitted = machine.weight.new_zeros(steps, batch, machine.weight.shape[1] + machine.read.shape[2])
        g_memory, g_weighting, g_read = (
            arriving(number, like[0])
            for number, like in enumerate((machine.memory, machine.weighting, machine.read), 1)
        )
        g_asked = new(steps, batch, len(machine.bias))
        g_asked[-1] = 0 if given[4] is None else given[4]
        g_weight = torch.zeros_like(machine.weight)
        of_machine = [
            g_emitted.contiguous(),
            g_memory,
            torch.empty_like(g_memory),
            g_weighting,
            g_read,
            new(spacing - 1, *g_memory.shape),
            g_asked,
            g_weight,
        ]
        of_layers = [
            (
                new(steps, batch, layer.gate.shape[2]),
                arriving(6 + 2 * number, layer.cell[0]),
                arriving(5 + 2 * number, layer.output[0]),
                torch.zeros_like(layer.weight),
            )
            for number, layer in enumerate(layers)
        ]
        _call(
            "ntm_sequence_backward", ctx.sizes, arrays, [*of_machine, *(each for layer in of_layers for each in layer)]
        )
        found: list[Tensor | None] = [
            None,
            of_layers[0][0],
            g_weight,
            g_asked.sum((0, 1)),
            g_memory,
            g_weighting,
            g_read,
        ]
        for number, (g_gate, g_cell, g_output, g_layer) in enumerate(of_layers):
            found += [g_layer, g_gate.sum((0, 1)) if number else None, g_output, g_cell]
        return tuple(found)


def _spacing(steps: int) -> int:
    """Steps from one memory that is kept to the next, so that these and those between two are fewest together."""
    return math.isqrt(steps)


def _transposed(weight: Tensor) -> Tensor:
    return weight.t().contiguous()
