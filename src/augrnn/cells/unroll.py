"""`unroll`, the one loop over time."""

# T = time steps, B = batch, I = input, O = output

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from augrnn.cells.cell import Cell, State
from augrnn.cells.compilation import stepper

Keep = Callable[[Any], Any]
"""From the record of a step to the part of it that a trace keeps: a tensor, or any tree of tensors."""


class Unrolled(NamedTuple):
    """What `unroll` gives: outputs (T, B, O), the last state, and the trace where one was kept.

    The trace is what was kept of the cell's records, with time before the batch in each tensor: (T, B, ...).
    """

    y_TBO: Tensor
    state: State
    trace: Any


def unroll(cell: Cell, inputs: Tensor | int, state: State = None, keep: bool | Keep = False) -> Unrolled:
    """Run a cell over a sequence.

    Args:
      cell: any Cell. Its step runs compiled in training where a compiler is there and the cell allows it.
      inputs: one for each step, (T, B, I), at least one step; or the number of steps of a cell that takes no input,
        whose `step` then gets None.
      state: where to start; the cell's own initial state when None, which a number of steps is not enough for.
      keep: also stack over time what was recorded: True for whole records, or a function that gives the part to keep.

    Raises:
      ValueError: there are no steps, or there is nothing to start from.
    """
    steps = inputs if isinstance(inputs, int) else len(inputs)
    if steps < 1:
        raise ValueError(f"a cell is unrolled over at least one step, not {steps}")
    if isinstance(inputs, int):
        if state is None:
            raise ValueError("a number of steps says nothing of the batch: give the state to start from")
        projected: tuple[Tensor | None, ...] = (None,) * steps
    else:
        p_TBP = cell.project(inputs)
        state = cell.initial_state(inputs.shape[1]) if state is None else state
        together = all(leaf.shape[:1] == inputs.shape[1:2] for leaf in pytree.tree_leaves(state))
        if together and keep and (recorded := cell.recorded_sequence(p_TBP, state)):
            h_TBH, state, records = recorded
            return Unrolled(cell.read_out(h_TBH), state, records if keep is True else _kept(keep, records))
        if together and not keep and (whole := cell.sequence(p_TBP, state)):
            return Unrolled(cell.read_out(whole[0]), whole[1], None)
        projected = p_TBP.unbind(0)
    step = stepper(cell)
    emitted, kept = [], []
    for p_BP in projected:
        h_BH, state = step(p_BP, state)
        emitted.append(h_BH)
        if keep:
            record = cell.record(state)
            kept.append(record if keep is True else keep(record))
    trace = _stacked(kept) if keep else None
    return Unrolled(cell.read_out(torch.stack(emitted)), state, trace)


def _kept(keep: Keep, records: Any) -> Any:
    """What a function keeps of each of the records that are given as one."""
    leaves, form = pytree.tree_flatten(records)
    each = zip(*(leaf.unbind(0) for leaf in leaves), strict=True)
    return _stacked([keep(pytree.tree_unflatten(list(parts), form)) for parts in each])


def _stacked(kept: list[Any]) -> Any:
    return pytree.tree_map(lambda *steps: torch.stack(steps), *kept)
