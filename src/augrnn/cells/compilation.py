"""Compiling the step of a cell: by default wherever a compiler is found, eagerly with one warning where not."""

import functools
import os
import shutil
import warnings
from collections.abc import Callable
from typing import Any

import torch

from augrnn.cells.cell import Cell

SWITCH = "AUGRNN_COMPILE"
"""Set this environment variable to 0 to run every step eagerly."""


@functools.cache
def available() -> bool:
    """Whether steps are compiled in this process; warns once where the compiler is missing."""
    if os.environ.get(SWITCH, "1") == "0":
        return False
    if os.environ.get("CXX") or any(map(shutil.which, ("g++", "clang++", "c++"))):
        return True
    warnings.warn("no C++ compiler found: recurrent steps run eagerly, two to three times slower", stacklevel=2)
    return False


_COMPILED: dict[type[Cell], Callable[..., Any]] = {}
"""The compiled step of each kind of cell.

It is a function of the cell, so that cells of one kind share code and no cell holds a compiled object (which would end
up in its checkpoints' keys and stop it from being copied).
"""


def stepper(cell: Cell) -> Callable[..., Any]:
    """The step to call in a loop: the same numbers as `cell.step` up to rounding.

    It is compiled while the cell is in training and a compiler is there, unless the cell says that its step cannot be
    one program: a wrapper that calls an inner cell a data-dependent number of times calls `stepper(inner)` in its own
    step, so that the inner step is compiled.
    """
    if not (cell.one_program and cell.training and torch.is_grad_enabled() and available()):
        return cell.step
    kind = type(cell)
    if kind not in _COMPILED:
        _COMPILED[kind] = torch.compile(kind.step, dynamic=kind.dynamic_shapes)
    return functools.partial(_COMPILED[kind], cell)
