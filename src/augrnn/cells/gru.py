"""The gated recurrent unit in torch's form, with layer normalisation as an option."""

# ... = any leading dimensions, B = batch, I = input, H = hidden

from typing import NamedTuple

import torch
from torch import Tensor, nn

from augrnn.cells.cell import Cell, require_sizes
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


class GRUState(NamedTuple):
    """Attributes: hidden_BH, the output of the layer."""

    hidden_BH: Tensor


class GRU(Cell):
    """One gated recurrent layer; its state starts at zero.

    Args:
      input_size: I.
      hidden_size: H.
      layer_norm: normalise the products of the input and those of the state, each over all three gates.
    """

    def __init__(self, input_size: int, hidden_size: int, layer_norm: bool = False) -> None:
        super().__init__()
        require_sizes("a GRU", input_size=input_size, hidden_size=hidden_size)
        self.input_size, self.output_size = input_size, hidden_size
        self.from_input = Linear(input_size, 3 * hidden_size)
        self.from_hidden = Linear(hidden_size, 3 * hidden_size)
        self.input_norm = normalisation(3 * hidden_size, layer_norm)
        self.hidden_norm = normalisation(3 * hidden_size, layer_norm)
        nn.init.xavier_uniform_(self.from_input.weight)
        for gate_HH in self.from_hidden.weight.data.chunk(3):
            nn.init.orthogonal_(gate_HH)

    def initial_state(self, batch_size: int) -> GRUState:
        return GRUState(self.from_hidden.weight.new_zeros(batch_size, self.output_size))

    def project(self, x: Tensor) -> Tensor:
        """(..., I) -> (..., 3 H): what of the next state does not depend on the last."""
        return self.input_norm(self.from_input(x))

    def step(self, p_B3H: Tensor, state: GRUState) -> tuple[Tensor, GRUState]:
        hidden_BH = self.next(p_B3H, state.hidden_BH)
        return hidden_BH, GRUState(hidden_BH)

    def next(self, p_B3H: Tensor, hidden_BH: Tensor) -> Tensor:
        """The next hidden vector, (B, H), from a projected input, for cells that have this layer inside."""
        return gru_update(p_B3H, self.hidden_norm(self.from_hidden(hidden_BH)), hidden_BH)
