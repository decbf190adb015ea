"""The LSTM that describes pictures, which weighs all that it sees against what it knows of the language."""

# ... = any leading dimensions, T = target positions, B = batch, N = rows of a search, M = rows that go on, L = places,
# S = start, D = context, E = word embedding, H = state, P = 5 H + E, or 4 H + E where attention is asked with the state
# alone

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn

from augrnn import kernels
from augrnn.attention.attention import Annotations, Attended, Attention, AttentionSteps
from augrnn.attention.hard import HardAttention
from augrnn.cells.lstm import lstm_update
from augrnn.cells.whole_sequences import possible, whole
from augrnn.decoders.additive_rows import AdditiveRows, searched
from augrnn.decoders.decoder import Decoder
from augrnn.linear import Linear
from augrnn.products import multiply, pack, packed_product, product
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

    def sequence(self, p_TBP: Tensor, state: CaptionState) -> tuple[Tensor, CaptionState] | None:
        found = self.recorded_sequence(p_TBP, state)
        return None if found is None else found[:2]

    def recorded_sequence(
        self, p_TBP: Tensor, state: CaptionState
    ) -> tuple[Tensor, CaptionState, CaptionRecord] | None:
        look = self.attention.sequenced(state.attended)
        if look is None:
            return None
        gate = [] if self.gate is None else [self.gate]
        layers = (self.hidden_layer, self.context_layer, *gate, *look.layers)
        if not possible(self, CaptionDecoder.step, layers, (p_TBP, state)):
            return None
        weights = [weight for layer in layers[: 2 + len(gate)] for weight in layer.parameters()]
        asking = [layer.weight for layer in look.layers]
        steps = _CaptionSteps(look.steps, self.hidden_size, self.input_size, len(gate) > 0)
        firsts = state.hidden_BH, state.memory_BH
        emitted_TBX, memory_BH, chances_TBL, alignment_TBL, beta_TB = whole(
            steps, p_TBP, *firsts, *weights, *state.attended[:3], *asking
        )
        if not steps.draws:
            alignment_TBL = chances_TBL
        records = CaptionRecord(emitted_TBX[..., : self.hidden_size], alignment_TBL, chances_TBL, beta_TB)
        hidden_BH, alignment_BL, chances_BL, beta_B = (part[-1] for part in records)
        last = CaptionState(hidden_BH, memory_BH, alignment_BL, chances_BL, beta_B, state.attended)
        return emitted_TBX, last, records

    def rows(self, state: CaptionState) -> "_CaptionRows | None":
        attention = self.attention
        if type(attention) is HardAttention and attention.decoding == "expectation":
            attention = attention.attention
        gate, queries = [] if self.gate is None else [self.gate], [self.query_layer] if self.query_layer else []
        layers = self.word_layer, self.hidden_layer, self.context_layer, self.deep_layer, *gate, *queries
        if not searched(self, CaptionDecoder, attention, layers, state):
            return None
        return _CaptionRows(self, attention, state)


