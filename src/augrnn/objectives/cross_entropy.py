"""Cross-entropy: of binary vectors, summed over a sequence, and of texts, a mean over tokens."""

import math

import torch.nn.functional as F

from augrnn.cells.unroll import Unrolled
from augrnn.objectives.objective import Loss, Objective
from augrnn.tasks.bit_task import BitBatch
from augrnn.text.token_batches import PairBatch

NATS_PER_BIT = math.log(2)


class SequenceCrossEntropy(Objective):
    """The mean over sequences of the cross-entropy that a sequence's bits have together, in nats.

    The sum matters: with a mean over bits the papers' learning rates, clipping and epsilons do not mean the same.

    Logged: `cost_bits`, in bits, the unit of the Neural Turing Machine paper.
    """

    def forward(self, batch: BitBatch, given: Unrolled) -> Loss:
        cost = batch.cost_bits(given.y_TBO).mean()
        return Loss(cost * NATS_PER_BIT, {"cost_bits": cost.detach()})


class TokenCrossEntropy(Objective):
    """The mean over the target's tokens of their cross-entropy, the previous ones given, in nats.

    Logged: `loss`, the same.

    Args:
      label_smoothing: share of the target's probability spread evenly over the vocabulary.
    """

    def __init__(self, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing

    def forward(self, batch: PairBatch, given: Unrolled) -> Loss:
        logits_NV = given.y_TBO.flatten(0, 1)
        loss = F.cross_entropy(logits_NV, batch.flat_target, label_smoothing=self.label_smoothing)
        return Loss(loss, {"loss": loss.detach()})
