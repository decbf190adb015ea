"""The conditional gated recurrent decoder, which looks at the source between two steps of recurrence."""

# ... = any leading dimensions, T = target positions, B = batch, N = rows of a search, L = source positions,
# D = context, E = word embedding, H = state, P = 3 H + E

from collections.abc import Sequence

import torch
from torch import Tensor

from augrnn import kernels
from augrnn.attention.additive import AdditiveAttention
from augrnn.attention.additive_steps import AdditiveSteps
from augrnn.attention.attention import Attention
from augrnn.cells.gru import GRU
from augrnn.cells.whole_sequences import GRUSteps, LayerSteps, possible, weights_of, whole
from augrnn.decoders.additive_rows import AdditiveRows, searched
from augrnn.decoders.decoder import Decoder, DecoderState
from augrnn.linear import Linear
from augrnn.products import Packed, multiply, pack, packed_product


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

    def sequence(self, p_TBP: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState] | None:
        if type(self.attention) is not AdditiveAttention or {type(self.first), type(self.second)} != {GRU}:
            return None
        first, second, look = self.first, self.second, (self.attention.query, self.attention.energy)
        pairs = (
            (first.from_hidden, first.hidden_norm),
            (second.from_input, second.input_norm),
            (second.from_hidden, second.hidden_norm),
        )
        layers = [layer for pair in pairs for layer in pair]
        if not possible(self, ConditionalDecoder.step, [*layers, *look], (p_TBP, state)):
            return None
        source, epsilon = state.attended, getattr(first.hidden_norm, "eps", 0.0)
        given = p_TBP, state.hidden_BH, *source, *(layer.weight for layer in look)
        weights = [weight for pair in pairs for weight in weights_of(*pair)]
        emitted_TBX, alignment_BL = whole(_ConditionalSteps(self.hidden_size, epsilon), *given, *weights)
        return emitted_TBX, DecoderState(emitted_TBX[-1, :, : self.hidden_size], alignment_BL, source)

    def rows(self, state: DecoderState) -> "_ConditionalRows | None":
        if {type(self.first), type(self.second)} != {GRU}:
            return None
        gates = [
            layer
            for gru in (self.first, self.second)
            for layer in (gru.from_input, gru.input_norm, gru.from_hidden, gru.hidden_norm)
        ]
        layers = *gates, self.word_layer, self.deep_layer
        if not searched(self, ConditionalDecoder, self.attention, layers, state):
            return None
        return _ConditionalRows(self, state)


class _ConditionalRows(AdditiveRows):
    """The decoder in a search."""

    def __init__(self, decoder: ConditionalDecoder, state: DecoderState) -> None:
        self.size, self.decoder = decoder.hidden_size, decoder
        deep_hidden, deep_context = decoder.deep_layer.weight.tensor_split([self.size], 1)
        super().__init__(decoder, decoder.attention, state, decoder.second.from_input.weight, deep_context)
        layers = decoder.first.from_input, decoder.first.from_hidden, decoder.second.from_hidden, decoder.word_layer
        self.first_input, self.first_hidden, self.second_hidden, self.word = (
            pack(layer.weight.t(), layer.bias) for layer in layers
        )
        self.deep = pack(deep_hidden.t())

    def step(self, words_N: Tensor) -> Tensor:
        first, second, word_NE = self.decoder.first, self.decoder.second, self.embedded(words_N)
        first_N3H = first.input_norm(packed_product(word_NE, self.first_input))
        between_NH = self._next(first, first_N3H, self.first_hidden, self.hidden_NH)
        self.look(between_NH)
        bias_N3H = second.from_input.bias.repeat(len(words_N), 1)
        second_N3H = second.input_norm(self.add_context(0, bias_N3H))
        self.hidden_NH = self._next(second, second_N3H, self.second_hidden, between_NH)
        deep_NE = self.add_context(1, packed_product(word_NE, self.word))
        return multiply(self.hidden_NH, self.deep, deep_NE, add=True).tanh_()

    def _next(self, gru: GRU, x_N3H: Tensor, weight: Packed, before_NH: Tensor) -> Tensor:
        """The recurrent half of a layer (`augrnn.cells.gru.GRU.next`)."""
        rows, size, product_N3H = len(x_N3H), self.size, gru.hidden_norm(packed_product(before_NH, weight))
        next_NH, kept_N4H = torch.empty_like(before_NH), x_N3H.new_empty(rows, 4 * size)
        kernels.call("gru_forward", rows, size, x_N3H, 3 * size, product_N3H, before_NH, size, next_NH, size, kept_N4H)
        return next_NH


