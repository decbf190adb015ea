"""Decoding a target: greedy and beam search over any cell whose input is the previous word, or over several."""

# B = batch, K = beam, N = rows of the cell (B, or B K with the K of a sentence side by side), V = vocabulary,
# T = tokens chosen so far, L = source positions, J = what the cell gives

from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

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
      tokens_NT: the tokens chosen, PAD behind EOS.
      alignments_NTL: the weights with which each was chosen.
      total_N: log probability, in nats; -inf in rows that hold no hypothesis.
      length_N: number of tokens, EOS included.
      done_N: True where nothing more is added.
    """

    state: State
    tokens_NT: Tensor
    alignments_NTL: Tensor
    total_N: Tensor
    length_N: Tensor
    done_N: Tensor


@torch.no_grad()
def beam_search(
    model: Model, state: State, limit_B: Tensor, beam: int, alpha: float = 0.0, best: int = 1
) -> list[list[Hypothesis]]:
    """Keep the `beam` likeliest beginnings of each target; one that has ended keeps its place.

    A sentence is finished when all its hypotheses have ended, or when those still going cannot become one of the
    `best`. With a beam of 1 this is greedy search; with one as wide as there are targets it is exhaustive.

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
    limit_N = limit_B.repeat_interleave(beam)
    now = _first(model, state, limit_N, beam)
    while not now.done_N.all():
        now = _extend(model, now, beam)
        done_N = now.done_N | now.total_N.isneginf() | (now.length_N >= limit_N)
        ended_N = (now.total_N / length_penalty(now.length_N, alpha)).masked_fill(~done_N, -torch.inf)
        hope_N = (now.total_N / length_penalty(limit_N, alpha)).masked_fill(done_N, -torch.inf)
        settled_B1 = ended_N.view(-1, beam).topk(best).values[:, -1:] >= hope_N.view(-1, beam).amax(1, keepdim=True)
        now = now._replace(done_N=done_N | settled_B1.expand(-1, beam).flatten())
    score_N = now.total_N / length_penalty(now.length_N, alpha)
    found = hypotheses(now.tokens_NT, score_N, now.total_N, now.alignments_NTL)
    sentences = [sorted(found[i : i + beam], key=_score, reverse=True) for i in range(0, len(found), beam)]
    return [[hypothesis for hypothesis in ranked[:best] if hypothesis.score > -torch.inf] for ranked in sentences]


def _score(hypothesis: Hypothesis) -> float:
    return hypothesis.score


def _first(model: Model, state: State, limit_N: Tensor, beam: int) -> _Beam:
    # All the beam starts from the same state: only its first row counts until they differ.
    state = pytree.tree_map(lambda leaf: leaf.repeat_interleave(beam, 0), state)
    total_BK = torch.full((len(limit_N) // beam, beam), -torch.inf, device=limit_N.device)
    total_BK[:, 0] = 0
    none_NT = limit_N.new_empty(len(limit_N), 0)
    none_NTL = model.alignment(state).unsqueeze(1)[:, :0]
    return _Beam(state, none_NT, none_NTL, total_BK.flatten(), torch.zeros_like(limit_N), limit_N < 1)


def _extend(model: Model, now: _Beam, beam: int) -> _Beam:
    """One more token for each hypothesis that goes on; the K best of all continuations of a sentence."""
    words_N = now.tokens_NT[:, -1] if now.tokens_NT.shape[1] else torch.full_like(now.length_N, BOS)
    log_p_NV, state = model.next(words_N, now.state)
    total_NV = now.total_N.unsqueeze(1) + log_p_NV
    keeps_place_N1 = (now.done_N & now.total_N.isfinite()).unsqueeze(1)
    rank_NV = total_NV.masked_fill(keeps_place_N1, -torch.inf)
    rank_NV[:, PAD : PAD + 1].masked_fill_(keeps_place_N1, torch.inf)
    vocabulary = rank_NV.shape[1]
    choice_BK = rank_NV.view(-1, beam * vocabulary).topk(beam).indices
    first_row_B1 = torch.arange(0, len(rank_NV), beam, device=choice_BK.device).unsqueeze(1)
    rows_N = (first_row_B1 + choice_BK // vocabulary).flatten()
    word_N = (choice_BK % vocabulary).flatten()
    chosen = pytree.tree_map(lambda leaf: leaf[rows_N], now._replace(state=state))
    ended_N = chosen.done_N
    return _Beam(
        state=chosen.state,
        tokens_NT=torch.cat([chosen.tokens_NT, word_N.unsqueeze(1)], 1),
        alignments_NTL=torch.cat([chosen.alignments_NTL, model.alignment(chosen.state).unsqueeze(1)], 1),
        total_N=torch.where(ended_N, chosen.total_N, total_NV[rows_N, word_N]),
        length_N=chosen.length_N + (~ended_N).long(),
        done_N=ended_N | (word_N == EOS),
    )
