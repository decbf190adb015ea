"""The objective of adaptive computation time: what the task costs, and tau times what pondering costs."""

# T = time steps, B = batch

from typing import Any, Literal, get_args

import torch
from torch import Tensor

from augrnn.batches import CostedBatch
from augrnn.cells.cell import require_sizes
from augrnn.cells.unroll import Unrolled
from augrnn.counts import is_finite
from augrnn.errors import UserError
from augrnn.objectives.cross_entropy import NATS_PER_BIT
from augrnn.objectives.objective import Loss, Objective

Convention = Literal["sums", "means", "mean_ponder"]
"""How the costs of a sequence's steps are put together; see PonderCost."""


def papers_tau(tau: float, convention: Convention, steps: int, outputs: int) -> float:
    """The tau that means the same in the paper's convention, "sums".

    Args:
      tau: in the other convention.
      convention: that one.
      steps: in time of a sequence.
      outputs: that its cost is of.

    Raises:
      ValueError: there is no such tau or convention, or a size is no whole number of at least 1.
    """
    _require(tau, convention)
    require_sizes("a sequence", steps=steps, outputs=outputs)
    return tau * {"sums": 1.0, "means": outputs / steps, "mean_ponder": 1 / steps}[convention]


def _require(tau: float, convention: Convention) -> None:
    if not is_finite(tau) or tau < 0:
        raise ValueError(f"a ponder cost needs a finite tau of at least 0, not {tau!r}")
    if convention not in get_args(Convention):
        raise ValueError(f"a ponder cost is put together by {', '.join(get_args(Convention))}, not {convention}")


class PonderCost(Objective):
    """The loss of Graves 2016 (Eqs. 10 to 12): L(x, y) + tau P(x), with P(x) the sum over time of N(t) + R(t).

    N is constant in the gradient, so that dP/dh^n is -1 for n < N and 0 for n = N (Eq. 14).

    Logged: `cost_bits`, what the task costs a sequence; `ponder`, the mean number of inner steps N of a step in time.

    Args:
      tau: the time penalty, in the unit of `convention`.
      convention: "sums" is the paper's: cost and pondering of a sequence are summed over its steps. In others a tau has
        another meaning, which `papers_tau` tells. "means": the cost is a mean over a sequence's outputs, and pondering
        one over its steps in time (Fojo et al. 2018, and most public code). "mean_ponder": the cost is summed, and
        pondering a mean.
    """

    def __init__(self, tau: float, convention: Convention = "sums") -> None:
        super().__init__()
        _require(tau, convention)
        self.tau, self.convention = tau, convention

    @staticmethod
    def keep(record: Any) -> tuple[Tensor, Tensor]:
        if not hasattr(record, "remainder_B"):
            raise UserError("a ponder cost needs a cell with a remainder, such as augrnn.cells.ACT")
        return record.steps_B, record.remainder_B

    def forward(self, batch: CostedBatch, given: Unrolled) -> Loss:
        steps_TB, remainder_TB = given.trace
        cost_B = batch.step_costs(given.y_TBO).sum(0)
        ponder_B = (steps_TB + remainder_TB).sum(0)
        times_B = (steps_TB > 0).sum(0)
        logged = {"cost_bits": cost_B.mean() / NATS_PER_BIT, "ponder": steps_TB.sum() / times_B.sum()}
        if self.convention == "means":
            cost_B = cost_B / batch.scored_outputs
        if self.convention != "sums":
            ponder_B = ponder_B / times_B
        value = (cost_B + self.tau * ponder_B).mean()
        return Loss(value, {name: torch.as_tensor(number).detach() for name, number in logged.items()})
