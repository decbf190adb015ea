"""Decoders: Cells whose input is the previous word and whose state holds the source that they attend to."""

# ... = any leading dimensions, M = target positions, B = batch, N = rows of a search, L = source positions,
# D = context, A = keys of the attention, E = word embedding, H = state, J = what the vocabulary is scored from,
# P = 3 H + 2 J, V = vocabulary

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from augrnn import kernels
from augrnn.attention.additive import AdditiveAttention
from augrnn.attention.additive_steps import AdditiveSteps
from augrnn.attention.attention import Attention
from augrnn.cells.cell import affine
from augrnn.cells.whole_sequences import possible, whole
from augrnn.decoders.additive_rows import AdditiveRows, searched
from augrnn.decoders.decoder import Decoder, DecoderState
from augrnn.initialisation import start_small
from augrnn.linear import Linear
from augrnn.products import multiply, pack, packed_product, product


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

    @affine
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

    def sequence(self, p_TBP: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState] | None:
        if type(self.attention) is not AdditiveAttention:
            return None
        layers = (
            self.gate_layer, self.candidate_layer, self.context_layer, self.attention.query, self.attention.energy
        )  # fmt: skip
        if not possible(self, AttentiveDecoder.step, layers, (p_TBP, state)):
            return None
        weights = [layer.weight for layer in layers]
        given = p_TBP, state.hidden_BH, *state.attended, *weights
        emitted_TBX, alignment_BL = whole(_AttentiveSteps(self.hidden_size), *given)
        return emitted_TBX, DecoderState(emitted_TBX[-1, :, : self.hidden_size], alignment_BL, state.attended)

    def rows(self, state: DecoderState) -> "_AttentiveRows | None":
        layers = self.word_layer, self.gate_layer, self.candidate_layer, self.context_layer, self.deep_layer
        if not searched(self, AttentiveDecoder, self.attention, layers, state):
            return None
        return _AttentiveRows(self, state)


class _AttentiveRows(AdditiveRows):
    """The decoder in a search."""

    def __init__(self, decoder: AttentiveDecoder, state: DecoderState) -> None:
        self.size, pair = decoder.hidden_size, 2 * decoder.output_size
        word_P, deep = decoder.word_layer.bias, _halves(decoder.deep_layer.weight)
        input_weight, output_weight = decoder.word_layer.weight.split([3 * self.size, pair])
        input_bias, output_bias = word_P.split([3 * self.size, pair])
        super().__init__(decoder, decoder.attention, state, decoder.context_layer.weight, deep[:, self.size :])
        self.inputs, self.outputs = (
            pack(input_weight.t(), input_bias),
            pack(_halves(output_weight).t(), _halves(output_bias)),
        )
        self.gates, self.candidates = pack(decoder.gate_layer.weight.t()), pack(decoder.candidate_layer.weight.t())
        self.deep = pack(deep[:, : self.size].t())

    def step(self, words_N: Tensor) -> Tensor:
        rows, size, before_NH = len(words_N), self.size, self.hidden_NH
        word_NE = self.embedded(words_N)
        self.look(before_NH)
        x_N3H = self.add_context(0, packed_product(word_NE, self.inputs))
        kept_N3H, reset_NH, next_NH = torch.empty_like(x_N3H), torch.empty_like(before_NH), torch.empty_like(before_NH)
        gates_N2H = packed_product(before_NH, self.gates)
        kernels.call("attentive_gates_forward", rows, size, x_N3H, gates_N2H, before_NH, size, kept_N3H, reset_NH)
        candidate_NH = packed_product(reset_NH, self.candidates)
        kernels.call(
            "attentive_next_forward", rows, size, x_N3H, candidate_NH, before_NH, size, next_NH, size, kept_N3H
        )
        self.hidden_NH = next_NH
        deep_N2J = multiply(next_NH, self.deep, self.add_context(1, packed_product(word_NE, self.outputs)), add=True)
        return torch.maximum(*deep_N2J.chunk(2, dim=-1))


def _halves(pairs: Tensor) -> Tensor:
    """The first of each pair of rows, then the second of each: the maxout is then over two halves."""
    return pairs.unflatten(0, (-1, 2)).transpose(0, 1).flatten(0, 1)


