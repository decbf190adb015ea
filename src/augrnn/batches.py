"""The batches that tasks make and systems eat: the only thing both know.

A batch knows how a model's answer to it is scored, because the task that made it does.
"""

# T = time steps, B = batch, I = input channels, O = output channels, L = source positions, M = target positions,
# V = vocabulary

import math
from typing import NamedTuple, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

PAD, BOS, EOS, UNK = 0, 1, 2, 3
"""Token ids with a fixed meaning in every vocabulary."""


class BitsBatch(NamedTuple):
    """Binary vectors in, binary vectors out, as in the Neural Turing Machine's tasks.

    Attributes:
      inputs_TBI: what the model sees at each step.
      targets_TBO: the bits it should give, 0 or 1.
      scored_TB: 1.0 at the steps whose output counts, else 0.0.
    """

    inputs_TBI: Tensor
    targets_TBO: Tensor
    scored_TB: Tensor

    @property
    def size(self) -> int:
        """Sequences in the batch."""
        return self.inputs_TBI.shape[1]

    def cost_bits(self, logits_TBO: Tensor) -> Tensor:
        """Cross-entropy of each sequence, (B,), in bits, summed over its scored target bits (the paper's cost)."""
        nats_TBO = F.binary_cross_entropy_with_logits(logits_TBO, self.targets_TBO, reduction="none")
        return (nats_TBO.sum(-1) * self.scored_TB).sum(0) / math.log(2)

    def wrong_bits(self, logits_TBO: Tensor) -> Tensor:
        """How many scored target bits of each sequence, (B,), the thresholded output gets wrong."""
        wrong_TBO = ((logits_TBO > 0) != (self.targets_TBO > 0.5)).to(logits_TBO.dtype)
        return (wrong_TBO.sum(-1) * self.scored_TB).sum(0)


class PairBatch(NamedTuple):
    """A source to attend to and a token sequence to produce from it, as in translation and captioning.

    Attributes:
      source_BL: source token ids, PAD where `source_mask_BL` is False; ends with EOS.
      source_mask_BL: True at real source positions.
      target_BM: target token ids, without BOS, ending with EOS, PAD after it.
      target_mask_BM: True at real target positions (EOS included).
      index_B: the number of each example in its split.
    """

    source_BL: Tensor
    source_mask_BL: Tensor
    target_BM: Tensor
    target_mask_BM: Tensor
    index_B: Tensor

    @property
    def size(self) -> int:
        """Sequences in the batch."""
        return self.source_BL.shape[0]


Batch = TypeVar("Batch", BitsBatch, PairBatch)


def moved(batch: Batch, device: torch.device) -> Batch:
    """The batch on another device."""
    return type(batch)(*(tensor.to(device) for tensor in batch))
