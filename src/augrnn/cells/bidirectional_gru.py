"""A gated recurrent network that reads a sequence in both directions at once."""

# ... = any leading dimensions, B = batch, E = word embedding, H = state of one direction

from typing import NamedTuple

import torch
from torch import Tensor, nn

from augrnn.cells.cell import Cell, require_sizes
from augrnn.cells.gru import gru_update, normalisation
from augrnn.linear import Linear


class BidirectionalState(NamedTuple):
    """Attributes: forward_BH and backward_BH, the states of the two directions."""

    forward_BH: Tensor
    backward_BH: Tensor


HOLD = 1e4
"""Added to an update gate's pre-activation, it makes the gate exactly 1 in every floating point format."""


class BidirectionalGRU(Cell):
    """torch.nn.GRU's two directions in one step: one reads a position from the front, the other one from the back.

    The input holds for each direction a word's embedding and a 1 where the position is padding, which the state passes
    over unchanged. The outputs are both states.

    Args:
      embedding_size: E.
      hidden_size: H.
      layer_norm: normalise the products of the inputs and of the states.
    """

    dynamic_shapes = True

    def __init__(self, embedding_size: int, hidden_size: int, layer_norm: bool = False) -> None:
        super().__init__()
        require_sizes("a bidirectional GRU", embedding_size=embedding_size, hidden_size=hidden_size)
        self.input_size, self.output_size = 2 * (embedding_size + 1), 2 * hidden_size
        self.hidden_size = hidden_size
        self.forward_input = Linear(embedding_size, 3 * hidden_size)
        self.forward_hidden = Linear(hidden_size, 3 * hidden_size)
        self.backward_input = Linear(embedding_size, 3 * hidden_size)
        self.backward_hidden = Linear(hidden_size, 3 * hidden_size)
        for layer in (self.forward_hidden, self.backward_hidden):
            for gate_HH in layer.weight.data.chunk(3):
                nn.init.orthogonal_(gate_HH)
        self.forward_norms, self.backward_norms = (
            nn.ModuleList(normalisation(3 * hidden_size, layer_norm) for _ in ("input", "state")) for _ in range(2)
        )

    def initial_state(self, batch_size: int) -> BidirectionalState:
        zeros_BH = self.forward_hidden.weight.new_zeros(batch_size, self.hidden_size)
        return BidirectionalState(zeros_BH, zeros_BH)

    def project(self, x: Tensor) -> Tensor:
        forward, backward = x.chunk(2, dim=-1)
        ways = (
            self._gates(self.forward_input, self.forward_norms[0], forward),
            self._gates(self.backward_input, self.backward_norms[0], backward),
        )
        return torch.cat(ways, dim=-1)

    def _gates(self, layer: Linear, norm: nn.Module, x: Tensor) -> Tensor:
        embedded, padding = x[..., :-1], x[..., -1:]
        reset, update, new = norm(layer(embedded)).chunk(3, dim=-1)
        return torch.cat([reset, update + HOLD * padding, new], dim=-1)

    def step(self, p_BP: Tensor, state: BidirectionalState) -> tuple[Tensor, BidirectionalState]:
        forward_B3H, backward_B3H = p_BP.chunk(2, dim=-1)
        forward_h = self.forward_norms[1](self.forward_hidden(state.forward_BH))
        backward_h = self.backward_norms[1](self.backward_hidden(state.backward_BH))
        forward_BH = gru_update(forward_B3H, forward_h, state.forward_BH)
        backward_BH = gru_update(backward_B3H, backward_h, state.backward_BH)
        return torch.cat([forward_BH, backward_BH], dim=-1), BidirectionalState(forward_BH, backward_BH)
