"""Luong's decoder, which looks at the source after its step and may be fed what came of the look before."""

# ... = any leading dimensions, B = batch, L = source positions, D = context, E = word embedding, H = state,
# J = attentional vector

from typing import NamedTuple

import torch
from torch import Tensor

from augrnn.attention.attention import Annotations, Attended, Attention
from augrnn.cells.gru import GRU
from augrnn.decoders.decoder import Decoder, DecoderState
from augrnn.linear import Linear


class LuongState(NamedTuple):
    """Attributes: fed_BJ, the attentional vector h~ of the step before; the others as in DecoderState."""

    hidden_BH: Tensor
    fed_BJ: Tensor
    alignment_BL: Tensor
    attended: Attended


class LuongDecoder(Decoder):
    """The decoder of Luong, Pham and Manning 2015 (sections 3.1 and 3.3), for any attention.

    With y the embedding of the previous word,

      h_i = GRU([y; h~_{i-1}], h_{i-1})    (without input feeding: GRU(y, h_{i-1}))
      c_i = attention(h_i)
      h~_i = tanh(W_c [c_i; h_i])          (Eq. 5)

    and the vocabulary is scored from h~_i. The paper stacks LSTMs; one GRU keeps it comparable with the other decoders.

    Args:
      attentional_size: J, size of h~; the embedding's size when None.
      input_feeding: whether the step sees h~ of the step before (section 3.3); zero at the first.
      layer_norm: normalise the products in the recurrent layer.
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
        attentional_size: int | None = None,
        input_feeding: bool = True,
        embedding_dropout: float = 0.0,
        output_dropout: float = 0.0,
        layer_norm: bool = False,
        tied: bool = False,
    ) -> None:
        size = attentional_size or embedding_size
        sizes = vocabulary, embedding_size, hidden_size, start_size
        super().__init__(*sizes, attention, size, embedding_dropout, output_dropout, tied)
        self.input_feeding = input_feeding
        self.rnn = GRU(embedding_size + size * input_feeding, hidden_size, layer_norm)
        self.attentional_layer = Linear(attention.context_size + hidden_size, size, bias=False)
        self._initialise(self.attentional_layer)

    def start(self, annotations: Annotations) -> LuongState:
        first: DecoderState = super().start(annotations)
        fed_BJ = first.hidden_BH.new_zeros(len(first.hidden_BH), self.output_size)
        return LuongState(first.hidden_BH, fed_BJ, first.alignment_BL, first.attended)

    def step(self, p_BE: Tensor, state: LuongState) -> tuple[Tensor, LuongState]:
        """One target position: emits h~_i."""
        x = torch.cat([p_BE, state.fed_BJ], dim=-1) if self.input_feeding else p_BE
        hidden_BH = self.rnn.next(self.rnn.project(x), state.hidden_BH)
        context_BD, alignment_BL = self.attention(hidden_BH, state.attended)
        fed_BJ = torch.tanh(self.attentional_layer(torch.cat([context_BD, hidden_BH], dim=-1)))
        return fed_BJ, LuongState(hidden_BH, fed_BJ, alignment_BL, state.attended)

    def read_out(self, h: Tensor) -> Tensor:
        return self.output_dropout(h)
