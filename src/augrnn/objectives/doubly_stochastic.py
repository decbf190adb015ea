"""Cross-entropy of captions with the doubly stochastic penalty: every place should be looked at in turn."""

# B = batch, M = target positions, L = places

from typing import Any

from torch import Tensor

from augrnn.cells.unroll import Unrolled
from augrnn.objectives.cross_entropy import token_cross_entropy
from augrnn.objectives.objective import Loss, Objective
from augrnn.text.token_batches import PairBatch


def coverage_cost(chances_MBL: Tensor, real_BM: Tensor) -> Tensor:
    """The sum over places of (1 - the weight that a place has in all real steps together)^2, one number a sentence."""
    seen_BL = (chances_MBL * real_BM.t().unsqueeze(-1)).sum(0)
    return (1 - seen_BL).square().sum(1)


class DoublyStochastic(Objective):
    """The penalised likelihood of Xu et al. 2015 (Eq. 14), divided by the batch's tokens.

    A sentence costs -log p(y | x) + weight * sum_i (1 - sum_t alpha_ti)^2, the sum over t over its real steps, the end
    of the sentence included. The paper's code sums the penalty over the batch and averages it over the places, beside
    a likelihood that is a mean over the batch: its weight of 1 for batches of 64 and 196 places is 64 / 196 = .33 here.

    Logged: `loss`, nats a token without the penalty, and `coverage`, the penalty of a sentence without its weight.

    Args:
      weight: of the penalty.
    """

    def __init__(self, weight: float = 0.33) -> None:
        super().__init__()
        if weight < 0:
            raise ValueError(f"a penalty needs a weight of at least 0, not {weight}")
        self.weight = weight

    @staticmethod
    def keep(record: Any) -> Tensor:
        chances_BL: Tensor = getattr(record, "chances_BL", record.alignment_BL)
        return chances_BL

    def forward(self, batch: PairBatch, given: Unrolled) -> Loss:
        loss = token_cross_entropy(given.y_TBO.flatten(0, 1), batch.flat_target, 0.0)
        cost_B = coverage_cost(given.trace, batch.target_mask_BM)
        value = loss + self.weight * cost_B.sum() / batch.target_mask_BM.sum()
        return Loss(value, {"loss": loss.detach(), "coverage": cost_B.mean().detach()})
