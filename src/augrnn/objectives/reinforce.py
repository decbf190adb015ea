"""REINFORCE for places that a hard attention drew."""

# B = batch, M = target positions, L = places

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from augrnn.cells.unroll import Unrolled
from augrnn.errors import UserError
from augrnn.objectives.objective import Loss, Objective
from augrnn.text.token_batches import NO_TOKEN, PairBatch

TINY = 1e-8
"""Added to chances before their logarithm is taken."""


class Reinforce(Objective):
    """The bound of Xu et al. 2015 on the likelihood with places drawn (Eqs. 10 to 13), divided by the batch's tokens.

    Where places s_t were drawn, a sentence costs

      -log p(y | s, x) - weight (log p(y | s, x) - b) sum_t log alpha_t(s_t) - entropy sum_t H[alpha_t]

    with no gradient through what stands before the sum; the gradient is then in expectation that of the expected cost.
    b is the sentence's length times a moving mean of the log likelihood of a token: b <- .9 b + .1 mean over the batch,
    from the first batch's mean on. Where the context was the expected one (the coin of `HardAttention`), the cost is
    that of soft attention, with the entropy.

    The paper's code differs: its reward is the mean over a sentence's tokens, over 10 and not divided by the batch,
    that is a weight of about .5 here at 64 sentences of 12 tokens; its entropy has the weight .002, not divided either,
    that is .13 here; and with the expected context its attention has no gradient at all.

    Logged: `loss`, nats a token; `entropy` of the attention, nats a step; `baseline`, nats a token.

    Args:
      weight: lambda_r, of the reward.
      entropy: lambda_e, of the entropy.
      decay: of the moving mean.
    """

    def __init__(self, weight: float = 1.0, entropy: float = 0.1, decay: float = 0.9) -> None:
        super().__init__()
        if weight < 0 or entropy < 0 or not 0 <= decay < 1:
            told = f"weight {weight}, entropy {entropy}, decay {decay}"
            raise ValueError(f"REINFORCE needs weights of at least 0 and a decay from 0 to below 1, not {told}")
        self.weight, self.entropy, self.decay = weight, entropy, decay
        self.baseline: Tensor
        self.batches: Tensor
        self.register_buffer("baseline", torch.zeros(()))
        self.register_buffer("batches", torch.zeros((), dtype=torch.int64))

    @staticmethod
    def keep(record: Any) -> tuple[Tensor, Tensor]:
        if not hasattr(record, "chances_BL"):
            raise UserError("REINFORCE needs a decoder that tells what it drew from: a CaptionDecoder does")
        return record.alignment_BL, record.chances_BL

    def forward(self, batch: PairBatch, given: Unrolled) -> Loss:
        alignment_MBL, chances_MBL = given.trace
        real_MB = batch.target_mask_BM.t()
        flat_N = F.cross_entropy(given.y_TBO.flatten(0, 1), batch.flat_target, reduction="none", ignore_index=NO_TOKEN)
        log_p_B = -flat_N.view(real_MB.shape).sum(0)
        length_B = real_MB.sum(0)
        reward_B = log_p_B.detach()
        logs_MBL = (chances_MBL + TINY).log()
        # Where the context was the expected one, alignment and chances are the same tensor, which one place has not.
        drawn_MB = (alignment_MBL.detach().amax(-1) == 1) & (alignment_MBL.detach() != chances_MBL.detach()).any(-1)
        log_drawn_B = ((alignment_MBL.detach() * logs_MBL).sum(-1) * (real_MB & drawn_MB)).sum(0)
        entropy_B = (-(chances_MBL * logs_MBL).sum(-1) * real_MB).sum(0)
        mean = (reward_B / length_B).mean()
        if not self.batches:
            self.baseline.copy_(mean)
        advantage_B = reward_B - length_B * self.baseline
        if self.training:
            self.baseline.lerp_(mean, 1 - self.decay)
            self.batches += 1
        cost_B = -log_p_B - self.weight * advantage_B * log_drawn_B - self.entropy * entropy_B
        tokens = length_B.sum()
        logged = {"loss": flat_N.sum() / tokens, "entropy": entropy_B.sum() / tokens, "baseline": self.baseline.clone()}
        return Loss(cost_B.sum() / tokens, {name: value.detach() for name, value in logged.items()})