class _ConditionalSteps:
    """What all steps emit and the last one's weights, from projected inputs, first state, source and weights."""

    def __init__(self, hidden_size: int, epsilon: float) -> None:
        self.hidden_size, self.epsilon = hidden_size, epsilon

    def forward(self, p_TBP: Tensor, first_BH: Tensor, *given: Tensor) -> tuple[Tensor, Tensor]:
        (steps, rows, _), size, width = p_TBP.shape, self.hidden_size, given[1].shape[2]
        weights = given[5:]
        third = len(weights) // 3
        one, context, two = weights[:third], weights[third : 2 * third], weights[2 * third :]
        self.attention = AdditiveSteps(steps, *given[:5])
        self.first = GRUSteps(steps, rows, size, self.epsilon, *one)
        self.context = LayerSteps(steps, rows, self.epsilon, *context)
        self.second = GRUSteps(steps, rows, size, self.epsilon, *two)
        self.between_TBH, x_B3H = p_TBP.new_empty(steps, rows, size), p_TBP.new_empty(rows, 3 * size)
        word_TBE = p_TBP[..., 3 * size :]
        emitted_TBX = p_TBP.new_empty(steps, rows, size + width + word_TBE.shape[2])
        emitted_TBX[..., size + width :] = word_TBE
        state_BH = first_BH.contiguous()
        parts = zip(p_TBP.unbind(), self.between_TBH.unbind(), emitted_TBX.unbind(), strict=True)
        for t, (p_BP, between_BH, emitted_BX) in enumerate(parts):
            next_BH, context_BD = emitted_BX[:, :size], emitted_BX[:, size : size + width]
            self.first.forward(t, p_BP, state_BH, between_BH)
            self.attention.forward(t, between_BH, context_BD)
            self.context.forward(t, context_BD, x_B3H)
            self.second.forward(t, x_B3H, between_BH, next_BH)
            state_BH = next_BH
        return emitted_TBX, self.attention.alignment_TBL[-1].clone()

    def backward(
        self, given: Sequence[Tensor], made: Sequence[Tensor], gradients: Sequence[Tensor | None]
    ) -> tuple[Tensor | None, ...]:
        (p_TBP, first_BH), emitted_TBX, (g_emitted, g_alignment_BL) = given[:2], made[0], gradients
        steps, size, width = len(p_TBP), self.hidden_size, given[3].shape[2]
        g_emitted_TBX = torch.zeros_like(emitted_TBX) if g_emitted is None else g_emitted
        g_p_TBP = torch.empty_like(p_TBP, memory_format=torch.contiguous_format)
        g_p_TBP[..., 3 * size :] = g_emitted_TBX[..., size + width :]
        g_context_TBD = g_emitted_TBX[..., size : size + width].clone(memory_format=torch.contiguous_format)
        before_TBH = torch.cat([first_BH.unsqueeze(0), emitted_TBX[:-1, :, :size]])
        g_BH, g_between_BH = torch.zeros_like(before_TBH[0]), torch.empty_like(before_TBH[0])
        for part in (self.attention, self.first.layer, self.context, self.second.layer):
            part.begin_backward()
        for t in reversed(range(steps)):
            between_BH = self.between_TBH[t]
            g_BH += g_emitted_TBX[t, :, :size]
            self.second.backward(t, g_BH, between_BH, self.context.g_TBN[t], g_between_BH)
            self.context.backward(t, g_context_TBD[t], add=True)
            self.attention.backward(t, g_context_TBD[t], g_alignment_BL if t == steps - 1 else None, g_between_BH)
            self.first.backward(t, g_between_BH, before_TBH[t], g_p_TBP[t], g_BH)
        g_keys, g_values, *g_look = self.attention.gradients(self.between_TBH, g_context_TBD)
        g_weights = (
            *self.first.layer.gradients(before_TBH),
            *self.context.gradients(emitted_TBX[..., size : size + width]),
            *self.second.layer.gradients(self.between_TBH),
        )
        return g_p_TBP, g_BH, g_keys, g_values, None, *g_look, *g_weights
