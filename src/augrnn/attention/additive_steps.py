"""Additive attention at every step of a sequence, with a gradient written by hand.

`augrnn.cells.whole_sequences` says what for.
"""

# T = target positions, B = batch, L = source positions, D = annotation, H = decoder state, A = alignment model

import torch
from torch import Tensor

from augrnn import kernels
from augrnn.products import multiply, pack, product


class AdditiveSteps:
    """`AdditiveAttention.forward` at every step.

    Args:
      steps: T.
      keys_BLA, values_BLD, mask_BL: what is attended to.
      query_AH: weight of the query's layer.
      energy_1A: v.

    Attributes:
      alignment_TBL: the weights that made the contexts.
      chances_TBL: the softmax of the energies: the same.
    """

    def __init__(
        self, steps: int, keys_BLA: Tensor, values_BLD: Tensor, mask_BL: Tensor, query_AH: Tensor, energy_1A: Tensor
    ) -> None:
        self.keys_BLA, self.values_BLD, self.mask_BL = (each.contiguous() for each in (keys_BLA, values_BLD, mask_BL))
        self.query_AH, self.energy_1A = query_AH, energy_1A
        self.sizes = *keys_BLA.shape, values_BLD.shape[2]
        batch, length, size, _ = self.sizes
        self.query_panels = pack(query_AH.t())
        self.query_TBA = keys_BLA.new_empty(steps, batch, size)
        self.alignment_TBL = self.chances_TBL = keys_BLA.new_empty(steps, batch, length)
        self.learned_values = values_BLD.requires_grad

    def forward(self, t: int, state_BH: Tensor, context_BD: Tensor) -> None:
        """Look at the source from a state; the context goes to `context_BD`."""
        multiply(state_BH, self.query_panels, self.query_TBA[t])
        kernels.call(
            "additive_forward", *self.sizes, self.query_TBA[t], self.keys_BLA, self.values_BLD, self.mask_BL,
            self.energy_1A, self.chances_TBL[t], context_BD, context_BD.stride(0),
        )  # fmt: skip

    def begin_backward(self) -> None:
        """Make room for the gradients."""
        self.back_panels = pack(self.query_AH)
        self.g_query_TBA = torch.empty_like(self.query_TBA)
        self.g_keys_BLA, self.g_energy_1A = torch.zeros_like(self.keys_BLA), torch.zeros_like(self.energy_1A)
        self.room_L = self.chances_TBL.new_empty(self.sizes[1])

    def backward(self, t: int, g_context_BD: Tensor, g_chances_BL: Tensor | None, g_state_BH: Tensor) -> None:
        """From the gradients of context and weights to what they add to that of the state."""
        kernels.call(
            "additive_backward", *self.sizes, self.query_TBA[t], self.keys_BLA, self.values_BLD, self.mask_BL,
            self.energy_1A, self.chances_TBL[t], g_context_BD, g_chances_BL, self.g_query_TBA[t], self.g_keys_BLA,
            self.g_energy_1A, self.room_L,
        )  # fmt: skip
        multiply(self.g_query_TBA[t], self.back_panels, g_state_BH, add=True)

    def gradients(self, state_TBH: Tensor, g_context_TBD: Tensor) -> tuple[Tensor, Tensor | None, Tensor, Tensor]:
        """Of keys, values, the query's weight and v, from the states that asked and the gradients of contexts."""
        g_values_BLD = None
        if self.learned_values:
            g_values_BLD = torch.bmm(self.alignment_TBL.permute(1, 2, 0), g_context_TBD.transpose(0, 1))
        g_query_AH = product(self.g_query_TBA.flatten(0, 1).t(), state_TBH.flatten(0, 1))
        return self.g_keys_BLA, g_values_BLD, g_query_AH, self.g_energy_1A
