"""`unroll`, the one loop over time."""

# T = time steps, B = batch, I = input, O = output

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from augrnn.cells.cell import Cell, State
from augrnn.cells.compilation import compiled


class Unrolled(NamedTuple):
    """What `unroll` gives: outputs (T, B, O), the last state, and the trace where it was kept.

    The trace is the cell's record with time before the batch in each tensor: (T, B, ...).
    """

    y_TBO: Tensor
    state: State
    trace: Any


def unroll(cell: Cell, x_TBI: Tensor, state: State = None, keep: bool = False) -> Unrolled:
    """Run a cell over a sequence.

    Args:
      cell: any Cell. Its step runs compiled while the cell is in training mode and a compiler is there.
      x_TBI: inputs, time first, at least one step.
      state: where to start; the cell's own initial state when None.
      keep: also stack the recorded states over time into a trace.
    """
    if state is None:
        state = cell.initial_state(x_TBI.shape[1])
    step = compiled(cell) if cell.training and torch.is_grad_enabled() else cell.step
    emitted, records = [], []
    for p_BP in cell.project(x_TBI).unbind(0):
        h_BH, state = step(p_BP, state)
        emitted.append(h_BH)
        if keep:
            records.append(cell.record(state))
    trace = pytree.tree_map(lambda *steps: torch.stack(steps), *records) if keep else None
    return Unrolled(cell.read_out(torch.stack(emitted)), state, trace)
