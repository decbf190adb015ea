"""Decoders: Cells whose input is the previous word and whose state holds the source that they attend to."""

# ... = any leading dimensions, M = target positions, B = batch, L = source positions, D = context,
# A = keys of the attention, E = word embedding, H = state, J = what the vocabulary is scored from,
# P = 3 H + 2 J, V = vocabulary

import torch
from torch import Tensor, nn

from augrnn.attention.attention import Attention
from augrnn.decoders.decoder import Decoder, DecoderState
from augrnn.initialisation import start_small
from augrnn.linear import Linear


class AttentiveDecoder(Decoder):
    """The decoder of Bahdanau et al. 2014 (appendix A.2.2), for any attention.

    With y the embedding of the previous word and c_i the context that attention gives for s_{i-1},

      z_i = sigmoid(W_z y + U_z s_{i-1} + C_z c_i)
      r_i = sigmoid(W_r y + U_r s_{i-1} + C_r c_i)
      s~_i = tanh(W y + U (r_i * s_{i-1}) + C c_i)
      s_i = (1 - z_i) * s_{i-1} + z_i * s~_i

    where, unlike in torch.nn.GRU, z weighs the new state and the reset comes before the product. The deep output is a
    maxout over pairs of U_o s_i + V_o y + C_o c_i; it follows the paper's Eq. 4, g(y_{i-1}, s_i, c_i), while its
    appendix prints s_{i-1}.

    Args:
      maxout_size: J, units of the deep output after the maxout; the embedding's size when None.
      paper_start: initialise as appendix B.1: recurrent weights orthogonal, all others from N(0, .01^2), biases zero.
      vocabulary, embedding_size, hidden_size, start_size, attention, embedding_dropout, output_dropout: see Decoder.
    """

    def __init__(
        self,
        vocabulary: int,
        embedding_size: int,
        hidden_size: int,
        start_size: int,
        attention: Attention,
        maxout_size: int | None = None,
        embedding_dropout: float = 0.0,
        output_dropout: float = 0.0,
        paper_start: bool = False,
    ) -> None:
        output_size = maxout_size or embedding_size
        sizes = vocabulary, embedding_size, hidden_size, start_size
        super().__init__(*sizes, attention, output_size, embedding_dropout, output_dropout)
        self.word_layer = Linear(embedding_size, 3 * hidden_size + 2 * output_size)
        self.gate_layer = Linear(hidden_size, 2 * hidden_size, bias=False)
        self.candidate_layer = Linear(hidden_size, hidden_size, bias=False)
        self.context_layer = Linear(attention.context_size, 3 * hidden_size, bias=False)
        self.deep_layer = Linear(hidden_size + attention.context_size, 2 * output_size, bias=False)
        others = (self.word_layer, self.context_layer, self.deep_layer)
        if paper_start:
            start_small(self.start_layer, *others, self.vocabulary_layer)
            nn.init.normal_(self.embedding.weight, std=0.01)
        else:
            self._initialise(*others)
        for recurrent_HH in (*self.gate_layer.weight.data.chunk(2), self.candidate_layer.weight.data):
            nn.init.orthogonal_(recurrent_HH)

    def project(self, x: Tensor) -> Tensor:
        return self.word_layer(x)

    def step(self, p_BP: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """One target position: emits s_i, c_i and the word's part of the deep output."""
        size = self.hidden_size
        context_BD, alignment_BL = self.attention(state.hidden_BH, state.attended)
        inputs_B3H = p_BP[:, : 3 * size] + self.context_layer(context_BD)
        gates_B2H = torch.sigmoid(inputs_B3H[:, : 2 * size] + self.gate_layer(state.hidden_BH))
        update_BH, reset_BH = gates_B2H.chunk(2, dim=-1)
        new_BH = torch.tanh(inputs_B3H[:, 2 * size :] + self.candidate_layer(reset_BH * state.hidden_BH))
        hidden_BH = torch.lerp(state.hidden_BH, new_BH, update_BH)
        emitted = torch.cat([hidden_BH, context_BD, p_BP[:, 3 * size :]], dim=-1)
        return emitted, DecoderState(hidden_BH, alignment_BL, state.attended)

    def read_out(self, h: Tensor) -> Tensor:
        """The maxout of the deep output: (..., H + D + 2 J) -> (..., J)."""
        looked, word = h.split([self.deep_layer.in_features, 2 * self.output_size], dim=-1)
        pairs = (self.deep_layer(looked) + word).unflatten(-1, (self.output_size, 2))
        return self.output_dropout(pairs.amax(-1))
