"""Encoders: from a source to its annotations."""

# ... = any leading dimensions, B = batch, L = source positions, E = word embedding, H = one direction's state,
# I = 2 (E + 1), what both directions read at a step, D = annotation = 2 H

from typing import NamedTuple

import torch
from torch import Tensor, nn

from augrnn.cells.cell import Cell, unroll
from augrnn.cells.gru import gru_update, normalisation
from augrnn.interfaces.attention import Annotations
from augrnn.linear import Linear


class Encoder(nn.Module):
    """From padded sources to annotations.

    Attributes:
      annotation_size: size of each annotation.
      start_size: size of what the decoder's first state is made from.
      summary_size: size of the summary of the whole source.
    """

    annotation_size: int
    start_size: int
    summary_size: int

    def forward(self, source_BL: Tensor, mask_BL: Tensor) -> Annotations:
        raise NotImplementedError


class BothWaysState(NamedTuple):
    """Attributes: forward_BH and backward_BH, the states of the two directions."""

    forward_BH: Tensor
    backward_BH: Tensor


HOLD = 1e4
"""Added to an update gate's pre-activation, it makes the gate exactly 1 in every floating point format."""


class BothWays(Cell):
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

    def initial_state(self, batch_size: int) -> BothWaysState:
        zeros_BH = self.forward_hidden.weight.new_zeros(batch_size, self.hidden_size)
        return BothWaysState(zeros_BH, zeros_BH)

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

    def step(self, p_BP: Tensor, state: BothWaysState) -> tuple[Tensor, BothWaysState]:
        forward_B3H, backward_B3H = p_BP.chunk(2, dim=-1)
        forward_h = self.forward_norms[1](self.forward_hidden(state.forward_BH))
        backward_h = self.backward_norms[1](self.backward_hidden(state.backward_BH))
        forward_BH = gru_update(forward_B3H, forward_h, state.forward_BH)
        backward_BH = gru_update(backward_B3H, backward_h, state.backward_BH)
        return torch.cat([forward_BH, backward_BH], dim=-1), BothWaysState(forward_BH, backward_BH)


def start_small(*layers: nn.Linear) -> None:
    """Weights from N(0, .01^2) and biases zero, as Bahdanau et al. 2014 start (appendix B.1)."""
    for layer in layers:
        nn.init.normal_(layer.weight, std=0.01)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


class BidirectionalEncoder(Encoder):
    """Words to annotations with a gated recurrent network in each direction (Bahdanau et al. 2014, section 3.2).

    An annotation is the forward and the backward state at its position, h_j = [fwd h_j; bwd h_j].

    Args:
      vocabulary: number of source token ids.
      embedding_size: size of a word embedding.
      hidden_size: units of each direction.
      embedding_dropout: share of the embeddings' entries dropped in training.
      dropout: share of the annotations' entries dropped in training.
      layer_norm: normalise the products in the recurrent layers.
      paper_start: initialise as appendix B.1: recurrent weights orthogonal, all others from N(0, .01^2), biases zero.
    """

    def __init__(
        self,
        vocabulary: int,
        embedding_size: int,
        hidden_size: int,
        embedding_dropout: float = 0.0,
        dropout: float = 0.0,
        layer_norm: bool = False,
        paper_start: bool = False,
    ) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.annotation_size, self.start_size, self.summary_size = 2 * hidden_size, hidden_size, hidden_size
        self.embedding = nn.Embedding(vocabulary, embedding_size)
        self.rnn = BothWays(embedding_size, hidden_size, layer_norm)
        self.embedding_dropout = nn.Dropout(embedding_dropout)
        self.dropout = nn.Dropout(dropout)
        nn.init.normal_(self.embedding.weight, std=0.01 if paper_start else embedding_size**-0.5)
        if paper_start:
            start_small(self.rnn.forward_input, self.rnn.backward_input)
            for layer in (self.rnn.forward_hidden, self.rnn.backward_hidden):
                nn.init.zeros_(layer.bias)

    def forward(self, source_BL: Tensor, mask_BL: Tensor) -> Annotations:
        """Encode a batch.

        Args:
          source_BL: token ids; what stands where the mask is False changes nothing.
          mask_BL: True at real positions, which come first.
        """
        embedded_LBE = self.embedding_dropout(self.embedding(source_BL.t()))
        x_LBX = torch.cat([embedded_LBE, (~mask_BL).t().unsqueeze(-1).to(embedded_LBE.dtype)], dim=-1)
        states_LBD, last, _ = unroll(self.rnn, torch.cat([x_LBX, x_LBX.flip(0)], dim=-1))
        forward_LBH, backward_LBH = states_LBD.chunk(2, dim=-1)
        values_BLD = torch.cat([forward_LBH, backward_LBH.flip(0)], dim=-1).transpose(0, 1).contiguous()
        start_BS, summary_BC = self.dropout(last.backward_BH), self.dropout(last.forward_BH)
        return Annotations(self.dropout(values_BLD), mask_BL, start_BS, summary_BC)
