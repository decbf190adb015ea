"""PonderNet (Banino, Balaguer and Blundell 2021, arXiv 2107.05407): halting as a random variable."""

# ... = any leading dimensions, B = batch, P = projected input, F = of the flag, H = what an inner step emits,
# O = output, M = the cap

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from augrnn.cells.cell import Cell, State
from augrnn.cells.inner_steps import Pondering


class PonderNetState(NamedTuple):
    """What PonderNet carries from step to step in time, and what there is to see of it.

    Attributes:
      inner: the state of the inner cell, in training the expected one.
      steps_B: the inner steps taken, in training the expected number; 0 for padding.
      halting_BM: lambda_1, ..., lambda_M, the chance to halt at a step that is reached; 1 at the last in training, 0
        beyond the step at which the sample halted in evaluation.
      log_p_BM: in training, log p_n, of the chance to halt at step n; (B, 0) in evaluation.
      outputs_BMO: in training, the output of each inner step; (B, 0, O) in evaluation.
      left_B: steps in time that the sample still has before its padding.
      flag_BF: what the flag adds to a projected input; a trace has none.
    """

    inner: State
    steps_B: Tensor
    halting_BM: Tensor
    log_p_BM: Tensor
    outputs_BMO: Tensor
    left_B: Tensor
    flag_BF: Tensor


class PonderNet(Pondering):
    """PonderNet around any cell.

    The inner cell gives at step n an output y_n and the chance lambda_n to halt there, so that it halts at step n with
    p_n = lambda_n (1 - lambda_1) ... (1 - lambda_(n-1)) (Eqs. 1 and 2); what is left at step M belongs to that step,
    the second of the two ways of section 2.3.
    Training takes all M steps: the loss is the expected one (`augrnn.objectives.expected_loss.ExpectedLoss`). In
    evaluation halting is drawn step by step, from torch's global generator, and the last step's output and state
    count.

    The paper has single inputs. Over a sequence the state handed on in training is the expected one, sum_n p_n s_n,
    as is the output that `step` gives. A sample's padding takes no steps.

    Args:
      cell: the inner cell, made for one input channel more than PonderNet has: the flag, as in ACT.
      cap: M.
      halting_size: size of what a step of the cell emits; found by a step, and to be given for a decoder only.
      bias: of the halting unit at first.
    """

    def __init__(self, cell: Cell, cap: int = 20, halting_size: int | None = None, bias: float = 0.0) -> None:
        super().__init__("PonderNet", cell, cap, halting_size, bias)

    def start(self, inner: State, batch_size: int, lengths_B: Tensor | None = None) -> PonderNetState:
        left_B = self.left(batch_size, lengths_B)
        empty_B0 = left_B.new_zeros(batch_size, 0)
        return PonderNetState(
            inner,
            torch.zeros_like(left_B),
            left_B.new_zeros(batch_size, self.cap),
            empty_B0,
            empty_B0.unsqueeze(-1),
            left_B,
            self.flag(batch_size, left_B),
        )

    def step(self, p_BP: Tensor, state: PonderNetState) -> tuple[Tensor, PonderNetState]:
        return self._all(p_BP, state) if self.training else self._sampled(p_BP, state)

    def _all(self, p_BP: Tensor, state: PonderNetState) -> tuple[Tensor, PonderNetState]:
        taken = self.take(p_BP, state, None)
        real_B = state.left_B > 0
        log_p_MB = log_halting(taken.logits_NB)
        p_MB = log_p_MB.exp() * real_B
        emitted, inner = self.after(taken, p_MB, state)
        number_M = torch.arange(1, self.cap + 1, device=p_MB.device)
        halting_MB = F.pad(taken.logits_NB[:-1].detach().sigmoid(), (0, 0, 0, 1), value=1.0) * real_B
        outputs_MBO = self.cell.read_out(taken.stacked[0])
        return emitted, PonderNetState(
            inner,
            number_M.to(p_MB) @ p_MB,
            halting_MB.t(),
            log_p_MB.t(),
            outputs_MBO.transpose(0, 1),
            state.left_B - 1,
            state.flag_BF,
        )

    def _sampled(self, p_BP: Tensor, state: PonderNetState) -> tuple[Tensor, PonderNetState]:
        taken = self.take(p_BP, state, _drawn)
        emitted, inner = self.after(taken, taken.running_NB - taken.on_NB, state)
        halting_NB = taken.logits_NB.sigmoid() * taken.running_NB
        halting_BM = F.pad(halting_NB.t(), (0, self.cap - len(halting_NB)))
        return emitted, state._replace(
            inner=inner, steps_B=taken.running_NB.sum(0), halting_BM=halting_BM, left_B=state.left_B - 1
        )

    def record(self, state: PonderNetState) -> PonderNetState:
        """All but the flag, and what the inner cell leaves out."""
        return state._replace(
            inner=self.cell.record(state.inner), flag_BF=state.flag_BF.new_empty(len(state.left_B), 0)
        )


def _drawn(halting_b: Tensor, near_b: Tensor) -> Tensor:
    return near_b.masked_fill(torch.rand_like(halting_b) < halting_b, torch.inf)


def log_halting(logits_MB: Tensor) -> Tensor:
    """The logarithm of p_n = lambda_n prod_{j<n} (1 - lambda_j), and of all that is left at step M, from logits."""
    reached_MB = F.pad(F.logsigmoid(-logits_MB[:-1]).cumsum(0), (0, 0, 1, 0))
    return reached_MB + F.pad(F.logsigmoid(logits_MB[:-1]), (0, 0, 0, 1))
