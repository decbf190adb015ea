"""ACT, PonderNet and Repeat written from the papers: one sample, one step, one number at a time."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from augrnn.cells.cell import Cell
from augrnn.cells.dnc import DNC
from augrnn.cells.feedforward import Feedforward
from augrnn.cells.gru import GRU
from augrnn.cells.lstm import LSTM, GravesLSTM, StackedLSTM
from augrnn.cells.ntm import NTM
from augrnn.cells.rnn import RNN

INPUT = 3
"""Input channels of what the wrappers go around, the flag included."""


class Curved(LSTM):
    """An LSTM whose input and output go through a nonlinearity that nothing may be taken out of."""

    def project(self, x: Tensor) -> Tensor:
        return self.from_input(x).tanh()

    def read_out(self, h: Tensor) -> Tensor:
        return self.output(h).square()


CELLS: dict[str, Callable[[], Cell]] = {
    "rnn": lambda: RNN(INPUT, 4, 2),
    "lstm": lambda: LSTM(INPUT, 4, 2),
    "stacked": lambda: StackedLSTM(INPUT, 4, 2),
    "graves": lambda: GravesLSTM(INPUT, 2, 4, 2),
    "gru": lambda: GRU(INPUT, 4),
    "gru-norm": lambda: GRU(INPUT, 4, layer_norm=True),
    "curved": lambda: Curved(INPUT, 4, 2),
    "ntm": lambda: NTM(INPUT, 2, lambda size: LSTM(size, 5), heads=2, rows=4, width=3, memory="random"),
    "ntm-feedforward": lambda: NTM(INPUT, 2, lambda size: Feedforward(size, 5), rows=4, width=3),
    "dnc": lambda: DNC(INPUT, 2, lambda size: LSTM(size, 5), read_heads=2, rows=4, width=3),
}


class Step(NamedTuple):
    """One inner step of one sample: the output, the state, and the chance to halt."""

    y_O: Tensor
    state: Any
    halting: Tensor


def inner_steps(cell: Cell, unit: torch.nn.Linear, x_I: Tensor, state: Any, most: int) -> Sequence[Step]:
    """Inner steps 1 to `most` on one input."""
    found = []
    for n in range(1, most + 1):
        flag_1 = x_I.new_tensor([1.0 if n == 1 else 0.0])
        flagged_1I = torch.cat([x_I, flag_1]).unsqueeze(0)
        h_1H, after = cell.step(cell.project(flagged_1I), state)
        y_1O, state = cell(flagged_1I, state)
        for one, other in zip(pytree.tree_leaves(after), pytree.tree_leaves(state), strict=True):
            assert torch.equal(one, other)
        total = (unit.weight[0] * h_1H[0]).sum() + unit.bias[0]
        found.append(Step(y_1O[0], state, 1 / (1 + (-total).exp())))
    return found


def averaged(weights: Sequence[Any], trees: Sequence[Any]) -> Any:
    """The weighted sum of trees of tensors."""

    def average(*leaves: Tensor) -> Tensor:
        if not leaves[0].is_floating_point():
            return leaves[0]
        return sum((w * leaf for w, leaf in zip(weights, leaves, strict=True)), torch.zeros_like(leaves[0]))

    return pytree.tree_map(average, *trees)


class Told(NamedTuple):
    """What a wrapper did for one sample at one step in time."""

    y_O: Tensor
    steps: int
    remainder: Tensor
    halting: list[Tensor]


def act(
    cell: Cell, unit: torch.nn.Linear, x_TI: Tensor, epsilon: float, cap: int, state: Any = None
) -> tuple[list[Told], Any]:
    """Graves 2016, Eqs. 3 to 9 and 13, on one sequence: what was done at each step in time, and the last state."""
    state, told = state or cell.initial_state(1), []
    for x_I in x_TI:
        steps = inner_steps(cell, unit, x_I, state, cap)
        n, total = 0, 0.0
        while True:
            n += 1
            total = total + steps[n - 1].halting.item()
            if total >= 1 - epsilon or n == cap:
                break
        before = [step.halting for step in steps[: n - 1]]
        remainder = 1 - sum(before, x_TI.new_zeros(()))
        weights = [*before, remainder]
        state = averaged(weights, [step.state for step in steps[:n]])
        y_O = averaged(weights, [step.y_O for step in steps[:n]])
        told.append(Told(y_O, n, remainder, [step.halting for step in steps[:n]]))
    return told, state


class Expected(NamedTuple):
    """What PonderNet gives for one sample at one step in time: the chance of each step, and its output."""

    p: list[Tensor]
    outputs: list[Tensor]


def ponder_net(cell: Cell, unit: torch.nn.Linear, x_TI: Tensor, cap: int) -> tuple[list[Expected], Any]:
    """Banino et al. 2021, Eqs. 1 and 2, what is left given to the last step; the expected state goes on."""
    state, told = cell.initial_state(1), []
    for x_I in x_TI:
        steps, left, p = inner_steps(cell, unit, x_I, state, cap), x_I.new_ones(()), []
        for n, step in enumerate(steps, 1):
            p.append(left if n == cap else left * step.halting)
            left = left * (1 - step.halting)
        told.append(Expected(p, [step.y_O for step in steps]))
        state = averaged(p, [step.state for step in steps])
    return told, state


def assert_same_gradients(value: Tensor, expected: Tensor, parameters: Sequence[Tensor]) -> None:
    """Both depend on the same parameters, and in the same way."""
    ours = torch.autograd.grad(value, parameters, allow_unused=True)
    theirs = torch.autograd.grad(expected, parameters, allow_unused=True)
    for one, other in zip(ours, theirs, strict=True):
        if one is None or other is None:
            assert one is other
        else:
            torch.testing.assert_close(one, other)
