"""What decoders with additive attention have in common in a search; see `augrnn.decoders.decoder.Rows`."""

# S = sources, N = rows of a search, M = rows that go on, L = source positions, D = context, E = word embedding,
# H = state, X = what a layer makes of a context

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from augrnn.attention.additive import AdditiveAttention
from augrnn.attention.additive_sources import AdditiveSources, within
from augrnn.attention.attention import Attention
from augrnn.cells.whole_sequences import possible
from augrnn.decoders.decoder import Decoder
from augrnn.products import pack, packed_product


def searched(
    decoder: Decoder, kind: type[Decoder], attention: Attention, layers: Sequence[nn.Module], state: Any
) -> bool:
    """Whether rows that were written for a kind of decoder may stand for its steps.

    Args:
      decoder: the decoder.
      kind: what it must be.
      attention: what it looks with.
      layers: all that it calls beside attention and the vocabulary's: plain linear layers, normalisations or none.
      state: where it starts.
    """
    if type(decoder) is not kind or type(attention) is not AdditiveAttention:
        return False
    if decoder.training or torch.is_grad_enabled():
        return False
    others = attention.query, attention.energy, decoder.vocabulary_layer
    return possible(decoder, kind.step, [*layers, *others], state) and within(state.attended)


class AdditiveRows:
    """Rows that look at their sources.

    Args:
      decoder: the decoder.
      attention: what it looks with: additive attention.
      state: of each source.
      layers: weights (X, D) of the layers that contexts go through; None for the context itself.

    Attributes:
      hidden_NH: the state of each row.
      source_N: the number of its source.
      alignment_NL: the weights of the last look.
    """

    def __init__(self, decoder: Decoder, attention: Attention, state: Any, *layers: Tensor | None) -> None:
        assert isinstance(attention, AdditiveAttention)
        self._embedding, self._query = decoder.embedding, pack(attention.query.weight.t())
        self._sources = AdditiveSources(state.attended, attention.energy.weight, *layers)
        self.hidden_NH, self.alignment_NL = state.hidden_BH.contiguous(), state.alignment_BL
        self.source_N = torch.arange(len(self.hidden_NH))

    def embedded(self, words_N: Tensor) -> Tensor:
        """The embeddings (N, E) of words."""
        word_NE: Tensor = self._embedding(words_N)
        return word_NE

    def look(self, asked_NH: Tensor) -> None:
        """Look at the sources from these states."""
        self.alignment_NL = self._sources.look(packed_product(asked_NH, self._query), self.source_N)

    def add_context(self, number: int, out_NX: Tensor) -> Tensor:
        """Add to `out_NX` what the layer of this number makes of the contexts; gives it back."""
        self._sources.add(number, self.alignment_NL, self.source_N, out_NX)
        return out_NX

    def select(self, rows_M: Tensor) -> None:
        self.hidden_NH, self.source_N = self.hidden_NH[rows_M], self.source_N[rows_M]
