"""Decoding a target: greedy and beam search over any cell whose input is the previous word, or over several."""

# B = batch, K = beam, S = sentences still searched, N = rows of the cell (S K, the K of a sentence side by side),
# V = vocabulary, T = steps, L = source positions, H = hypotheses found

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from augrnn import kernels
from augrnn.cells.cell import State
from augrnn.search.model import Hypothesis, Model, hypotheses
from augrnn.text.token_batches import BOS, EOS, PAD


def length_penalty(length: Tensor, alpha: float) -> Tensor:
    """((5 + length) / 6)^alpha, EOS counted (Wu et al. 2016, Eq. 14). alpha = 0 is no penalty."""
    return ((5 + length) / 6) ** alpha


class _Beam(NamedTuple):
    """Hypotheses under way, one a row.

    Attributes:
      state: the model's state.
      same: for each tensor of the state whether it has been the same for all rows of a sentence from the start: what is
        of the source need not be reordered. A step that gives such a tensor back untouched leaves it so.
      row_N: which row of the last step each row is.
      sentence_N: the number of its sentence in the batch.
      limit_N: most tokens.
      word_N: the token chosen last, PAD behind EOS.
      total_N: log probability, in nats; -inf in rows that hold no hypothesis.
      length_N: number of tokens, EOS included.
      done_N: True where nothing more is added.
    """

    state: State
    same: tuple[bool, ...]
    row_N: Tensor
    sentence_N: Tensor
    limit_N: Tensor
    word_N: Tensor
    total_N: Tensor
    length_N: Tensor
    done_N: Tensor


class _History(NamedTuple):
    """What is kept of the steps, in one piece from the start.

    Attributes:
      word_TN: the token of each row.
      before_TN: the row of the step before that it goes on from.
      alignment_TNL: its weights.
    """

    word_TN: Tensor
    before_TN: Tensor
    alignment_TNL: Tensor


class _Finished(NamedTuple):
    """Hypotheses that a search gives: after how many steps, their rows of the last one, sentences and figures."""

    steps: int
    row_H: Tensor
    sentence_H: Tensor
    score_H: Tensor
    total_H: Tensor


@torch.no_grad()
def beam_search(
    model: Model, state: State, limit_B: Tensor, beam: int, alpha: float = 0.0, best: int = 1
) -> list[list[Hypothesis]]:
    """Keep the `beam` likeliest beginnings of each target; one that has ended keeps its place.

    A sentence is finished when all its hypotheses have ended, or when those still going cannot become one of the
    `best`; it then leaves the batch. With a beam of 1 this is greedy search; with one as wide as there are targets it
    is exhaustive.

    Args:
      model: a decoder, or several.
      state: where it stands before the first word, B rows.
      limit_B: most tokens of each target, EOS included.
      beam: hypotheses a sentence.
      alpha: strength of the length penalty, at least 0.
      best: hypotheses to return, at most `beam`.

    Returns:
      For each sentence its best hypotheses, the best first: fewer than `best` where there are not as many targets.
    """
    start = _first(state, limit_B, beam)
    rows, steps = len(start.row_N), max([0, *limit_B.tolist()])
    whole_TN = limit_B.new_empty(steps, rows)
    alignment_NL = model.alignment(start.state)
    history = _History(whole_TN, whole_TN.clone(), alignment_NL.new_empty(steps, *alignment_NL.shape))
    now, gone = _parted(start, beam, alpha, best, 0)
    finished, t = [gone], 0
    while len(now.row_N):
        now, t = _extend(model, now, beam, history, t), t + 1
        now, gone = _parted(now, beam, alpha, best, t)
        if len(gone.row_H):  # what is kept of every step, however small, scatters the memory
            finished.append(gone)
    found: list[list[Hypothesis]] = [[] for _ in limit_B]
    for sentence, hypothesis in _traced(history, finished):
        found[sentence].append(hypothesis)
    return found


def _first(state: State, limit_B: Tensor, beam: int) -> _Beam:
    # All the beam starts from the same state: only its first row counts until they differ.
    leaves, tree = pytree.tree_flatten(state)
    state = pytree.tree_unflatten([leaf.repeat_interleave(beam, 0) for leaf in leaves], tree)
    total_BK = torch.full((len(limit_B), beam), -torch.inf, device=limit_B.device)
    total_BK[:, 0] = 0
    limit_N = limit_B.repeat_interleave(beam)
    sentence_N = torch.arange(len(limit_B), device=limit_B.device).repeat_interleave(beam)
    row_N = torch.arange(len(limit_N), device=limit_B.device)
    word_N, length_N = torch.full_like(limit_N, BOS), torch.zeros_like(limit_N)
    same = (True,) * len(leaves)
    return _Beam(state, same, row_N, sentence_N, limit_N, word_N, total_BK.flatten(), length_N, limit_N < 1)


