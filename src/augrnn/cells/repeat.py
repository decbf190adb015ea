"""A fixed number of steps for each input, the rival of adaptive computation time (Fojo et al. 2018)."""

# B = batch, T = time steps, P = projected input, F = of the flag, H = what a step emits

from typing import NamedTuple

import torch
from torch import Tensor

from augrnn.batches import Batch
from augrnn.cells.cell import Cell, State, require_sizes
from augrnn.cells.inner_steps import InnerSteps


class RepeatState(NamedTuple):
    """Attributes: inner, the state of the inner cell; flag_BF, what the flag adds to a projected input."""

    inner: State
    flag_BF: Tensor


class Repeat(InnerSteps):
    """A cell that takes the same number of inner steps for each input; what counts is the last one's state and output.

    Args:
      cell: the inner cell, made for one input channel more than Repeat has: the flag, as in ACT.
      steps: inner steps.
    """

    def __init__(self, cell: Cell, steps: int) -> None:
        super().__init__("Repeat", cell)
        require_sizes("Repeat", steps=steps)
        self.steps = steps

    def initial_state(self, batch_size: int) -> RepeatState:
        return self.start(self.cell.initial_state(batch_size), batch_size)

    def begin(self, batch: Batch) -> RepeatState:
        return self.start(self.cell.begin(batch), batch.size)

    def start(self, inner: State, batch_size: int) -> RepeatState:
        """The state before the first step in time, from that of the inner cell."""
        return RepeatState(inner, self.flag(batch_size, next(self.parameters())))

    def step(self, p_BP: Tensor, state: RepeatState) -> tuple[Tensor, RepeatState]:
        step, inner = self.stepper(), state.inner
        p_BP, later_BP = self.inputs(p_BP, state.flag_BF)
        for _ in range(self.steps):
            h_BH, inner = step(p_BP, inner)
            p_BP = later_BP
        return h_BH, RepeatState(inner, state.flag_BF)

    def sequence(self, p_TBP: Tensor, state: RepeatState) -> tuple[Tensor, RepeatState] | None:
        first_TBP, later_TBP = self.inputs(p_TBP, state.flag_BF)
        repeated = torch.stack([first_TBP, *[later_TBP] * (self.steps - 1)], dim=1).flatten(0, 1)
        found = self.cell.sequence(repeated, state.inner)
        if found is None:
            return None
        return found[0][self.steps - 1 :: self.steps], RepeatState(found[1], state.flag_BF)

    def read_out(self, h: Tensor) -> Tensor:
        return self.cell.read_out(h)

    def record(self, state: RepeatState) -> RepeatState:
        """All but the flag."""
        return RepeatState(self.cell.record(state.inner), state.flag_BF.new_empty(len(state.flag_BF), 0))