class _AttentiveSteps:
    """What all steps emit and the last one's weights, from projected inputs, first state, source and weights."""

    def __init__(self, hidden_size: int) -> None:
        self.hidden_size = hidden_size

    def forward(
        self,
        p_TBP: Tensor,
        first_BH: Tensor,
        keys_BLA: Tensor,
        values_BLD: Tensor,
        mask_BL: Tensor,
        gate: Tensor,
        candidate: Tensor,
        context: Tensor,
        query: Tensor,
        energy: Tensor,
    ) -> tuple[Tensor, Tensor]:
        (steps, rows, _), size, width = p_TBP.shape, self.hidden_size, values_BLD.shape[2]
        self.attention = AdditiveSteps(steps, keys_BLA, values_BLD, mask_BL, query, energy)
        gates, candidates, contexts = (pack(weight.t()) for weight in (gate, candidate, context))
        x_TB3H, word_TB2J = p_TBP[..., : 3 * size].contiguous(), p_TBP[..., 3 * size :]
        emitted_TBX = p_TBP.new_empty(steps, rows, size + width + word_TB2J.shape[2])
        emitted_TBX[..., size + width :] = word_TB2J
        self.kept_TB3H = torch.empty_like(x_TB3H)
        self.reset_TBH = p_TBP.new_empty(steps, rows, size)
        gates_B2H, candidate_BH = p_TBP.new_empty(rows, 2 * size), p_TBP.new_empty(rows, size)
        state_BH = first_BH.contiguous()
        for t, (x_B3H, emitted_BX) in enumerate(zip(x_TB3H.unbind(), emitted_TBX.unbind(), strict=True)):
            next_BH, context_BD = emitted_BX[:, :size], emitted_BX[:, size : size + width]
            kept_B3H, reset_BH, stride = self.kept_TB3H[t], self.reset_TBH[t], state_BH.stride(0)
            self.attention.forward(t, state_BH, context_BD)
            multiply(context_BD, contexts, x_B3H, add=True)
            multiply(state_BH, gates, gates_B2H)
            kernels.call("attentive_gates_forward", rows, size, x_B3H, gates_B2H, state_BH, stride, kept_B3H, reset_BH)
            multiply(reset_BH, candidates, candidate_BH)
            kernels.call(
                "attentive_next_forward", rows, size, x_B3H, candidate_BH, state_BH, stride, next_BH,
                next_BH.stride(0), kept_B3H,
            )  # fmt: skip
            state_BH = next_BH
        return emitted_TBX, self.attention.alignment_TBL[-1].clone()

    def backward(
        self, given: Sequence[Tensor], made: Sequence[Tensor], gradients: Sequence[Tensor | None]
    ) -> tuple[Tensor | None, ...]:
        p_TBP, first_BH = given[:2]
        gate, candidate, context = given[5:8]
        (steps, rows, _), size, width = p_TBP.shape, self.hidden_size, context.shape[1]
        emitted_TBX, (g_emitted, g_alignment_BL) = made[0], gradients
        g_emitted_TBX = torch.zeros_like(emitted_TBX) if g_emitted is None else g_emitted
        g_p_TBP = torch.empty_like(p_TBP, memory_format=torch.contiguous_format)
        g_p_TBP[..., 3 * size :] = g_emitted_TBX[..., size + width :]
        g_context_TBD = g_emitted_TBX[..., size : size + width].clone(memory_format=torch.contiguous_format)
        gates, candidates, contexts = pack(gate), pack(candidate), pack(context)
        before_TBH = torch.cat([first_BH.unsqueeze(0), emitted_TBX[:-1, :, :size]])
        g_BH, g_before_BH = torch.zeros_like(before_TBH[0]), torch.empty_like(before_TBH[0])
        g_reset_BH = torch.empty_like(g_BH)
        self.attention.begin_backward()
        for t in reversed(range(steps)):
            g_BH += g_emitted_TBX[t, :, :size]
            g_x_B3H, before_BH, kept_B3H = g_p_TBP[t, :, : 3 * size], before_TBH[t], self.kept_TB3H[t]
            stride = g_x_B3H.stride(0)
            kernels.call(
                "attentive_next_backward", rows, size, g_BH, kept_B3H, before_BH, size, g_x_B3H, stride, g_before_BH
            )
            multiply(g_x_B3H[:, 2 * size :], candidates, g_reset_BH)
            kernels.call(
                "attentive_gates_backward", rows, size, g_reset_BH, kept_B3H, before_BH, size, g_x_B3H, stride,
                g_before_BH,
            )  # fmt: skip
            multiply(g_x_B3H, contexts, g_context_TBD[t], add=True)
            self.attention.backward(t, g_context_TBD[t], g_alignment_BL if t == steps - 1 else None, g_before_BH)
            multiply(g_x_B3H[:, : 2 * size], gates, g_before_BH, add=True)
            g_BH, g_before_BH = g_before_BH, g_BH
        g_x_N3H, before_NH = g_p_TBP[..., : 3 * size].flatten(0, 1), before_TBH.flatten(0, 1)
        g_gate = product(g_x_N3H[:, : 2 * size].t(), before_NH)
        g_candidate = product(g_x_N3H[:, 2 * size :].t(), self.reset_TBH.flatten(0, 1))
        g_context = product(g_x_N3H.t(), emitted_TBX[..., size : size + width].flatten(0, 1))
        g_keys, g_values, g_query, g_energy = self.attention.gradients(before_TBH, g_context_TBD)
        return g_p_TBP, g_BH, g_keys, g_values, None, g_gate, g_candidate, g_context, g_query, g_energy
