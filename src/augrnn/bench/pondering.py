"""The benchmark's rows of inner steps: each wrapper beside `Repeat`, that beside the cell alone, and halted samples."""

# T = time steps, B = batch, I = input channels, H = hidden

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from augrnn.bench.rows import Row, named, rate, updater
from augrnn.cells.act import ACT
from augrnn.cells.cell import Cell, affine
from augrnn.cells.inner_steps import Pondering
from augrnn.cells.lstm import LSTM
from augrnn.cells.ponder_net import PonderNet
from augrnn.cells.repeat import Repeat
from augrnn.cells.unroll import Keep, unroll

STEPS, CHANCE = 3, 0.4
"""Inner steps, and the halting probability with which ACT takes so many."""

SIZES = ((128, 16, 10, 102), (512, 32, 5, 50))
"""H, B, T and I of logic and of addition in Graves 2016."""

SHORT, LONG = 0.55, 0.0505
"""Halting probabilities with which ACT takes 2 steps and 20."""


class MarkState(NamedTuple):
    """Attributes: inner, the cell's own; logit_B1, of halting."""

    inner: Any
    logit_B1: Tensor


class Marked(Cell):
    """A cell whose state says how soon a sample halts: one in ten takes long. It emits that after its own output.

    Like the plain cell in it, it is not compiled as an inner step: else no sample would leave.
    """

    one_program = False

    def __init__(self, cell: Cell) -> None:
        super().__init__()
        self.cell, self.input_size, self.output_size = cell, cell.input_size, cell.output_size + 1

    def initial_state(self, batch_size: int) -> MarkState:
        chance_B1 = next(self.parameters()).new_full((batch_size, 1), SHORT)
        chance_B1[::10] = LONG
        return MarkState(self.cell.initial_state(batch_size), chance_B1.logit())

    @affine
    def project(self, x: Tensor) -> Tensor:
        return self.cell.project(x)

    def step(self, p_BP: Tensor, state: MarkState) -> tuple[Tensor, MarkState]:
        h_BH, inner = self.cell.step(p_BP, state.inner)
        return torch.cat([h_BH, state.logit_B1], dim=-1), state._replace(inner=inner)


class Staying(ACT):
    """ACT with halted samples in the batch to the end."""

    def compacts(self, left: int, rows: int, idle: int) -> bool:
        return False


def _halting(record: Any) -> Tensor:
    steps_B: Tensor = record.steps_B
    return steps_B if not hasattr(record, "remainder_B") else steps_B + record.remainder_B


def cell_update(
    cell: Cell, batch: int, steps: int, set_halting: Callable[[nn.Linear], Any] | None = None
) -> Callable[[int], int]:
    """An update of a cell on made-up sequences, by its number; gives the inputs that it was of.

    Args:
      cell: the cell.
      batch: B.
      steps: T.
      set_halting: sets its halting unit before each update, so that it takes the same number of steps.
    """
    x_TBI = torch.randn(steps, batch, cell.input_size, device=next(cell.parameters()).device)
    keep: Keep | bool = _halting if isinstance(cell, Pondering) else False

    def cost(number: int) -> tuple[Tensor, int]:
        if set_halting is not None:
            assert isinstance(cell, Pondering)
            with torch.no_grad():
                set_halting(cell.halting_unit)
        found = unroll(cell, x_TBI, keep=keep)
        value = found.y_TBO.square().mean()
        return value if found.trace is None else value + 0.01 * found.trace.mean(), steps * batch

    return updater(cell, cost)


def _even(unit: nn.Linear) -> None:
    nn.init.zeros_(unit.weight)
    nn.init.constant_(unit.bias, float(torch.tensor(CHANCE).logit()))


def _as_marked(unit: nn.Linear) -> None:
    nn.init.zeros_(unit.weight)
    nn.init.ones_(unit.weight[:, -1:])
    nn.init.zeros_(unit.bias)


def speeds(seconds: float) -> Iterator[Row]:
    """The rows, on the CPU.

    Args:
      seconds: how long each figure is measured.
    """
    device = torch.device("cpu")
    for hidden, batch, steps, inputs in SIZES:
        bare, repeat, act, net, compact, staying = (
            rate(update, device, seconds)
            for update in (
                cell_update(LSTM(inputs, hidden), batch, steps),
                cell_update(Repeat(LSTM(inputs + 1, hidden), STEPS), batch, steps),
                cell_update(ACT(LSTM(inputs + 1, hidden)), batch, steps, _even),
                cell_update(PonderNet(LSTM(inputs + 1, hidden), cap=STEPS), batch, steps),
                cell_update(ACT(Marked(LSTM(inputs + 1, hidden))), batch, steps, _as_marked),
                cell_update(Staying(Marked(LSTM(inputs + 1, hidden))), batch, steps, _as_marked),
            )
        )
        for name, value, reference in (
            (f"Repeat, {STEPS} steps", repeat, bare),
            (f"ACT, {STEPS} steps", act, repeat),
            (f"PonderNet, {STEPS} steps", net, repeat),
            ("ACT, one sample in ten ponders 10 times longer", compact, staying),
        ):
            yield Row(f"LSTM of {hidden}, {name}", named(device), batch, value, "inputs/s", reference)
