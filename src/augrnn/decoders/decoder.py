"""Decoders: Cells whose input is the previous word and whose state holds the source that they attend to."""

# ... = any leading dimensions, B = batch, N = rows of a search, L = source positions, E = word embedding, H = state,
# J = what the vocabulary is scored from, V = vocabulary

from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from augrnn.attention.attention import Annotations, Attended, Attention
from augrnn.cells.cell import Cell, require_sizes
from augrnn.linear import Linear


class DecoderState(NamedTuple):
    """Where a decoder stands in a target.

    Attributes:
      hidden_BH: s_i.
      alignment_BL: the weights of the step just done, zero before the first.
      attended: the source it looks at, the same at every step.
    """

    hidden_BH: Tensor
    alignment_BL: Tensor
    attended: Attended


class DecoderRecord(NamedTuple):
    """What of a state is worth keeping: the same fields, less the source."""

    hidden_BH: Tensor
    alignment_BL: Tensor


class Rows(Protocol):
    """Beginnings of targets that go on a word at a time, one a row, several of a source, where no gradient is wanted.

    There is a row for each source at first.

    Attributes:
      alignment_NL: the weights of the step just done.
    """

    alignment_NL: Tensor

    def step(self, words_N: Tensor) -> Tensor:
        """After one more word of each row: the outputs (N, J)."""

    def select(self, rows_M: Tensor) -> None:
        """Go on with these rows alone, in this order; one may be there more than once."""


class Decoder(Cell):
    """What every decoder has: embeddings, a first state made from the source, and scores of the next word.

    `embed` makes inputs from token ids and `logits` makes scores of words from outputs. The first state is
    s_0 = tanh(W_s start).

    Args:
      vocabulary: number of target token ids.
      embedding_size: size of a word embedding.
      hidden_size: units of the state.
      start_size: size of the encoder's start.
      attention: where contexts come from.
      output_size: J.
      embedding_dropout: share of the embeddings' entries dropped in training.
      output_dropout: share of the outputs' entries dropped in training.
      tied: score words with their embeddings (Press and Wolf 2017), which must then be of size J.
    """

    dynamic_shapes = True

    def __init__(
        self,
        vocabulary: int,
        embedding_size: int,
        hidden_size: int,
        start_size: int,
        attention: Attention,
        output_size: int,
        embedding_dropout: float = 0.0,
        output_dropout: float = 0.0,
        tied: bool = False,
    ) -> None:
        super().__init__()
        sizes = {"vocabulary": vocabulary, "embedding_size": embedding_size, "hidden_size": hidden_size}
        require_sizes("a decoder", **sizes, start_size=start_size, output_size=output_size)
        if tied and output_size != embedding_size:
            raise ValueError(f"tied embeddings need outputs of their size {embedding_size}, not {output_size}")
        self.vocabulary, self.hidden_size, self.start_size = vocabulary, hidden_size, start_size
        self.input_size, self.output_size = embedding_size, output_size
        self.attention = attention
        self.embedding = nn.Embedding(vocabulary, embedding_size)
        self.start_layer = Linear(start_size, hidden_size)
        self.vocabulary_layer = Linear(output_size, vocabulary)
        self.embedding_dropout = nn.Dropout(embedding_dropout)
        self.output_dropout = nn.Dropout(output_dropout)
        if tied:
            self.vocabulary_layer.weight = self.embedding.weight

    def _initialise(self, *layers: nn.Linear) -> None:
        """Xavier's initialisation of these layers, of the first state's and of the vocabulary's."""
        nn.init.normal_(self.embedding.weight, std=self.input_size**-0.5)
        tied = self.vocabulary_layer.weight is self.embedding.weight
        for layer in (self.start_layer, *layers, *([] if tied else [self.vocabulary_layer])):
            nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(self.vocabulary_layer.bias)

    def start(self, annotations: Annotations) -> Any:
        """The state before the first word of a target for this source."""
        hidden_BH = torch.tanh(self.start_layer(annotations.start_BS))
        alignment_BL = torch.zeros_like(annotations.mask_BL, dtype=hidden_BH.dtype)
        return DecoderState(hidden_BH, alignment_BL, self.attention.prepare(annotations))

    def initial_state(self, batch_size: int) -> Any:
        raise TypeError("a decoder starts from annotations: give unroll the state that start(annotations) makes")

    def embed(self, words: Tensor) -> Tensor:
        """Inputs from the ids of the previous words: (...) -> (..., E)."""
        return self.embedding_dropout(self.embedding(words))

    def logits(self, y: Tensor) -> Tensor:
        """Scores of the next word from outputs: (..., J) -> (..., V)."""
        return self.vocabulary_layer(y)

    def rows(self, state: Any) -> Rows | None:
        """What a search takes instead of steps from a state of a row for each source, with the numbers of `forward`.

        None where there is nothing faster than `forward`; a decoder need not have it.
        """
        return None

    def record(self, state: Any) -> Any:
        return DecoderRecord(state.hidden_BH, state.alignment_BL)
