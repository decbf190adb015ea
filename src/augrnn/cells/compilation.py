"""Compiling the step of a cell: by default wherever a compiler is found, eagerly with one warning where not."""

import functools
import os
import shutil
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
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


_COMPILED: dict[type["Cell"], Callable[..., Any]] = {}
"""The compiled step of each kind of cell.

It is a function of the cell, so that cells of one kind share code and no cell holds a compiled object (which would end
up in its checkpoints' keys and stop it from being copied).
"""


def compiled(cell: "Cell") -> Callable[..., Any]:
    """The cell's step, compiled where that is possible; the same numbers either way, up to rounding."""
    if not available():
        return cell.step
    kind = type(cell)
    if kind not in _COMPILED:
        _COMPILED[kind] = torch.compile(kind.step, dynamic=kind.dynamic_shapes)
    return functools.partial(_COMPILED[kind], cell)
