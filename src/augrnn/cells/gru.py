"""The gated recurrent unit in torch's form, with layer normalisation as an option."""

# ... = any leading dimensions, B = batch, I = input, H = hidden

import torch
from torch import Tensor, nn

from augrnn.linear import Linear


def gru_update(input_B3H: Tensor, recurrent_B3H: Tensor, state_BH: Tensor) -> Tensor:
    """The next state of torch.nn.GRU from the pre-activations that its input and its state give."""
    reset_x, update_x, new_x = input_B3H.chunk(3, dim=-1)
    reset_h, update_h, new_h = recurrent_B3H.chunk(3, dim=-1)
    update_BH = torch.sigmoid(update_x + update_h)
    new_BH = torch.tanh(new_x + torch.sigmoid(reset_x + reset_h) * new_h)
    return (1 - update_BH) * new_BH + update_BH * state_BH


def normalisation(size: int, on: bool) -> nn.Module:
    """Layer normalisation of a product (Ba, Kiros and Hinton 2016, Eq. 20 to 22), or nothing."""
    return nn.LayerNorm(size) if on else nn.Identity()


class GRU(nn.Module):
    """One gated recurrent layer: `project` what it reads, then step with what that gave.

    Args:
      input_size: I.
      hidden_size: H.
      layer_norm: normalise the products of the input and those of the state, each over all three gates.
    """

    def __init__(self, input_size: int, hidden_size: int, layer_norm: bool = False) -> None:
        super().__init__()
        self.from_input = Linear(input_size, 3 * hidden_size)
        self.from_hidden = Linear(hidden_size, 3 * hidden_size)
        self.input_norm = normalisation(3 * hidden_size, layer_norm)
        self.hidden_norm = normalisation(3 * hidden_size, layer_norm)
        nn.init.xavier_uniform_(self.from_input.weight)
        for gate_HH in self.from_hidden.weight.data.chunk(3):
            nn.init.orthogonal_(gate_HH)

    def project(self, x: Tensor) -> Tensor:
        """(..., I) -> (..., 3 H): what of the next state does not depend on the last."""
        return self.input_norm(self.from_input(x))

    def forward(self, p_B3H: Tensor, state_BH: Tensor) -> Tensor:
        """The next state, (B, H), from a projected input."""
        return gru_update(p_B3H, self.hidden_norm(self.from_hidden(state_BH)), state_BH)
