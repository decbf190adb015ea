"""The rival of attention: one context for every step."""

# B = batch, L = source positions, D = context, H = decoder state, C = summary

import torch
from torch import Tensor

from augrnn.attention.attention import Annotations, Attended, Attention, Sequenced
from augrnn.attention.fixed_steps import FixedSteps


class FixedContext(Attention):
    """No attention: the summary of the source is the context of every step, as in RNNenc (Cho et al. 2014).

    Its alignments are all zero.

    Args:
      query_size: size of the decoder's state, which it ignores.
      annotation_size: size of the annotations, which it ignores.
      summary_size: size of the summary.
    """

    def __init__(self, query_size: int, annotation_size: int, summary_size: int) -> None:
        super().__init__()
        self.query_size, self.annotation_size = query_size, annotation_size
        self.summary_size = self.context_size = summary_size

    def prepare(self, annotations: Annotations) -> Attended:
        summary_B1C = annotations.summary_BC.unsqueeze(1)
        return Attended(summary_B1C, summary_B1C, annotations.mask_BL)

    def forward(self, query_BH: Tensor, attended: Attended) -> tuple[Tensor, Tensor]:
        return attended.values_BLD.squeeze(1), torch.zeros_like(attended.mask_BL, dtype=query_BH.dtype)

    def sequenced(self, attended: Attended) -> Sequenced | None:
        return Sequenced(FixedSteps, ()) if type(self) is FixedContext else None
