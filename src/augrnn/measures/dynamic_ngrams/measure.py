"""How near a model of dynamic N-grams comes to the optimal estimator, and whether it keeps a row for each context.

The functions on traces take arrays, so that a hand-made trace can test them.
"""

# T = time steps, B = batch, H = heads of a kind, A = 2 * H heads, N = memory rows, C = contexts, P = counts to pair in

from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from augrnn.batches import moved
from augrnn.cells.ntm import NTM
from augrnn.exhibits.exhibit import Exhibit
from augrnn.measures.dynamic_ngrams.figure import SPAN, NgramTrace, RowsByContext
from augrnn.measures.heads import PREVIEW_TITLE, TITLE, Floats, HeadsMeasure, Integers, focus, used_rows
from augrnn.measures.measure import Measured
from augrnn.objectives.cross_entropy import NATS_PER_BIT
from augrnn.systems.transducer import Transducer
from augrnn.tasks.bit_task import BitBatch
from augrnn.tasks.dynamic_ngrams import DynamicNGrams, contexts, estimated_bits

LAGS = (0, 1)
"""Steps back from the context that predicts a step's bit. At 1, a head serves the context whose outcome it sees."""

HEADS_SEQUENCES = 100
"""Sequences on which the heads are looked at."""

SHOWN = 100
"""The last steps of a sequence, which are shown: by then the optimal estimator knows most contexts."""


