"""The objective of PonderNet: the expected cost over the step that halts, and how far halting is from a prior."""

# T = time steps, B = batch, M = the cap on inner steps, O = outputs

import math
from typing import Any

import torch
from torch import Tensor

from augrnn.batches import CostedBatch
from augrnn.cells.unroll import Unrolled
from augrnn.counts import is_finite
from augrnn.errors import UserError
from augrnn.objectives.cross_entropy import NATS_PER_BIT
from augrnn.objectives.objective import Loss, Objective


def log_prior(chance: float, cap: int) -> Tensor:
    """The logarithm of a geometric distribution that is cut after step M and scaled to sum to one, (M,)."""
    number_M = torch.arange(cap, dtype=torch.float64)
    log_M = math.log(chance) + number_M * math.log1p(-chance)
    return log_M - log_M.logsumexp(0)


class ExpectedLoss(Objective):
    """The loss of Banino et al. 2021 (Eq. 3): sum_n p_n L(y, y_n) + beta KL(p || p_G(lambda_p)).

    p_G is the geometric distribution with the chance lambda_p, cut after PonderNet's last step. Over a sequence both
    terms are summed over its steps in time.

    Logged: `cost_bits`, what is expected of the task's cost; `ponder`, the expected number of inner steps of a step in
    time, a mean; `divergence`, the KL term of a step in time, in nats, without beta.

    Args:
      beta: of the KL term.
      prior: lambda_p, in (0, 1): 1 / lambda_p inner steps are expected of the prior if it is not cut.
    """

    def __init__(self, beta: float = 0.01, prior: float = 0.2) -> None:
        super().__init__()
        if not (is_finite(beta) and is_finite(prior) and beta >= 0 and 0 < prior < 1):
            told = f"beta {beta!r} and prior {prior!r}"
            raise ValueError(
                f"an expected loss needs a finite beta of at least 0 and a prior between 0 and 1, not {told}"
            )
        self.beta, self.prior = beta, prior

    @staticmethod
    def keep(record: Any) -> tuple[Tensor, Tensor, Tensor]:
        if not hasattr(record, "log_p_BM"):
            raise UserError("an expected loss needs the chances of all inner steps, as augrnn.cells.PonderNet has them")
        if not record.log_p_BM.shape[-1]:
            raise UserError("an expected loss is of a cell in training: in evaluation the step that halts is drawn")
        return record.steps_B, record.log_p_BM, record.outputs_BMO

    def forward(self, batch: CostedBatch, given: Unrolled) -> Loss:
        steps_TB, log_p_TBM, outputs_TBMO = given.trace
        real_TB = steps_TB > 0
        p_TBM = log_p_TBM.exp() * real_TB.unsqueeze(-1)
        costs_MTB = batch.step_costs(outputs_TBMO.permute(2, 0, 1, 3))
        cost_B = (p_TBM * costs_MTB.permute(1, 2, 0)).sum((0, 2))
        prior_M = log_prior(self.prior, log_p_TBM.shape[-1]).to(log_p_TBM)
        divergence_B = (p_TBM * (log_p_TBM - prior_M)).sum((0, 2))
        value = (cost_B + self.beta * divergence_B).mean()
        logged = {
            "cost_bits": cost_B.mean() / NATS_PER_BIT,
            "ponder": steps_TB.sum() / real_TB.sum(),
            "divergence": divergence_B.sum() / real_TB.sum(),
        }
        return Loss(value, {name: number.detach() for name, number in logged.items()})
