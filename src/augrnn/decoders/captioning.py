"""The LSTM that describes pictures, which weighs all that it sees against what it knows of the language."""

# ... = any leading dimensions, M = target positions, B = batch, L = places, S = start, D = context, E = word embedding,
# H = state, P = 5 H + E, or 4 H + E where attention is asked with the state alone

from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn

from augrnn.attention.attention import Annotations, Attended, Attention
from augrnn.cells.lstm import lstm_update
from augrnn.decoders.decoder import Decoder
from augrnn.linear import Linear
from augrnn.text.token_batches import BOS

FirstInput = Literal["zero", "symbol"]


class CaptionRecord(NamedTuple):
    """What of a step is worth keeping.

    Attributes:
      hidden_BH: h_t.
      alignment_BL: the weights that made the context: the attention's, or 1 at the place that a hard one looked at.
      chances_BL: the attention's distribution over places.
      beta_B: how much of the context was let in, 0 to 1.
    """

    hidden_BH: Tensor
    alignment_BL: Tensor
    chances_BL: Tensor
    beta_B: Tensor


class CaptionState(NamedTuple):
    """Attributes: memory_BH, the LSTM's memory cells; attended, the picture; the others as in `CaptionRecord`."""

    hidden_BH: Tensor
    memory_BH: Tensor
    alignment_BL: Tensor
    chances_BL: Tensor
    beta_B: Tensor
    attended: Attended


class CaptionDecoder(Decoder):
    """The decoder of Xu et al. 2015 (sections 3.1.2 and 4.2.1), for any attention.

    With y the embedding of the previous word, and the context z^ that attention gives for h_{t-1},

      beta_t = sigmoid(f_beta(h_{t-1}))                   (section 4.2.1; one number)
      z_t = beta_t z^_t
      h_t, m_t = LSTM([y; h_{t-1}; z_t], m_{t-1})         (Eqs. 1 to 3)
      o_t = dropout(tanh(L_h dropout(h_t) + y + L_z z_t)) (Eq. 7, as its code has it)

    and words are scored from o_t, of the size of embeddings. h_0 and m_0 come from the encoder's start, the mean
    annotation, each by a layer with ReLU and one with tanh. Weights start by Xavier's rule, recurrent ones orthogonal,
    where the paper's code has N(0, .01^2); biases are zero.

    Args:
      first_input: what stands for the word before the first: "zero", a zero vector as in the paper's code, or "symbol",
        a learned embedding.
      gated: whether there is a beta; without it, it is 1.
      word_in_query: ask attention with h_{t-1} + W_q y. The paper asks with h_{t-1} alone, which was made before the
        previous word was chosen: after "a red" it cannot know which of two things is to be named.
      vocabulary, embedding_size, hidden_size, start_size, attention, embedding_dropout, output_dropout: see Decoder.
        The outputs' dropout is that of h_t as well.
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
        first_input: FirstInput = "zero",
        gated: bool = True,
        word_in_query: bool = False,
    ) -> None:
        sizes = vocabulary, embedding_size, hidden_size, start_size
        super().__init__(*sizes, attention, embedding_size, embedding_dropout, output_dropout)
        if first_input not in get_args(FirstInput):
            raise ValueError(f"the first input is {' or '.join(get_args(FirstInput))}, not {first_input}")
        self.first_input = first_input
        self.first_hidden = Linear(hidden_size, hidden_size)
        self.memory_layer = Linear(start_size, hidden_size)
        self.first_memory = Linear(hidden_size, hidden_size)
        self.gate = nn.Linear(hidden_size, 1) if gated else None
        self.query_layer = Linear(embedding_size, hidden_size, bias=False) if word_in_query else None
        self.word_layer = Linear(embedding_size, 4 * hidden_size)
        self.hidden_layer = Linear(hidden_size, 4 * hidden_size, bias=False)
        self.context_layer = Linear(attention.context_size, 4 * hidden_size, bias=False)
        self.deep_layer = Linear(hidden_size + attention.context_size, embedding_size)
        starts = (self.first_hidden, self.memory_layer, self.first_memory, *([self.gate] if self.gate else []))
        queries = [self.query_layer] if self.query_layer else []
        self._initialise(*starts, *queries, self.word_layer, self.context_layer, self.deep_layer)
        for layer in (self.start_layer, *starts, self.word_layer, self.deep_layer):
            nn.init.zeros_(layer.bias)
        for recurrent_HH in self.hidden_layer.weight.data.chunk(4):
            nn.init.orthogonal_(recurrent_HH)

    def start(self, annotations: Annotations) -> CaptionState:
        hidden_BH = torch.tanh(self.first_hidden(torch.relu(self.start_layer(annotations.start_BS))))
        memory_BH = torch.tanh(self.first_memory(torch.relu(self.memory_layer(annotations.start_BS))))
        nowhere_BL = torch.zeros_like(annotations.mask_BL, dtype=hidden_BH.dtype)
        beta_B = hidden_BH.new_zeros(len(hidden_BH))
        attended = self.attention.prepare(annotations)
        return CaptionState(hidden_BH, memory_BH, nowhere_BL, nowhere_BL, beta_B, attended)

    def embed(self, words: Tensor) -> Tensor:
        embedded = super().embed(words)
        return embedded * (words != BOS).unsqueeze(-1) if self.first_input == "zero" else embedded

    def project(self, x: Tensor) -> Tensor:
        queries = [self.query_layer(x)] if self.query_layer else []
        return torch.cat([self.word_layer(x), x, *queries], dim=-1)

    def step(self, p_BP: Tensor, state: CaptionState) -> tuple[Tensor, CaptionState]:
        """One word: emits h_t, z_t and the embedding of the word before."""
        word_BG, word_BE, asked_BH = p_BP.tensor_split(
            [4 * self.hidden_size, 4 * self.hidden_size + self.input_size], -1
        )
        query_BH = state.hidden_BH + asked_BH if self.query_layer else state.hidden_BH
        context_BD, alignment_BL, chances_BL = self.attention.look(query_BH, state.attended)
        if self.gate is None:
            beta_B = torch.ones_like(state.beta_B)
        else:
            beta_B = torch.sigmoid(self.gate(state.hidden_BH)).squeeze(-1)
        seen_BD = beta_B.unsqueeze(-1) * context_BD
        gates_BG = word_BG + self.hidden_layer(state.hidden_BH) + self.context_layer(seen_BD)
        hidden_BH, memory_BH = lstm_update(gates_BG, state.memory_BH)
        emitted = torch.cat([hidden_BH, seen_BD, word_BE], dim=-1)
        return emitted, CaptionState(hidden_BH, memory_BH, alignment_BL, chances_BL, beta_B, state.attended)

    def read_out(self, h: Tensor) -> Tensor:
        """The deep output o: (..., H + D + E) -> (..., E)."""
        hidden, seen, word = h.split([self.hidden_size, self.attention.context_size, self.input_size], dim=-1)
        looked = torch.cat([self.output_dropout(hidden), seen], dim=-1)
        return self.output_dropout(torch.tanh(self.deep_layer(looked) + word))

    def record(self, state: CaptionState) -> CaptionRecord:
        return CaptionRecord(state.hidden_BH, state.alignment_BL, state.chances_BL, state.beta_B)
