"""Compiling the step of a cell: by default wherever a compiler is found, eagerly with one warning where not."""

import functools
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch._dynamo.exc import BackendCompilerFailed
from torch._inductor.exc import InductorError
from torch._inductor.runtime.cache_dir_utils import cache_dir

from augrnn.cells.cell import Cell
from augrnn.native import SWITCH, compiler

EAGERLY = f"recurrent steps run eagerly, two to three times slower ({SWITCH}=0 leaves this warning out)"


LONG = "20 to 60 seconds"
"""How long the first training on a machine waits for the compiler."""

_BROKEN: list[str] = []
"""Why no step is compiled any more in this process, where a compilation has failed."""


@functools.cache
def available() -> bool:
    """Whether steps are compiled in this process; warns once where the compiler is missing."""
    if os.environ.get(SWITCH, "1") == "0":
        return False
    if compiler() is not None:
        return True
    warnings.warn(f"no C++ compiler found: {EAGERLY}", stacklevel=2)
    return False


def _give_up(error: Exception) -> None:
    """Run everything eagerly from now on, and say why once."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if "error: " in line] or [" ".join(lines[:2])]
    _BROKEN.append(told[0])
    warnings.warn(f"the compiler cannot build ({told[0][:200]}): {EAGERLY}", stacklevel=3)


def _compiled(kind: type[Cell]) -> Callable[..., Any]:
    """The compiled step of a kind of cell; the step itself once the compiler has failed."""
    step = torch.compile(kind.step, dynamic=kind.dynamic_shapes)
    if not os.path.isdir(os.path.join(cache_dir(), "fxgraph")):
        print(f"augrnn: compiling the step of {kind.__name__}, once on this machine: {LONG}", file=sys.stderr)

    def compiled_or_not(*arguments: Any) -> Any:
        if not _BROKEN:
            try:
                return step(*arguments)
            except (InductorError, BackendCompilerFailed) as error:
                _give_up(error)
        return kind.step(*arguments)

    return compiled_or_not


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
        _COMPILED[kind] = _compiled(kind)
    return functools.partial(_COMPILED[kind], cell)