def burn_in(length: int, order: int) -> int:
    """The first step at which heads are looked at: a quarter of the sequence, and no sooner than contexts are whole."""
    return max(length // 4, order + max(LAGS))


def optimal_probabilities(bits_TB: Tensor, order: int) -> Tensor:
    """The optimal estimator's probability of a one before each bit, (T, B) (section 4.4, Eq. 10)."""
    given_TB = torch.exp2(-estimated_bits(bits_TB, order))
    return torch.where(bits_TB > 0, given_TB, 1 - given_TB)


def span_sums(excess_T: NDArray[np.float64], span: int = SPAN) -> list[float]:
    """Sums over consecutive spans of steps; the last may be shorter."""
    return [float(excess_T[start : start + span].sum()) for start in range(0, len(excess_T), span)]


def agreement(rows_TB: Integers, contexts_TB: Integers) -> tuple[float, float]:
    """How often a head is on the same row at two steps of a sequence, by whether they have the same context.

    Args:
      rows_TB: the row with the largest weight at each step.
      contexts_TB: the number of the context at each step.

    Returns:
      P(same row | same context) and P(same row | different context) over pairs of different steps, each a mean over
      the sequences that have such pairs; nan where none has.
    """
    (steps, batch), rows, context_count = rows_TB.shape, int(rows_TB.max()) + 1, int(contexts_TB.max()) + 1
    cells_TB = (np.arange(batch) * context_count + contexts_TB) * rows + rows_TB
    counts = np.bincount(cells_TB.ravel(), minlength=batch * context_count * rows)
    counts_BCN = counts.reshape(batch, context_count, rows)
    agree_B, same_B = _pairs(counts_BCN.reshape(batch, -1)), _pairs(counts_BCN.sum(axis=2))
    different_B = steps * (steps - 1) - same_B
    return _mean_share(agree_B, same_B), _mean_share(_pairs(counts_BCN.sum(axis=1)) - agree_B, different_B)


def _pairs(counts_BP: Integers) -> Integers:
    """Ordered pairs of different steps within each count, summed for each sequence."""
    return (counts_BP * (counts_BP - 1)).sum(axis=1)


def _mean_share(part_B: Integers, whole_B: Integers) -> float:
    there_B = whole_B > 0
    return float((part_B[there_B] / whole_B[there_B]).mean()) if there_B.any() else float("nan")


class Agreement(NamedTuple):
    """How well a head's rows follow the contexts.

    Attributes:
      same, different: see `agreement`.
      head: which head of its kind.
      lag: steps back from the context that predicts the step's bit.
    """

    same: float
    different: float
    head: int
    lag: int


def best_agreement(rows_TBH: Integers, contexts_TB: Integers, first: int) -> Agreement:
    """The head and lag with the largest difference of the two agreements.

    A head that never moves agrees always, so that the agreement on the same context alone would choose it.

    Args:
      rows_TBH: rows with the largest weight, of all heads of a kind.
      contexts_TB: the context that predicts the bit of each step.
      first: the first step to look at, at least the largest lag.
    """
    steps = len(rows_TBH)
    found = [
        Agreement(*agreement(rows_TBH[first:, :, head], contexts_TB[first - lag : steps - lag]), head, lag)
        for head in range(rows_TBH.shape[2])
        for lag in LAGS
    ]
    return max(found, key=lambda each: each.same - each.different)


class NgramsMeasure(HeadsMeasure):
    """How many bits a model needs beside the optimal estimator, and with an NTM whether rows follow contexts.

    Numbers, in bits a sequence: `cost_bits`; `estimators`, the fixed-order estimators by order, and of these
    `optimal_bits`, the task's own order; `excess_bits`, the mean of cost less optimum, sequence by sequence, with its
    standard error `excess_standard_error`; `excess_by_position`, that mean in consecutive spans of SPAN bits. With an
    NTM also `mechanism` (see `_mechanism`) and the exhibits `heads` and `contexts`, of one sequence.
    """

    kind = NgramTrace

    def measure(self, system: Transducer, task: DynamicNGrams) -> Measured:
        drawn = list(task.evaluation_set((task.length,), task.test_sequences))
        cost_TB = torch.cat([bit_costs(system, batch) for batch in drawn], dim=1)
        bits_TB = torch.cat([batch.targets_TBO[..., 0] for batch in drawn], dim=1)
        estimated = {order: estimated_bits(bits_TB, order) for order in range(task.order + 2)}
        estimators = {str(order): float(each_TB.sum(0).mean()) for order, each_TB in estimated.items()}
        excess_TB = cost_TB - estimated[task.order]
        excess_B = excess_TB.sum(0)
        numbers: dict[str, Any] = {
            "cost_bits": float(cost_TB.sum(0).mean()),
            "optimal_bits": estimators[str(task.order)],
            "estimators": estimators,
            "excess_bits": float(excess_B.mean()),
            "excess_standard_error": float(excess_B.std() / len(excess_B) ** 0.5),
            "excess_by_position": span_sums(excess_TB.mean(1).numpy()),
        }
        if not isinstance(system.cell, NTM):
            return Measured(numbers, {})
        batch = next(iter(task.evaluation_set((task.length,), HEADS_SEQUENCES)))
        numbers["mechanism"], seen = _mechanism(system, batch, task.order)
        return Measured(numbers, {"heads": ngram_trace(seen, TITLE), "contexts": rows_by_context(seen, TITLE)})

    def heads(self, system: Transducer, task: DynamicNGrams) -> Exhibit:
        return ngram_trace(_mechanism(system, task.evaluation_example(), task.order)[1], PREVIEW_TITLE)


class Seen(NamedTuple):
    """One sequence as a model and its best heads go through it.

    Attributes:
      contexts: the context that predicts each bit, (T,).
      order: bits of a context.
      inputs: the bit before each, (T,).
      predictions, optimal: the probabilities of a one of the model and of the optimal estimator, (T,).
      write, read: weightings (T, N).
      write_lag, read_lag: steps back from the context that predicts the step's bit.
    """

    contexts: Integers
    order: int
    inputs: Floats
    predictions: Floats
    optimal: Floats
    write: Floats
    read: Floats
    write_lag: int
    read_lag: int


def ngram_trace(seen: Seen, title: str) -> NgramTrace:
    """The exhibit of the last steps of a sequence."""
    first = max(0, len(seen.inputs) - SHOWN)
    rows = used_rows(seen.write[first:], seen.read[first:])
    lines = (seen.inputs[first:], seen.predictions[first:], seen.optimal[first:])
    return NgramTrace(title, first, *lines, seen.write[first:, rows], seen.read[first:, rows])


def rows_by_context(seen: Seen, title: str) -> RowsByContext:
    """The exhibit of the rows that heads visit in each context, without the burn-in."""
    steps, order = len(seen.contexts), seen.order
    first = burn_in(steps, order)
    contexts_found, shares = [], []
    for weighting_TN, lag in ((seen.write[first:], seen.write_lag), (seen.read[first:], seen.read_lag)):
        numbers_C, shares_CN = _shares(seen.contexts[first - lag : steps - lag], weighting_TN)
        contexts_found.append(tuple(f"{number:0{order}b}" for number in numbers_C))
        shares.append(shares_CN[:, used_rows(weighting_TN)])
    lags = (seen.write_lag, seen.read_lag)
    return RowsByContext(title, tuple(contexts_found), tuple(shares), lags)


def _shares(contexts_T: Integers, weighting_TN: Floats) -> tuple[Integers, NDArray[np.float64]]:
    """The contexts that occur (C,), and the share of the steps of each in which each row has the largest weight."""
    numbers_C, which_T = np.unique(contexts_T, return_inverse=True)
    counts_CN = np.zeros((len(numbers_C), weighting_TN.shape[1]))
    np.add.at(counts_CN, (which_T, weighting_TN.argmax(axis=1)), 1)
    return numbers_C, counts_CN / counts_CN.sum(axis=1, keepdims=True)


def bit_costs(system: Transducer, batch: BitBatch) -> Tensor:
    """What each bit costs a model, (T, B), in bits, on the CPU."""
    there = moved(batch, system.device)
    logits_TBO = system(there).y_TBO.double()
    nats_TBO = F.binary_cross_entropy_with_logits(logits_TBO, there.targets_TBO.double(), reduction="none")
    return (nats_TBO[..., 0] / NATS_PER_BIT).cpu()


def _mechanism(system: Transducer, batch: BitBatch, order: int) -> tuple[dict[str, float], Seen]:
    """Whether the heads return to the same row on the same context.

    Returns:
      For "read" and "write" heads, from the burn-in on: `_same` and `_different`, the agreements of the best head at
      its best lag, `_lag`; `_same_shuffled` and `_different_shuffled`, the best that is found with the contexts of
      another sequence; `_focus` of that head. And the first sequence, with the best heads.
    """
    unrolled = system(moved(batch, system.device), keep=True)
    weighting_TBAN = unrolled.trace.weighting_BAN.cpu().numpy()
    bits_TB = batch.targets_TBO[..., 0]
    contexts_TB, first = contexts(bits_TB, order).numpy(), burn_in(len(bits_TB), order)
    numbers: dict[str, float] = {}
    best: dict[str, Any] = {}
    for kind, w_TBHN in zip(("read", "write"), np.split(weighting_TBAN, 2, axis=2), strict=True):
        found, w_TBN, shuffled = _kind(w_TBHN, contexts_TB, first)
        numbers |= {
            f"{kind}_same": found.same,
            f"{kind}_different": found.different,
            f"{kind}_lag": found.lag,
            f"{kind}_same_shuffled": shuffled.same,
            f"{kind}_different_shuffled": shuffled.different,
            f"{kind}_focus": focus(w_TBN[first:]),
        }
        best |= {kind: w_TBN[:, 0], f"{kind}_lag": found.lag}
    seen = Seen(
        contexts=contexts_TB[:, 0],
        order=order,
        inputs=batch.inputs_TBI[:, 0, 0].numpy(),
        predictions=unrolled.y_TBO[:, 0, 0].sigmoid().cpu().numpy(),
        optimal=optimal_probabilities(bits_TB[:, :1], order)[:, 0].float().numpy(),
        **best,
    )
    return numbers, seen


def _kind(w_TBHN: Floats, contexts_TB: Integers, first: int) -> tuple[Agreement, Floats, Agreement]:
    """The best agreement of the heads of a kind, that head's weighting, and the best with another's contexts."""
    rows_TBH = w_TBHN.argmax(axis=-1)
    found = best_agreement(rows_TBH, contexts_TB, first)
    shuffled = best_agreement(rows_TBH, np.roll(contexts_TB, 1, axis=1), first)
    return found, w_TBHN[:, :, found.head], shuffled
