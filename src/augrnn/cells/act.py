"""Adaptive computation time (Graves 2016, arXiv 1603.08983): how many steps an input takes is learned."""

# ... = any leading dimensions, B = batch, P = projected input, F = of the flag, H = what an inner step emits,
# N = inner steps taken, M = the cap

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from augrnn.cells import recurrent_sequence
from augrnn.cells.cell import Cell, State
from augrnn.cells.inner_steps import Pondering, Taken
from augrnn.cells.lstm import LSTM
from augrnn.cells.rnn import RNN
from augrnn.cells.whole_sequences import possible
from augrnn.counts import is_finite


class ACTState(NamedTuple):
    """What ACT carries from step to step in time, and what there is to see of it.

    Attributes:
      inner: the mean-field state of the inner cell, s_t.
      steps_B: N(t), the inner steps taken; 0 for padding.
      remainder_B: R(t), with its gradient; 0 for padding.
      halting_BM: the halting probabilities h_t^1 to h_t^N(t), then zeros; without gradient.
      left_B: steps in time that the sample still has before its padding.
      flag_BF: what the flag adds to a projected input; a trace has none.
    """

    inner: State
    steps_B: Tensor
    remainder_B: Tensor
    halting_BM: Tensor
    left_B: Tensor
    flag_BF: Tensor


class ACT(Pondering):
    """Adaptive computation time around any cell.

    With s^n and y^n the state and output of the inner cell after n steps on the same input, and
    h^n = sigmoid(W_h s^n + b_h), it halts after

      N = min(M, min{n: h^1 + ... + h^n >= 1 - epsilon})

    steps; with the remainder R = 1 - (h^1 + ... + h^(N-1)), state and output are the means of s^n and y^n with the
    weights h^1, ..., h^(N-1), R (Eqs. 3 to 9 and 13). The sum is in the order of the steps, in the precision of the
    weights: with epsilon .1 and every h = .1 that is N = 9 in float32 and 10 in float64. The halting unit sees what a
    step of the inner cell emits; the mean is of all that its state holds, an LSTM's memory cells too.

    A sample's padding (see `begin`) takes no inner steps and leaves its state as it is. The ponder cost is
    `augrnn.objectives.ponder_cost.PonderCost`.

    Args:
      cell: the inner cell, made for one input channel more than ACT has, the flag.
      epsilon: in (0, 1); lets one step be enough.
      cap: M.
      halting_size: size of what a step of the cell emits; found by a step, and to be given for a decoder only.
      bias: b_h at first.
    """

    def __init__(
        self, cell: Cell, epsilon: float = 0.01, cap: int = 100, halting_size: int | None = None, bias: float = 1.0
    ) -> None:
        super().__init__("ACT", cell, cap, halting_size, bias)
        if not is_finite(epsilon) or not 0 < epsilon < 1:
            raise ValueError(f"ACT needs an epsilon between 0 and 1, not {epsilon!r}")
        self.epsilon = epsilon

    def start(self, inner: State, batch_size: int, lengths_B: Tensor | None = None) -> ACTState:
        left_B = self.left(batch_size, lengths_B)
        zeros_B = torch.zeros_like(left_B)
        return ACTState(
            inner, zeros_B, zeros_B, left_B.new_zeros(batch_size, self.cap), left_B, self.flag(batch_size, left_B)
        )

    def step(self, p_BP: Tensor, state: ACTState) -> tuple[Tensor, ACTState]:
        taken = self.take(p_BP, state, torch.add, 1 - self.epsilon)
        halting_NB, weights_NB, remainder_B = shares(taken)
        emitted, inner = self.after(taken, weights_NB, state)
        halting_BM = F.pad(halting_NB.t(), (0, self.cap - len(halting_NB)))
        return emitted, ACTState(
            inner, taken.running_NB.sum(0), remainder_B, halting_BM, state.left_B - 1, state.flag_BF
        )

    def recorded_sequence(self, p_TBP: Tensor, state: ACTState) -> tuple[Tensor, ACTState, ACTState] | None:
        cell: Any = self.cell
        if not (type(self) is ACT and type(cell) in (LSTM, RNN) and recurrent_sequence.available()):
            return None
        if not possible(self, ACT.step, [cell.from_hidden, self.halting_unit], (p_TBP, state)):
            return None
        layer, halting = [*cell.from_hidden.parameters()], [*self.halting_unit.parameters()]
        if not recurrent_sequence.fits(p_TBP, layer, *state.inner) or len(halting) != 2:
            return None
        if state.flag_BF.shape != p_TBP.shape[1:] or state.left_B.shape != p_TBP.shape[1:2]:
            return None
        found = recurrent_sequence.act_sequence(
            p_TBP,
            state.flag_BF,
            layer,
            halting,
            state.inner.hidden_BH,
            state.inner.cell_BH if type(cell) is LSTM else None,
            state.left_B,
            1 - self.epsilon,
            self.cap,
        )
        states = [found.hidden_TBH, *([found.cell_TBH] if type(cell) is LSTM else [])]
        left_TB = state.left_B - torch.arange(1, len(p_TBP) + 1).unsqueeze(1)
        none_TB0 = found.steps_TB.new_empty(*found.steps_TB.shape, 0)
        records = ACTState(
            type(state.inner)(*states), found.steps_TB, found.remainder_TB, found.halting_TBM, left_TB, none_TB0
        )
        last_inner = type(state.inner)(*(each[-1] for each in states))
        steps_B, remainder_B, halting_BM, left_B = (each[-1] for each in records[1:5])
        last = ACTState(last_inner, steps_B, remainder_B, halting_BM, left_B, state.flag_BF)
        real_TB = found.steps_TB > 0
        return found.hidden_TBH if real_TB.all() else found.hidden_TBH * real_TB.unsqueeze(-1), last, records

    def record(self, state: ACTState) -> ACTState:
        """All but the flag, and what the inner cell leaves out."""
        return state._replace(
            inner=self.cell.record(state.inner), flag_BF=state.flag_BF.new_empty(len(state.left_B), 0)
        )


def shares(taken: Taken) -> tuple[Tensor, Tensor, Tensor]:
    """h^n without its gradient, 0 after the last step, (N, B); p^n, the weights of the mean (Eq. 6); and R, (B,)."""
    halting_NB = taken.logits_NB.sigmoid()
    before_NB = halting_NB * taken.on_NB
    remainder_B = taken.running_NB[0] - before_NB.sum(0)
    weights_NB = torch.addcmul(before_NB, remainder_B, taken.running_NB - taken.on_NB)
    return halting_NB.detach() * taken.running_NB, weights_NB, remainder_B
