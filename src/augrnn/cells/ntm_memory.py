"""The memory step of a Neural Turing Machine: from what the controller asks for to weightings, reads and new memory.

On a processor with a C++ compiler it is `ntm.cpp`, forward and backward, which passes over the memory once and
keeps little for backward but what the state keeps anyway; elsewhere the functions of `augrnn.cells.addressing`.
"""

# B = batch, N = memory rows, W = row width, H = heads of a kind, A = 2 * H heads that address (reads first, then
# writes), S = shifts, P = A (W + 3 + S) + 2 H W

import ctypes
import functools
import os
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from augrnn.cells import addressing
from augrnn.native import library
from augrnn.soft import mix

SOURCE = os.path.join(os.path.dirname(__file__), "ntm.cpp")


def head_sizes(heads: int, width: int, shifts: int) -> list[int]:
    """The sizes of the parts of P: keys, strengths, gates, shifts, exponents, erase and add vectors."""
    return [2 * heads * size for size in (width, 1, 1, shifts, 1)] + [heads * width] * 2


def memory_step(
    memory_BNW: Tensor,
    before_BAN: Tensor,
    asked_BP: Tensor,
    shifts: int,
    interpolation: bool = True,
    sharpening: bool = True,
) -> tuple[Tensor, Tensor, Tensor]:
    """Address, read, and write (Graves, Wayne and Danihelka 2014, sections 3.1 to 3.3).

    All heads address the memory as it is given; the reads are of that memory too.

    Args:
      memory_BNW: the memory.
      before_BAN: the previous weightings.
      asked_BP: what the controller asks for, before any nonlinearity, in the order of `head_sizes`.
      shifts: S, odd, at most N.
      interpolation: whether there is Eq. 7.
      sharpening: whether there is Eq. 9.

    Returns:
      The weightings w_BAN, the read vectors r_BHW and the new memory (B, N, W).
    """
    if memory_BNW.device.type == "cpu" and memory_BNW.dtype == torch.float32 and available():
        memory_BWN = memory_BNW.transpose(1, 2)
        w_BAN, read_BHW, after_BWN, _ = torch.ops.augrnn.ntm_memory_forward(
            memory_BWN, before_BAN, asked_BP, shifts, interpolation, sharpening
        )
        return w_BAN, read_BHW, after_BWN.transpose(1, 2)
    heads, width = before_BAN.shape[1] // 2, memory_BNW.shape[2]
    key, strength, gate, shift, gamma, erase, add = asked_BP.split(head_sizes(heads, width, shifts), dim=-1)
    w_BAN = addressing.content_weighting(
        key.unflatten(-1, (2 * heads, width)), addressing.strength(strength), memory_BNW
    )
    if interpolation:
        w_BAN = addressing.interpolate(w_BAN, before_BAN, gate.sigmoid())
    w_BAN = addressing.shift(w_BAN, shift.unflatten(-1, (2 * heads, shifts)).softmax(-1))
    if sharpening:
        w_BAN = addressing.sharpen(w_BAN, addressing.sharpness(gamma))
    erase_BHW, add_BHW = erase.unflatten(-1, (heads, width)).sigmoid(), add.unflatten(-1, (heads, width))
    after_BNW = addressing.write(memory_BNW, w_BAN[:, heads:], erase_BHW, add_BHW)
    return w_BAN, mix(w_BAN[:, :heads], memory_BNW), after_BNW


@torch.compiler.assume_constant_result
def available() -> bool:
    """Whether `ntm.cpp` could be compiled here."""
    return library(SOURCE) is not None


# The operator and its gradient ---------------------------------------------------------------------------------------

# torch finds compiled code by the names of operators: one whose results get another shape needs a new name
OPERATORS = torch.library.Library("augrnn", "FRAGMENT")
OPERATORS.define(
    "ntm_memory_forward(Tensor memory_BWN, Tensor before_BAN, Tensor asked_BP, int shifts, bool interpolation, "
    "bool sharpening) -> (Tensor w_BAN, Tensor read_BHW, Tensor after_BWN, Tensor kept_BKN)"
)
OPERATORS.define(
    "ntm_memory_backward(Tensor memory_BWN, Tensor before_BAN, Tensor asked_BP, Tensor w_BAN, Tensor kept_BKN, "
    "Tensor? g_w, Tensor? g_read, Tensor? g_after, int shifts, bool interpolation, bool sharpening)"
    " -> (Tensor g_memory, Tensor g_before, Tensor g_asked)"
)

