"""What a search needs of a model, of one or of several at once, and what it finds."""

# N = rows of the cell, V = vocabulary, L = source positions, J = what the cell gives

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from augrnn import kernels
from augrnn.cells.cell import Cell, State
from augrnn.text.token_batches import BOS, EOS, PAD

NEVER = [PAD, BOS]
"""Tokens that no target contains, so none is searched with them."""


class Model(Protocol):
    """What a search needs of a model. Its state is any tree of tensors with N rows."""

    def next(self, words_N: Tensor, state: State) -> tuple[Tensor, State]:
        """After one more word: log probabilities (N, V) of the next in nats, and the state."""

    def alignment(self, state: State) -> Tensor:
        """The weights (N, L) of the step just done; without columns if it looks at nothing."""


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

    def next(self, words_N: Tensor, state: State) -> tuple[Tensor, State]:
        y_NJ, state = self.cell(self.embed(words_N), state)
        return log_probabilities(self.logits(y_NJ)), state

    def alignment(self, state: State) -> Tensor:
        rows = pytree.tree_leaves(state)[0]
        return getattr(state, "alignment_BL", rows.new_zeros(len(rows), 0))


class Ensemble(NamedTuple):
    """Several models as one: the next word's probability is the mean of theirs.

    The alignment is the mean over the members that have one: a fixed context looks nowhere, its weights are all zero.
    The state is the tuple of the members' states.

    Attributes:
      members: at least one; all with the same target vocabulary, and looking at the same L source positions.
    """

    members: tuple[Speller, ...]

    def next(self, words_N: Tensor, state: State) -> tuple[Tensor, State]:
        steps = [member.next(words_N, its) for member, its in zip(self.members, state, strict=True)]
        log_p_NV = torch.stack([log_p_NV for log_p_NV, _ in steps]).logsumexp(0) - math.log(len(steps))
        return log_p_NV, tuple(its for _, its in steps)

    def alignment(self, state: State) -> Tensor:
        weights_KNL = torch.stack([member.alignment(its) for member, its in zip(self.members, state, strict=True)])
        looking_KN = weights_KNL.sum(-1) > 0
        return weights_KNL.sum(0) / looking_KN.sum(0).clamp_min(1)[:, None]


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
