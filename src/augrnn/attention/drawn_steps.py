"""Hard attention at every step of a sequence; `augrnn.cells.whole_sequences` says what for."""

# T = target positions, B = batch, L = source positions, D = annotation, H = decoder state, A = alignment model

import torch
import torch.nn.functional as F
from torch import Tensor

from augrnn.attention.additive_steps import AdditiveSteps


class DrawnSteps(AdditiveSteps):
    """`HardAttention.look` at every step where places are looked at, over additive attention.

    Args:
      likeliest: look at the likeliest place, and draw none.
      steps, keys_BLA, values_BLD, mask_BL, query_AH, energy_1A: see `AdditiveSteps`.
    """

    def __init__(self, likeliest: bool, steps: int, *given: Tensor) -> None:
        super().__init__(steps, *given)
        self.likeliest = likeliest
        self.alignment_TBL = torch.empty_like(self.chances_TBL)

    def forward(self, t: int, state_BH: Tensor, context_BD: Tensor) -> None:
        super().forward(t, state_BH, context_BD)
        chances_BL = self.chances_TBL[t]
        place_B = chances_BL.argmax(-1) if self.likeliest else chances_BL.multinomial(1).squeeze(1)
        self.alignment_TBL[t] = F.one_hot(place_B, chances_BL.shape[1])
        context_BD.copy_(self.values_BLD[torch.arange(len(place_B)), place_B])

    def backward(self, t: int, g_context_BD: Tensor, g_chances_BL: Tensor | None, g_state_BH: Tensor) -> None:
        """As for additive attention, but that no gradient goes from the context to the chances."""
        super().backward(t, torch.zeros_like(g_context_BD), g_chances_BL, g_state_BH)