Step = tuple[Tensor, Tensor, Tensor, Tensor]
Gradients = tuple[Tensor, Tensor, Tensor]


@functools.cache
def _function(name: str, arrays: int) -> Any:
    found = library(SOURCE)
    assert found is not None
    function = getattr(found, name)
    function.argtypes, function.restype = [ctypes.c_int64] * 7 + [ctypes.c_void_p] * arrays, None
    return function


def _call(name: str, shifts: int, interpolation: bool, sharpening: bool, arrays: Sequence[Tensor]) -> None:
    batch, width, rows = arrays[0].shape
    sizes = batch, arrays[1].shape[1] // 2, rows, width, shifts, interpolation, sharpening
    _function(name, len(arrays))(*sizes, *[array.data_ptr() for array in arrays])


def _made(memory_BWN: Tensor, before_BAN: Tensor, *_: Any) -> Step:
    batch, width, rows = memory_BWN.shape
    heads = before_BAN.shape[1]
    shapes = (heads, rows), (heads // 2, width), (width, rows), (2 * heads + 1, rows)
    w, read, after, kept = (memory_BWN.new_empty((batch, *shape)) for shape in shapes)
    return w, read, after, kept


def _forward(
    memory_BWN: Tensor, before_BAN: Tensor, asked_BP: Tensor, shifts: int, interpolation: bool, sharpening: bool
) -> Step:
    made = _made(memory_BWN, before_BAN)
    given = memory_BWN.contiguous(), before_BAN.contiguous(), asked_BP.contiguous()
    _call("ntm_memory_forward", shifts, interpolation, sharpening, [*given, *made])
    return made


def _backward(
    memory_BWN: Tensor,
    before_BAN: Tensor,
    asked_BP: Tensor,
    w_BAN: Tensor,
    kept_BKN: Tensor,
    g_w: Tensor | None,
    g_read: Tensor | None,
    g_after: Tensor | None,
    shifts: int,
    interpolation: bool,
    sharpening: bool,
) -> Gradients:
    given = [each.contiguous() for each in (memory_BWN, before_BAN, asked_BP)]
    made = torch.empty_like(given[0]), torch.empty_like(given[1]), torch.empty_like(given[2])
    batch, width, _ = memory_BWN.shape
    shapes = w_BAN.shape, (batch, w_BAN.shape[1] // 2, width), memory_BWN.shape
    arriving = [
        memory_BWN.new_zeros(shape) if each is None else each.contiguous()
        for each, shape in zip((g_w, g_read, g_after), shapes, strict=True)
    ]
    arrays = [*given, w_BAN.contiguous(), kept_BKN.contiguous(), *arriving, *made]
    _call("ntm_memory_backward", shifts, interpolation, sharpening, arrays)
    return made


def _made_backward(*given: Any) -> Gradients:
    memory, before, asked = (each.new_empty(each.shape) for each in given[:3])
    return memory, before, asked


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Step) -> None:
    ctx.save_for_backward(*inputs[:3], output[0], output[3])
    ctx.options = inputs[3:]


def _gradient(
    ctx: Any, g_w: Tensor | None, g_read: Tensor | None, g_after: Tensor | None, _: Tensor | None
) -> tuple[Tensor | None, ...]:
    found = torch.ops.augrnn.ntm_memory_backward(*ctx.saved_tensors, g_w, g_read, g_after, *ctx.options)
    return (*found, None, None, None)


OPERATORS.impl("ntm_memory_forward", _forward, "CPU")
OPERATORS.impl("ntm_memory_backward", _backward, "CPU")
torch.library.register_fake("augrnn::ntm_memory_forward", _made)
torch.library.register_fake("augrnn::ntm_memory_backward", _made_backward)
torch.library.register_autograd("augrnn::ntm_memory_forward", _gradient, setup_context=_keep)
