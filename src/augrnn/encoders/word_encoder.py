"""Encoders: from a source to its annotations."""

# ... = any leading dimensions, B = batch, L = source positions, E = word embedding, H = one direction's state,
# I = 2 (E + 1), what both directions read at a step, D = annotation = 2 H

import torch
from torch import nn

from augrnn.attention.attention import Annotations
from augrnn.cells.bidirectional_gru import BidirectionalGRU
from augrnn.cells.cell import require_sizes
from augrnn.cells.unroll import unroll
from augrnn.encoders.encoder import Encoder
from augrnn.initialisation import start_small
from augrnn.text.token_batches import Tokens


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
        sizes = {"vocabulary": vocabulary, "embedding_size": embedding_size, "hidden_size": hidden_size}
        require_sizes("an encoder", **sizes)
        self.vocabulary = vocabulary
        self.annotation_size, self.start_size, self.summary_size = 2 * hidden_size, hidden_size, hidden_size
        self.embedding = nn.Embedding(vocabulary, embedding_size)
        self.rnn = BidirectionalGRU(embedding_size, hidden_size, layer_norm)
        self.embedding_dropout = nn.Dropout(embedding_dropout)
        self.dropout = nn.Dropout(dropout)
        nn.init.normal_(self.embedding.weight, std=0.01 if paper_start else embedding_size**-0.5)
        if paper_start:
            start_small(self.rnn.forward_input, self.rnn.backward_input)
            for layer in (self.rnn.forward_hidden, self.rnn.backward_hidden):
                nn.init.zeros_(layer.bias)

    def forward(self, source: Tokens) -> Annotations:
        """Encode a batch of texts; the ids where the mask is False change nothing."""
        ids_BL, mask_BL = source
        embedded_LBE = self.embedding_dropout(self.embedding(ids_BL.t()))
        x_LBX = torch.cat([embedded_LBE, (~mask_BL).t().unsqueeze(-1).to(embedded_LBE.dtype)], dim=-1)
        states_LBD, last, _ = unroll(self.rnn, torch.cat([x_LBX, x_LBX.flip(0)], dim=-1))
        forward_LBH, backward_LBH = states_LBD.chunk(2, dim=-1)
        values_BLD = torch.cat([forward_LBH, backward_LBH.flip(0)], dim=-1).transpose(0, 1).contiguous()
        start_BS, summary_BC = self.dropout(last.backward_BH), self.dropout(last.forward_BH)
        return Annotations(self.dropout(values_BLD), mask_BL, start_BS, summary_BC)
