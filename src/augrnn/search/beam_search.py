"""Decoding a target: greedy and beam search over any cell whose input is the previous word, or over several."""

# B = batch, K = beam, S = sentences still searched, N = places of hypotheses (S K, the K of a sentence side by side),
# R = rows of the model, those of places whose hypotheses go on, V = vocabulary, T = steps, L = source positions,
# H = hypotheses found, J = outputs

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from augrnn import kernels
from augrnn.cells.cell import State
from augrnn.search.model import NEVER, Hypothesis, Model, Scores, Walk, hypotheses
from augrnn.text.token_batches import BOS, EOS, PAD

FEW = 1 / 8
"""Share of hypotheses that are done up to which they are stepped with the others."""

ROOM = 26
"""Rows whose scores of words are computed at once."""


def length_penalty(length: Tensor, alpha: float) -> Tensor:
    """((5 + length) / 6)^alpha, EOS counted (Wu et al. 2016, Eq. 14). alpha = 0 is no penalty."""
    return ((5 + length) / 6) ** alpha


class _Beam(NamedTuple):
    """Hypotheses under way.

    Attributes:
      place_N: which place of the last step each is.
      row_N: its row in the model; -1 where it has none, being done.
      sentence_N: the number of its sentence in the batch.
      limit_N: most tokens.
      word_N: the token chosen last, PAD behind EOS.
      total_N: log probability, in nats; -inf in places that hold no hypothesis.
      length_N: number of tokens, EOS included.
      done_N: True where nothing more is added.
    """

    place_N: Tensor
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
      word_TN: the token of each place.
      before_TN: the place of the step before that it goes on from.
      alignment_TNL: its weights.
    """

    word_TN: Tensor
    before_TN: Tensor
    alignment_TNL: Tensor


class _Finished(NamedTuple):
    """Hypotheses that a search gives: after how many steps, their places in the last one, sentences and figures."""

    steps: int
    place_H: Tensor
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
    walk, now = model.walk(state), _first(limit_B, beam)
    places, steps = len(now.place_N), max([0, *limit_B.tolist()])
    whole_TN, alignment_BL = limit_B.new_empty(steps, places), walk.alignment()
    history = _History(whole_TN, whole_TN.clone(), alignment_BL.new_empty(steps, places, alignment_BL.shape[1]))
    now, gone = _parted(now, beam, alpha, best, 0)
    finished, t = [gone], 0
    while len(now.place_N):
        now, t = _extend(walk, now, beam, history, t), t + 1
        now, gone = _parted(now, beam, alpha, best, t)
        if len(gone.place_H):  # what is kept of every step, however small, scatters the memory
            finished.append(gone)
    found: list[list[Hypothesis]] = [[] for _ in limit_B]
    for sentence, hypothesis in _traced(history, finished):
        found[sentence].append(hypothesis)
    return found


def _first(limit_B: Tensor, beam: int) -> _Beam:
    # All the beam starts from the same state: only its first place counts until they differ.
    first_BK = torch.arange(beam, device=limit_B.device).expand(len(limit_B), beam) == 0
    first_N, limit_N = first_BK.flatten(), limit_B.repeat_interleave(beam)
    sentence_N = torch.arange(len(limit_B), device=limit_B.device).repeat_interleave(beam)
    row_N = sentence_N.masked_fill(~first_N, -1)
    total_N = torch.zeros(len(limit_N), device=limit_B.device).masked_fill(~first_N, -torch.inf)
    place_N = torch.arange(len(limit_N), device=limit_B.device)
    word_N, length_N = torch.full_like(limit_N, BOS), torch.zeros_like(limit_N)
    return _Beam(place_N, row_N, sentence_N, limit_N, word_N, total_N, length_N, limit_N < 1)


def _parted(now: _Beam, beam: int, alpha: float, best: int, steps: int) -> tuple[_Beam, _Finished]:
    """The sentences that go on, and the best hypotheses of those that are finished after so many steps."""
    done_N = now.done_N | now.total_N.isneginf() | (now.length_N >= now.limit_N)
    score_SK = (now.total_N / length_penalty(now.length_N, alpha)).view(-1, beam)
    hope_N = (now.total_N / length_penalty(now.limit_N, alpha)).masked_fill(done_N, -torch.inf)
    ended_SK = score_SK.masked_fill(~done_N.view(-1, beam), -torch.inf)
    settled_S = ended_SK.topk(best).values[:, -1] >= hope_N.view(-1, beam).amax(1)
    gone_S = done_N.view(-1, beam).all(1) | settled_S
    rank_SK = score_SK[gone_S].sort(dim=1, descending=True, stable=True).indices
    places_H = gone_S.nonzero() * beam + rank_SK[:, :best]
    places_H = places_H[score_SK.flatten()[places_H] > -torch.inf]
    score_H, total_H = score_SK.flatten()[places_H], now.total_N[places_H]
    finished = _Finished(steps, now.place_N[places_H], now.sentence_N[places_H], score_H, total_H)
    now = now._replace(done_N=done_N)
    if gone_S.any():
        going_N = (~gone_S).repeat_interleave(beam).nonzero()[:, 0]
        now = _Beam(*(part[going_N] for part in now))
    return now, finished


def _stepped(walk: Walk, now: _Beam) -> tuple[_Beam, Tensor]:
    """Bring the model's rows in line with the hypotheses; gives the place of each row.

    Those that are done leave the model once they are more than a few: until then it costs less to step them too.
    """
    there_N, going_N = now.row_N >= 0, ~now.done_N
    few = going_N.sum() >= (1 - FEW) * there_N.sum()
    place_R = (there_N if few else going_N).nonzero()[:, 0]
    walk.select(now.row_N[place_R])
    row_N = torch.full_like(now.row_N, -1)
    row_N[place_R] = torch.arange(len(place_R), device=row_N.device)
    return now._replace(row_N=row_N), place_R


def _extend(walk: Walk, now: _Beam, beam: int, history: _History, t: int) -> _Beam:
    """One more token, number t, for each hypothesis that goes on; the K best of all continuations of a sentence."""
    now, place_R = _stepped(walk, now)
    before_N, word_N, total_N = _best(now, walk.next(now.word_N[place_R]), beam)
    ended_N, row_N = now.done_N[before_N], now.row_N[before_N]
    history.word_TN[t, : len(word_N)] = word_N
    history.before_TN[t, : len(word_N)] = now.place_N[before_N]
    history.alignment_TNL[t, : len(word_N)] = walk.alignment()[row_N.clamp_min(0)]
    return now._replace(
        place_N=torch.arange(len(word_N), device=word_N.device),
        row_N=row_N,
        word_N=word_N,
        total_N=total_N,
        length_N=now.length_N[before_N] + (~ended_N).long(),
        done_N=ended_N | (word_N == EOS),
    )


def _best(now: _Beam, scores: Scores, beam: int) -> tuple[Tensor, Tensor, Tensor]:
    """The K best continuations of each sentence: the places that they go on from, their tokens, and their totals."""
    if kernels.possible(scores.outputs_NJ, now.total_N):
        return _best_compiled(now, scores, beam)
    log_p_NV = scores.all()
    if len(log_p_NV) < len(now.row_N):
        log_p_NV = log_p_NV[now.row_N.clamp_min(0)]
    total_NV = now.total_N.unsqueeze(1) + log_p_NV
    keeps_place_N1 = (now.done_N & now.total_N.isfinite()).unsqueeze(1)
    rank_NV = total_NV.masked_fill(keeps_place_N1, -torch.inf)
    rank_NV[:, PAD : PAD + 1].masked_fill_(keeps_place_N1, torch.inf)
    vocabulary = rank_NV.shape[1]
    choice_SK = rank_NV.view(-1, beam * vocabulary).topk(beam).indices
    first_place_S1 = torch.arange(0, len(rank_NV), beam, device=choice_SK.device).unsqueeze(1)
    before_N = (first_place_S1 + choice_SK // vocabulary).flatten()
    word_N = (choice_SK % vocabulary).flatten()
    return before_N, word_N, torch.where(now.done_N[before_N], now.total_N[before_N], total_NV[before_N, word_N])


def _best_compiled(now: _Beam, scores: Scores, beam: int) -> tuple[Tensor, Tensor, Tensor]:
    """The same in C++: where the model has its layer ready, without the scores of all rows at once."""
    sentences = len(now.row_N) // beam
    before_N, word_N, total_N = (torch.empty_like(each) for each in (now.row_N, now.word_N, now.total_N))
    hypotheses, found = (now.row_N, now.total_N, now.done_N), (before_N, word_N, total_N)
    if scores.vocabulary is None:
        log_p_RV = scores.all().contiguous()
        kernels.call("beam_best", sentences, beam, log_p_RV.shape[1], PAD, log_p_RV, *hypotheses, *found)
    else:
        outputs_RJ, (depth, width, panels, bias) = scores.outputs_NJ.contiguous(), scores.vocabulary
        room = panels.new_empty(max(beam, ROOM), width)
        sizes = sentences, beam, width, depth, PAD, *NEVER, len(room)
        kernels.call("vocabulary_best", *sizes, outputs_RJ, panels, bias, *hypotheses, room, *found)
    return found


def _traced(history: _History, finished: Sequence[_Finished]) -> Iterator[tuple[int, Hypothesis]]:
    """Follow each hypothesis back to its first token; gives it with the number of its sentence."""
    place_H, sentence_H, score_H, total_H = (
        torch.cat(parts) for parts in zip(*(each[1:] for each in finished), strict=True)
    )
    steps_H = torch.cat([torch.full_like(each.place_H, each.steps) for each in finished])
    steps = finished[-1].steps
    tokens_HT = place_H.new_full((len(place_H), steps), PAD)
    alignments_HTL = history.alignment_TNL.new_empty(len(place_H), steps, history.alignment_TNL.shape[2])
    at_H = torch.zeros_like(place_H)
    for t in reversed(range(steps)):
        at_H = torch.where(steps_H == t + 1, place_H, at_H)
        tokens_HT[:, t] = history.word_TN[t, at_H].masked_fill(steps_H <= t, PAD)
        alignments_HTL[:, t] = history.alignment_TNL[t, at_H]
        at_H = history.before_TN[t, at_H]
    yield from zip(sentence_H.tolist(), hypotheses(tokens_HT, score_H, total_H, alignments_HTL), strict=True)