class _CaptionRows(AdditiveRows):
    """The decoder in a search. It has few rows a source and many places: contexts go through layers, not places."""

    def __init__(self, decoder: CaptionDecoder, attention: Attention, state: CaptionState) -> None:
        super().__init__(decoder, attention, state._replace(attended=Attended(*state.attended[:3])), None)
        self.decoder, self.memory_NH = decoder, state.memory_BH.contiguous()
        self.gate = (None, None) if decoder.gate is None else (decoder.gate.weight, decoder.gate.bias)
        deep_hidden, deep_context = decoder.deep_layer.weight.tensor_split([decoder.hidden_size], 1)
        self.word = pack(decoder.word_layer.weight.t(), decoder.word_layer.bias)
        self.hidden, self.context = pack(decoder.hidden_layer.weight.t()), pack(decoder.context_layer.weight.t())
        self.deep = pack(deep_hidden.t(), decoder.deep_layer.bias)
        self.deep_context = pack(deep_context.t())

    def step(self, words_N: Tensor) -> Tensor:
        decoder, before_NH = self.decoder, self.hidden_NH
        word_NE, (rows, size) = decoder.embed(words_N), before_NH.shape
        self.look(before_NH + decoder.query_layer(word_NE) if decoder.query_layer else before_NH)
        width = decoder.attention.context_size
        context_ND = self.add_context(0, before_NH.new_zeros(rows, width))
        beta_N, seen_ND = before_NH.new_empty(rows), torch.empty_like(context_ND)
        kernels.call("beta_forward", rows, size, width, before_NH, size, *self.gate, context_ND, beta_N, seen_ND, width)
        gates_NG = multiply(seen_ND, self.context, packed_product(word_NE, self.word), add=True)
        multiply(before_NH, self.hidden, gates_NG, add=True)
        next_NH, memory_NH = torch.empty_like(before_NH), torch.empty_like(before_NH)
        kernels.call("lstm_forward", rows, size, gates_NG, self.memory_NH, next_NH, size, memory_NH)
        self.hidden_NH, self.memory_NH = next_NH, memory_NH
        deep_NE = multiply(seen_ND, self.deep_context, packed_product(next_NH, self.deep), add=True)
        return deep_NE.add_(word_NE).tanh_()

    def select(self, rows_M: Tensor) -> None:
        super().select(rows_M)
        self.memory_NH = self.memory_NH[rows_M]


