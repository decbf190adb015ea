"""A fixed context at every step of a sequence; `augrnn.cells.whole_sequences` says what for."""

# T = target positions, B = batch, L = source positions, D = context, H = decoder state

from torch import Tensor


class FixedSteps:
    """`FixedContext.forward` at every step; the arguments are those of `AdditiveSteps` that there are."""

    def __init__(self, steps: int, keys_B1D: Tensor, values_B1D: Tensor, mask_BL: Tensor) -> None:
        self.values_B1D = values_B1D
        self.alignment_TBL = self.chances_TBL = values_B1D.new_zeros(steps, *mask_BL.shape)

    def forward(self, t: int, state_BH: Tensor, context_BD: Tensor) -> None:
        context_BD.copy_(self.values_B1D.squeeze(1))

    def begin_backward(self) -> None:
        pass

    def backward(self, t: int, g_context_BD: Tensor, g_chances_BL: Tensor | None, g_state_BH: Tensor) -> None:
        pass

    def gradients(self, state_TBH: Tensor, g_context_TBD: Tensor) -> tuple[None, Tensor]:
        """Of keys, which nothing is computed from, and values."""
        return None, g_context_TBD.sum(0).unsqueeze(1)