def _parted(now: _Beam, beam: int, alpha: float, best: int, steps: int) -> tuple[_Beam, _Finished]:
    """The sentences that go on, and the best hypotheses of those that are finished after so many steps."""
    done_N = now.done_N | now.total_N.isneginf() | (now.length_N >= now.limit_N)
    score_SK = (now.total_N / length_penalty(now.length_N, alpha)).view(-1, beam)
    hope_N = (now.total_N / length_penalty(now.limit_N, alpha)).masked_fill(done_N, -torch.inf)
    ended_SK = score_SK.masked_fill(~done_N.view(-1, beam), -torch.inf)
    settled_S = ended_SK.topk(best).values[:, -1] >= hope_N.view(-1, beam).amax(1)
    gone_S = done_N.view(-1, beam).all(1) | settled_S
    rank_SK = score_SK[gone_S].sort(dim=1, descending=True, stable=True).indices
    rows_H = gone_S.nonzero() * beam + rank_SK[:, :best]
    rows_H = rows_H[score_SK.flatten()[rows_H] > -torch.inf]
    score_H, total_H = score_SK.flatten()[rows_H], now.total_N[rows_H]
    finished = _Finished(steps, now.row_N[rows_H], now.sentence_N[rows_H], score_H, total_H)
    now = now._replace(done_N=done_N)
    if gone_S.any():
        going_N = (~gone_S).repeat_interleave(beam).nonzero()[:, 0]
        rest = pytree.tree_map(lambda leaf: leaf[going_N], now._replace(same=()))
        now = rest._replace(same=now.same)
    return now, finished


def _extend(model: Model, now: _Beam, beam: int, history: _History, t: int) -> _Beam:
    """One more token, number t, for each hypothesis that goes on; the K best of all continuations of a sentence."""
    log_p_NV, state = model.next(now.word_N, now.state)
    rows_N, word_N, total_N = _best(now, log_p_NV, beam)
    ended_N = now.done_N[rows_N]
    before = pytree.tree_leaves(now.state)
    leaves, tree = pytree.tree_flatten(state)
    same = tuple(so and leaf is old for so, leaf, old in zip(now.same, leaves, before, strict=True))
    leaves = [leaf if so else leaf[rows_N] for so, leaf in zip(same, leaves, strict=True)]
    state = pytree.tree_unflatten(leaves, tree)
    history.word_TN[t, : len(rows_N)] = word_N
    history.before_TN[t, : len(rows_N)] = now.row_N[rows_N]
    history.alignment_TNL[t, : len(rows_N)] = model.alignment(state)
    return now._replace(
        state=state,
        same=same,
        row_N=torch.arange(len(rows_N), device=rows_N.device),
        word_N=word_N,
        total_N=total_N,
        length_N=now.length_N[rows_N] + (~ended_N).long(),
        done_N=ended_N | (word_N == EOS),
    )


def _best(now: _Beam, log_p_NV: Tensor, beam: int) -> tuple[Tensor, Tensor, Tensor]:
    """The K best continuations of each sentence: the rows that they go on from, their tokens, and their totals."""
    if kernels.possible(log_p_NV, now.total_N):
        rows_N, word_N, best_N = (torch.empty_like(each) for each in (now.row_N, now.word_N, now.total_N))
        given = log_p_NV.contiguous(), now.total_N, now.done_N
        sizes = len(rows_N) // beam, beam, log_p_NV.shape[1], PAD
        kernels.call("beam_best", *sizes, *given, rows_N, word_N, best_N)
        return rows_N, word_N, best_N
    total_NV = now.total_N.unsqueeze(1) + log_p_NV
    keeps_place_N1 = (now.done_N & now.total_N.isfinite()).unsqueeze(1)
    rank_NV = total_NV.masked_fill(keeps_place_N1, -torch.inf)
    rank_NV[:, PAD : PAD + 1].masked_fill_(keeps_place_N1, torch.inf)
    vocabulary = rank_NV.shape[1]
    choice_SK = rank_NV.view(-1, beam * vocabulary).topk(beam).indices
    first_row_S1 = torch.arange(0, len(rank_NV), beam, device=choice_SK.device).unsqueeze(1)
    rows_N = (first_row_S1 + choice_SK // vocabulary).flatten()
    word_N = (choice_SK % vocabulary).flatten()
    return rows_N, word_N, torch.where(now.done_N[rows_N], now.total_N[rows_N], total_NV[rows_N, word_N])


def _traced(history: _History, finished: Sequence[_Finished]) -> Iterator[tuple[int, Hypothesis]]:
    """Follow each hypothesis back to its first token; gives it with the number of its sentence."""
    row_H, sentence_H, score_H, total_H = (
        torch.cat(parts) for parts in zip(*(each[1:] for each in finished), strict=True)
    )
    steps_H = torch.cat([torch.full_like(each.row_H, each.steps) for each in finished])
    steps = finished[-1].steps
    tokens_HT = row_H.new_full((len(row_H), steps), PAD)
    alignments_HTL = history.alignment_TNL.new_empty(len(row_H), steps, history.alignment_TNL.shape[2])
    at_H = torch.zeros_like(row_H)
    for t in reversed(range(steps)):
        at_H = torch.where(steps_H == t + 1, row_H, at_H)
        tokens_HT[:, t] = history.word_TN[t, at_H].masked_fill(steps_H <= t, PAD)
        alignments_HTL[:, t] = history.alignment_TNL[t, at_H]
        at_H = history.before_TN[t, at_H]
    yield from zip(sentence_H.tolist(), hypotheses(tokens_HT, score_H, total_H, alignments_HTL), strict=True)