class _CaptionSteps:
    """What all steps emit, the last memory cells, chances, weights of places, which have no gradient, and betas.

    They are made from projected inputs, first state and memory cells, weights, source, and weights of the attention.
    """

    def __init__(self, look: Callable[..., AttentionSteps], hidden_size: int, word_size: int, gated: bool) -> None:
        self.look, self.hidden_size, self.word_size = look, hidden_size, word_size
        self.weights = 4 if gated else 2

    def _parts(self, given: Sequence[Tensor]) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
        """Weights, and what the attention is made of."""
        return given[3 : 3 + self.weights], given[3 + self.weights :]

    def forward(self, *given: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        p_TBP, first_BH, memory_BH = given[:3]
        (hidden, context, *gate), source = self._parts(given)
        (steps, rows, _), size, width = p_TBP.shape, self.hidden_size, context.shape[1]
        self.attention = attention = self.look(steps, *source)
        self.draws = attention.alignment_TBL is not attention.chances_TBL
        hiddens, contexts = pack(hidden.t()), pack(context.t())
        self.gates_TBG = p_TBP[..., : 4 * size].contiguous()
        word_TBE, asked_TBH = p_TBP[..., 4 * size :].tensor_split([self.word_size], -1)
        emitted_TBX = p_TBP.new_empty(steps, rows, size + width + self.word_size)
        emitted_TBX[..., size + width :] = word_TBE
        self.context_TBD, beta_TB = p_TBP.new_empty(steps, rows, width), p_TBP.new_empty(steps, rows)
        self.memory_SBH = torch.cat([memory_BH.unsqueeze(0), p_TBP.new_empty(steps, rows, size)])
        self.query_TBH = p_TBP.new_empty(steps, rows, size)
        state_BH, pair = first_BH.contiguous(), gate or (None, None)
        for t, emitted_BX in enumerate(emitted_TBX.unbind()):
            gates_BG, context_BD, query_BH = self.gates_TBG[t], self.context_TBD[t], self.query_TBH[t]
            next_BH, seen_BD = emitted_BX[:, :size], emitted_BX[:, size : size + width]
            query_BH.copy_(state_BH)
            if asked_TBH.shape[2]:
                query_BH += asked_TBH[t]
            attention.forward(t, query_BH, context_BD)
            kernels.call(
                "beta_forward", rows, size, width, state_BH, state_BH.stride(0), *pair, context_BD, beta_TB[t], seen_BD,
                seen_BD.stride(0),
            )  # fmt: skip
            multiply(seen_BD, contexts, gates_BG, add=True)
            multiply(state_BH, hiddens, gates_BG, add=True)
            kernels.call(
                "lstm_forward", rows, size, gates_BG, self.memory_SBH[t], next_BH, next_BH.stride(0),
                self.memory_SBH[t + 1],
            )  # fmt: skip
            state_BH = next_BH
        last_BH, chances_TBL = self.memory_SBH[-1].clone(), attention.chances_TBL.clone()
        return emitted_TBX, last_BH, chances_TBL, attention.alignment_TBL, beta_TB

    def backward(
        self, given: Sequence[Tensor], made: Sequence[Tensor], gradients: Sequence[Tensor | None]
    ) -> tuple[Tensor | None, ...]:
        p_TBP, first_BH, _ = given[:3]
        (hidden, context, *gate), _ = self._parts(given)
        (steps, rows, _), size, width = p_TBP.shape, self.hidden_size, context.shape[1]
        emitted_TBX, _, _, _, beta_TB = made
        g_emitted, g_memory, g_chances, _, g_beta = gradients
        g_emitted_TBX = torch.zeros_like(emitted_TBX) if g_emitted is None else g_emitted
        g_p_TBP = torch.empty_like(p_TBP, memory_format=torch.contiguous_format)
        g_p_TBP[..., 4 * size : 4 * size + self.word_size] = g_emitted_TBX[..., size + width :]
        g_asked_TBH = g_p_TBP[..., 4 * size + self.word_size :]
        g_context_TBD = g_emitted_TBX[..., size : size + width].clone(memory_format=torch.contiguous_format)
        hiddens, contexts = pack(hidden), pack(context)
        before_TBH = torch.cat([first_BH.unsqueeze(0), emitted_TBX[:-1, :, :size]])
        g_memory_BH = torch.zeros_like(first_BH) if g_memory is None else g_memory.clone()
        g_BH, g_before_BH = torch.zeros_like(before_TBH[0]), torch.empty_like(before_TBH[0])
        g_opening_TB = torch.empty_like(beta_TB)
        g_chances_TBL = None if g_chances is None else g_chances.contiguous()
        g_beta_TB = None if g_beta is None else g_beta.contiguous()
        self.attention.begin_backward()
        for t in reversed(range(steps)):
            g_BH += g_emitted_TBX[t, :, :size]
            g_x_BG = g_p_TBP[t, :, : 4 * size]
            kernels.call(
                "lstm_backward", rows, size, g_BH, g_memory_BH, self.gates_TBG[t], self.memory_SBH[t],
                self.memory_SBH[t + 1], g_x_BG, g_x_BG.stride(0),
            )  # fmt: skip
            multiply(g_x_BG, contexts, g_context_TBD[t], add=True)
            g_before_BH.zero_()
            chances = None if g_chances_TBL is None else g_chances_TBL[t]
            opened = None if g_beta_TB is None else g_beta_TB[t]
            kernels.call(
                "beta_backward", rows, width, g_context_TBD[t], opened, self.context_TBD[t], beta_TB[t], g_opening_TB[t]
            )
            self.attention.backward(t, g_context_TBD[t], chances, g_before_BH)
            if g_asked_TBH.shape[2]:
                g_asked_TBH[t] = g_before_BH
            if gate:
                g_before_BH.addr_(g_opening_TB[t], gate[0][0])
            multiply(g_x_BG, hiddens, g_before_BH, add=True)
            g_BH, g_before_BH = g_before_BH, g_BH
        g_x_NG, before_NH = g_p_TBP[..., : 4 * size].flatten(0, 1), before_TBH.flatten(0, 1)
        g_hidden = product(g_x_NG.t(), before_NH)
        g_context = product(g_x_NG.t(), emitted_TBX[..., size : size + width].flatten(0, 1))
        g_gate = [g_opening_TB.view(1, -1) @ before_NH, g_opening_TB.sum().view(1)] if gate else []
        g_keys, g_values, *g_asking = self.attention.gradients(self.query_TBH, g_context_TBD)
        return g_p_TBP, g_BH, g_memory_BH, g_hidden, g_context, *g_gate, g_keys, g_values, None, *g_asking
