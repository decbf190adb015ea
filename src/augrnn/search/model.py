"""What a search needs of a model, of one or of several at once, and what it finds."""

# B = batch, S = sources, N = rows, M = rows that go on, V = vocabulary, L = source positions, J = what the cell gives,
# K = members of an ensemble

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from augrnn import kernels
from augrnn.cells.cell import Cell, State
from augrnn.decoders.decoder import Decoder, Rows
from augrnn.products import Packed, pack, packed_product
from augrnn.text.token_batches import BOS, EOS, PAD

NEVER = [PAD, BOS]
"""Tokens that no target contains, so none is searched with them."""


class Scores(NamedTuple):
    """How likely words are as the next of each row.

    Attributes:
      outputs_NJ: what they are scored from; log probabilities themselves where `log_p` gives them back.
      log_p: from `outputs_NJ` to log probabilities (N, V) in nats.
      vocabulary: the layer that scores words, ready for products of our own; None where there is none.
    """

    outputs_NJ: Tensor
    log_p: Callable[[Tensor], Tensor]
    vocabulary: Packed | None = None

    def all(self) -> Tensor:
        """Log probabilities (N, V) in nats."""
        return self.log_p(self.outputs_NJ)


class Walk(Protocol):
    """A model on its way through targets: beginnings of them, one a row, several of a source; at first one of each."""

    def next(self, words_N: Tensor) -> Scores:
        """After one more word of each row: how likely the next ones are."""

    def alignment(self) -> Tensor:
        """The weights (N, L) of the step just done; without columns if the model looks at nothing."""

    def select(self, rows_M: Tensor) -> None:
        """Go on with these rows alone, in this order; one may be there more than once."""


class Model(Protocol):
    """What a search needs of a model."""

    def walk(self, state: State) -> Walk:
        """Begin targets from a state, any tree of tensors with a row for each source."""


def log_probabilities(scores_NV: Tensor) -> Tensor:
    """In nats, -inf for the tokens that never come."""
    if kernels.possible(scores_NV) and scores_NV.is_contiguous():
        log_p_NV = torch.empty_like(scores_NV)
        kernels.call("log_softmax_without", *scores_NV.shape, *NEVER, scores_NV, log_p_NV)
        return log_p_NV
    return scores_NV.index_fill(-1, torch.tensor(NEVER, device=scores_NV.device), -torch.inf).log_softmax(-1)


class Speller(NamedTuple):
    """One model.

    Attributes:
      cell: one step of the decoder. If its state has a field `alignment_BL`, hypotheses carry it.
      embed: token ids (...) to the cell's inputs (..., E).
      logits: the cell's outputs (..., J) to scores of the next token (..., V).
    """

    cell: Cell
    embed: Callable[[Tensor], Tensor]
    logits: Callable[[Tensor], Tensor]

    def walk(self, state: State) -> Walk:
        cell = self.cell
        if isinstance(cell, Decoder) and (self.embed, self.logits) == (cell.embed, cell.logits):
            rows = cell.rows(state)
            if rows is not None:
                return _InRows(rows, cell.vocabulary_layer)
        return _Stepped(self, state)


class _Stepped:
    """A cell's steps, where each row has a state of its own, with what it needs of the source."""

    def __init__(self, model: Speller, state: State) -> None:
        self._model, self._state = model, state
        leaves = pytree.tree_leaves(state)
        self._constant = [True] * len(leaves)  # the same for all rows of a source from the start
        self._source_N = torch.arange(len(leaves[0]), device=leaves[0].device)

    def alignment(self) -> Tensor:
        rows = pytree.tree_leaves(self._state)[0]
        return getattr(self._state, "alignment_BL", rows.new_zeros(len(rows), 0))

    def next(self, words_N: Tensor) -> Scores:
        before = pytree.tree_leaves(self._state)
        y_NJ, self._state = self._model.cell(self._model.embed(words_N), self._state)
        after = pytree.tree_leaves(self._state)
        self._constant = [so and new is old for so, new, old in zip(self._constant, after, before, strict=True)]
        return Scores(y_NJ, self._log_p)

    def _log_p(self, y_NJ: Tensor) -> Tensor:
        return log_probabilities(self._model.logits(y_NJ))

    def select(self, rows_M: Tensor) -> None:
        # Rows that stay with their sources need nothing new of these.
        source_M = self._source_N[rows_M]
        stay = torch.equal(source_M, self._source_N)
        leaves, tree = pytree.tree_flatten(self._state)
        kept = [
            leaf if stay and constant else leaf[rows_M] for leaf, constant in zip(leaves, self._constant, strict=True)
        ]
        self._state, self._source_N = pytree.tree_unflatten(kept, tree), source_M


