"""The conditional gated recurrent decoder, which looks at the source between two steps of recurrence."""

# ... = any leading dimensions, B = batch, L = source positions, D = context, E = word embedding, H = state,
# P = 3 H + E

import torch
from torch import Tensor

from augrnn.attention.attention import Attention
from augrnn.cells.gru import GRU
from augrnn.decoders.decoder import Decoder, DecoderState
from augrnn.linear import Linear


class ConditionalDecoder(Decoder):
    """The conditional GRU of Firat and Cho (Sennrich et al. 2017, "Nematus", section 2; wmt17-mmt uses it too).

    With y the embedding of the previous word,

      s'_i = GRU_1(y, s_{i-1})
      c_i = attention(s'_i)
      s_i = GRU_2(c_i, s'_i)
      t_i = tanh(W_s s_i + W_y y + W_c c_i)

    so that attention already knows the previous word. The vocabulary is scored from t_i, of the size of embeddings.

    Args:
      layer_norm: normalise the products in both recurrent layers.
      vocabulary, embedding_size, hidden_size, start_size, attention, embedding_dropout, output_dropout, tied: see
        Decoder.
    """

    def __init__(
        self,
        vocabulary: int,
        embedding_size: int,
        hidden_size: int,
        start_size: int,
        attention: Attention,
        embedding_dropout: float = 0.0,
        output_dropout: float = 0.0,
        layer_norm: bool = False,
        tied: bool = False,
    ) -> None:
        sizes = vocabulary, embedding_size, hidden_size, start_size
        super().__init__(*sizes, attention, embedding_size, embedding_dropout, output_dropout, tied)
        self.first = GRU(embedding_size, hidden_size, layer_norm)
        self.second = GRU(attention.context_size, hidden_size, layer_norm)
        self.word_layer = Linear(embedding_size, embedding_size)
        self.deep_layer = Linear(hidden_size + attention.context_size, embedding_size, bias=False)
        self._initialise(self.word_layer, self.deep_layer)

    def project(self, x: Tensor) -> Tensor:
        return torch.cat([self.first.project(x), self.word_layer(x)], dim=-1)

    def step(self, p_BP: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """One target position: emits s_i, c_i and the word's part of the output."""
        first_B3H, word_BE = p_BP.split([3 * self.hidden_size, self.input_size], dim=-1)
        between_BH = self.first.next(first_B3H, state.hidden_BH)
        context_BD, alignment_BL = self.attention(between_BH, state.attended)
        hidden_BH = self.second.next(self.second.project(context_BD), between_BH)
        emitted = torch.cat([hidden_BH, context_BD, word_BE], dim=-1)
        return emitted, DecoderState(hidden_BH, alignment_BL, state.attended)

    def read_out(self, h: Tensor) -> Tensor:
        """The output t: (..., H + D + E) -> (..., E)."""
        looked, word = h.split([self.deep_layer.in_features, self.input_size], dim=-1)
        return self.output_dropout(torch.tanh(self.deep_layer(looked) + word))
