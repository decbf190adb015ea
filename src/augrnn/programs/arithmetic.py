"""Programs of arithmetic: the simple Neural Programmer of "Attention and Augmented Recurrent Neural Networks"."""

# T = time steps, B = batch, I = input, H = hidden, S = scores of all choices, V = operations, W = earlier results,
# K = operands = 1 + W

from typing import NamedTuple

import torch
from torch import Tensor, nn

from augrnn.cells.cell import Cell, require_sizes
from augrnn.cells.lstm import LSTM, LSTMState
from augrnn.programs.choices import Chooser
from augrnn.soft import mix

OPERATIONS = ("add", "subtract", "multiply", "keep", "negate")
"""What each operation is called, in the order of their weights."""


def results(left_B: Tensor, right_B: Tensor) -> Tensor:
    """What each of the OPERATIONS gives of two numbers, (B, V): l + r, l - r, l r, l and -l."""
    return torch.stack([left_B + right_B, left_B - right_B, left_B * right_B, left_B, -left_B], dim=-1)


class ArithmeticState(NamedTuple):
    """What a program has done.

    Attributes:
      controller: of the LSTM.
      results_BW: results of the last W steps, the newest first; zeros before the first step.
      operation_BV: weights of the OPERATIONS.
      left_BK, right_BK: weights of the operands: the number that is read, and the results of 1, 2, ... steps ago.
    """

    controller: LSTMState
    results_BW: Tensor
    operation_BV: Tensor
    left_BK: Tensor
    right_BK: Tensor


class ArithmeticProgram(Cell, Chooser):
    """Reads an expression symbol by symbol, and at each step runs one operation on earlier results.

    A controller sees which symbol is read, but no number. It chooses an operation and two operands: the number that is
    read, or the result of a step up to W steps ago. All operations are run on the weighted operands, and their results
    weighted (`augrnn.soft`). As every operation is linear in each operand, that is the mean over all programs of a step
    when its three choices are independent. The output is the result of the step.

    Args:
      input_size: I, the kinds of symbols, as one-hot vectors, and last the number that is read (0 for others).
      hidden_size: H, of the controller.
      window: W.
    """

    output_size = 1

    def __init__(self, input_size: int, hidden_size: int = 32, window: int = 2) -> None:
        super().__init__()
        require_sizes("a program", input_size=input_size - 1, hidden_size=hidden_size, window=window)
        self.input_size, self.window = input_size, window
        self.controller = LSTM(input_size - 1, hidden_size)
        self.chooser = nn.Linear(hidden_size, len(OPERATIONS) + 2 * (1 + window))
        nn.init.zeros_(self.chooser.bias)

    def initial_state(self, batch_size: int) -> ArithmeticState:
        weight = self.chooser.weight
        results_BW = weight.new_zeros(batch_size, self.window)
        operands_BK = weight.new_zeros(batch_size, 1 + self.window)
        operation_BV = weight.new_zeros(batch_size, len(OPERATIONS))
        controller = self.controller.initial_state(batch_size)
        return ArithmeticState(controller, results_BW, operation_BV, operands_BK, operands_BK)

    def project(self, x: Tensor) -> Tensor:
        return torch.cat([self.controller.project(x[..., :-1]), x[..., -1:]], dim=-1)

    def step(self, p_BP: Tensor, state: ArithmeticState) -> tuple[Tensor, ArithmeticState]:
        hidden_BH, controller = self.controller.step(p_BP[:, :-1], state.controller)
        operands_BK = torch.cat([p_BP[:, -1:], state.results_BW], dim=-1)
        sizes = [len(OPERATIONS), operands_BK.shape[1], operands_BK.shape[1]]
        operation_BV, left_BK, right_BK = map(self.weights, self.chooser(hidden_BH).split(sizes, dim=-1))
        operands_BK1 = operands_BK.unsqueeze(-1)
        each_BV = results(mix(left_BK, operands_BK1).squeeze(-1), mix(right_BK, operands_BK1).squeeze(-1))
        result_B1 = mix(operation_BV, each_BV.unsqueeze(-1))
        results_BW = torch.cat([result_B1, state.results_BW[:, :-1]], dim=-1)
        return result_B1, ArithmeticState(controller, results_BW, operation_BV, left_BK, right_BK)