class _InRows:
    """A decoder that has rows of its own."""

    def __init__(self, rows: Rows, layer: nn.Linear) -> None:
        self._rows, self._vocabulary = rows, pack(layer.weight.t(), layer.bias)
        self.select = rows.select

    def alignment(self) -> Tensor:
        return self._rows.alignment_NL

    def next(self, words_N: Tensor) -> Scores:
        return Scores(self._rows.step(words_N), self._log_p, self._vocabulary)

    def _log_p(self, y_NJ: Tensor) -> Tensor:
        return log_probabilities(packed_product(y_NJ, self._vocabulary))


def mean_alignment(weights: Sequence[Tensor]) -> Tensor:
    """The mean of the weights (..., L) of several models, of those that look anywhere: others are all zero."""
    weights_K = torch.stack(list(weights))
    looking_K = weights_K.sum(-1) > 0
    return weights_K.sum(0) / looking_K.sum(0).clamp_min(1).unsqueeze(-1)


class Ensemble(NamedTuple):
    """Several models as one: the next word's probability is the mean of theirs.

    The alignment is the mean over the members that have one: a fixed context looks nowhere, its weights are all zero.
    The state is the tuple of the members' states.

    Attributes:
      members: at least one; all with the same target vocabulary, and looking at the same L source positions.
    """

    members: tuple[Model, ...]

    def walk(self, state: State) -> Walk:
        walks = [member.walk(its) for member, its in zip(self.members, state, strict=True)]
        return _Together(walks) if len(walks) > 1 else walks[0]


class _Together:
    """The members of an ensemble."""

    def __init__(self, walks: list[Walk]) -> None:
        self._walks = walks

    def alignment(self) -> Tensor:
        return mean_alignment([walk.alignment() for walk in self._walks])

    def next(self, words_N: Tensor) -> Scores:
        log_p_KNV = torch.stack([walk.next(words_N).all() for walk in self._walks])
        return Scores(log_p_KNV.logsumexp(0) - math.log(len(self._walks)), lambda log_p_NV: log_p_NV)

    def select(self, rows_M: Tensor) -> None:
        for walk in self._walks:
            walk.select(rows_M)


class Hypothesis(NamedTuple):
    """One target found for a source.

    Attributes:
      tokens: token ids up to EOS, without it.
      score: what hypotheses are ranked by: log_probability over the length penalty.
      log_probability: of the tokens and, unless the limit cut it off, of EOS, in nats.
      alignment: (len(tokens), L) weights, a row for each token; without columns if the model has none.
    """

    tokens: list[int]
    score: float
    log_probability: float
    alignment: Tensor


def hypotheses(tokens_NT: Tensor, score_N: Tensor, total_N: Tensor, alignments_NTL: Tensor) -> list[Hypothesis]:
    """What a search found, as it is shown: the words without EOS and what follows it.

    Args:
      tokens_NT: token ids (N, T).
      score_N: what hypotheses are ranked by, (N,).
      total_N: log probabilities (N,) in nats.
      alignments_NTL: the weights (N, T, L) of each step.
    """
    lengths = ((tokens_NT != PAD) & (tokens_NT != EOS)).sum(1).tolist()
    rows = zip(tokens_NT.tolist(), lengths, score_N.tolist(), total_N.tolist(), alignments_NTL, strict=True)
    return [Hypothesis(words[:n], score, total, weights[:n]) for words, n, score, total, weights in rows]
