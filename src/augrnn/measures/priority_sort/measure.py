"""How well a model sorts by priority, and whether a memory sorts by where it writes.

The functions on traces take arrays, so that a hand-made trace can test them.
"""

# T = time steps, B = batch, K = vectors seen, S = vectors to give, O = bits a vector, H = heads of a kind,
# N = memory rows

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from augrnn.batches import moved
from augrnn.cells.ntm import NTM
from augrnn.exhibits.exhibit import Exhibit
from augrnn.measures.heads import Floats, HeadsMeasure, Integers, focus, one_row_a_step, used_rows
from augrnn.measures.measure import Measured
from augrnn.measures.priority_sort.figure import Line, SortedWrites
from augrnn.systems.transducer import Transducer
from augrnn.tasks.bit_task import BitBatch
from augrnn.tasks.priority_sort import PrioritySort

LAGS = (0, 1)
"""Steps after a vector's own at which it may be written: controllers with memory can be late."""

STRAY = 0.25
"""A row with no more than this share of what an even spread of the writes would give it counts as unused."""

HEADS_SEQUENCES = 100
"""Sequences on which the heads are looked at."""


def fitted_line(x: NDArray[Any], y: NDArray[Any]) -> Line:
    """The least squares line through points; a y that never varies has a slope and an R^2 of 0."""
    dx, dy = x.astype(np.float64) - x.mean(dtype=np.float64), y.astype(np.float64) - y.mean(dtype=np.float64)
    slope = float((dx * dy).sum() / (dx * dx).sum())
    spread = float((dy * dy).sum())
    r2 = float(slope * (dx * dy).sum() / spread) if spread else 0.0
    return Line(slope, float(y.mean(dtype=np.float64) - slope * x.mean(dtype=np.float64)), r2)


def written_rows(rows: Integers, count: int) -> Integers:
    """The rows with more than stray writes, in the order of the ring, starting after its largest gap.

    Args:
      rows: the rows written, of any shape.
      count: N.
    """
    used = np.flatnonzero(np.bincount(rows.ravel(), minlength=count) * count > STRAY * rows.size)
    gaps = np.diff(used, prepend=used[-1] - count)
    return np.roll(used, -int(gaps.argmax()))


def straightened(rows: Integers, count: int) -> Integers:
    """Rows of a ring as places on a line: cut in the middle of the largest gap, with the first used row at 0."""
    used = written_rows(rows, count)
    margin = (used[0] - used[-1] - 1) % count // 2
    return (rows - used[0] + margin) % count - margin


class Writes(NamedTuple):
    """Where a write head puts the vectors.

    Attributes:
      line: location against priority, in rows a unit of priority.
      head: which of the write heads.
      lag: steps after a vector's own at which its row is taken.
      locations_KB: the rows on a line (see `straightened`).
      rows_used: how many rows it uses.
    """

    line: Line
    head: int
    lag: int
    locations_KB: Integers
    rows_used: int


def writes_by_head(rows_TBH: Integers, priority_KB: Floats, count: int) -> list[Writes]:
    """For each head its location against priority, pooled over the sequences, at the lag where a line fits best.

    Args:
      rows_TBH: the row with the largest weight, of all write heads; vector k is seen at step k, and T > K.
      priority_KB: the vectors' priorities.
      count: N.
    """
    k = len(priority_KB)

    def writes(head: int, lag: int) -> Writes:
        rows_KB = rows_TBH[lag : lag + k, :, head]
        locations_KB = straightened(rows_KB, count)
        line = fitted_line(priority_KB.ravel(), locations_KB.ravel())
        return Writes(line, head, lag, locations_KB, len(written_rows(rows_KB, count)))

    return [max((writes(head, lag) for lag in LAGS), key=_r2) for head in range(rows_TBH.shape[2])]


def _r2(writes: Writes) -> float:
    return writes.line.r2


class SortingMeasure(HeadsMeasure):
    """How well a model sorts, and with an NTM whether its write location is a linear function of the priority.

    Numbers: `cost_bits` and `wrong_bits`, means a sequence; `wrong_by_position`, wrong bits a vector for each place in
    the output; `faultless`, the share of sequences without a wrong bit. With an NTM also `mechanism` (see `_mechanism`)
    and the exhibit `heads`, one sequence and the pooled locations of a batch.
    """

    kind = SortedWrites

    def measure(self, system: Transducer, task: PrioritySort) -> Measured:
        drawn = task.evaluation_set((task.vectors,), task.test_sequences)
        cost_B, wrong_SB = (torch.cat(parts, dim=-1) for parts in zip(*(_score(system, b) for b in drawn), strict=True))
        numbers: dict[str, Any] = {
            "cost_bits": float(cost_B.mean()),
            "wrong_bits": float(wrong_SB.sum(0).mean()),
            "wrong_by_position": wrong_SB.mean(1).tolist(),
            "faultless": float((wrong_SB.sum(0) == 0).double().mean()),
        }
        if not isinstance(system.cell, NTM):
            return Measured(numbers, {})
        batch = next(iter(task.evaluation_set((task.vectors,), HEADS_SEQUENCES)))
        numbers["mechanism"], heads = _mechanism(system, batch, task, "one test batch")
        return Measured(numbers, {"heads": heads})

    def heads(self, system: Transducer, task: PrioritySort) -> Exhibit:
        return _mechanism(system, task.evaluation_example(), task, "one validation batch")[1]


def _score(system: Transducer, batch: BitBatch) -> tuple[torch.Tensor, torch.Tensor]:
    """Cost of each sequence (B,) and wrong bits of each vector given (S, B)."""
    there = moved(batch, system.device)
    logits_TBO = system(there).y_TBO
    wrong_TBO = (logits_TBO > 0) != (there.targets_TBO > 0.5)
    wrong_SB = wrong_TBO[there.scored_TB[:, 0] > 0].sum(-1)
    return there.cost_bits(logits_TBO).double().cpu(), wrong_SB.double().cpu()


def _mechanism(
    system: Transducer, batch: BitBatch, task: PrioritySort, title: str
) -> tuple[dict[str, Any], SortedWrites]:
    """Where the vectors are written, and whether the answer is read row by row.

    Returns:
      Of the write head with the best fit, at its best lag: `write_location_r2`, `slope` (rows a unit of priority),
      `rows_used`, `write_focus`, `write_lag`; `r2_by_head`; `shuffled_r2`, the best that is found with the priorities
      permuted within each sequence. Of the read head with the largest `read_step`, the share of steps of one row in
      its main direction, that share and `read_focus`, both in the answer.
      And the exhibit of these heads.
    """
    trace = system(moved(batch, system.device), keep=True).trace
    read_TBHN, write_TBHN = np.split(trace.weighting_BAN.cpu().numpy(), 2, axis=2)
    k, count = task.vectors, write_TBHN.shape[-1]
    priority_KB = batch.inputs_TBI[:k, :, task.width].numpy()
    rows_TBH = write_TBHN.argmax(axis=-1)
    writes = writes_by_head(rows_TBH, priority_KB, count)
    best = max(writes, key=_r2)
    permuted_KB = np.random.default_rng(0).permuted(priority_KB, axis=0)
    step, reader = max((one_row_a_step(read_TBHN[k + 1 :, :, head]), head) for head in range(read_TBHN.shape[2]))
    write_TBN, read_TBN = write_TBHN[:, :, best.head], read_TBHN[:, :, reader]
    numbers = {
        "write_location_r2": best.line.r2,
        "slope": best.line.slope,
        "r2_by_head": [each.line.r2 for each in writes],
        "rows_used": best.rows_used,
        "write_focus": focus(write_TBN[best.lag : best.lag + k]),
        "write_lag": best.lag,
        "shuffled_r2": max(map(_r2, writes_by_head(rows_TBH, permuted_KB, count))),
        "read_step": step,
        "read_focus": focus(read_TBN[k + 1 :]),
    }
    return numbers, sorted_writes(priority_KB, best, write_TBN[:, 0], read_TBN[k + 1 :, 0], title)


def sorted_writes(priority_KB: Floats, best: Writes, write_TN: Floats, read_SN: Floats, title: str) -> SortedWrites:
    """The exhibit of a write head and a read head.

    Args:
      priority_KB: the vectors' priorities.
      best: where the write head puts the vectors of all sequences.
      write_TN: its weighting over the first sequence.
      read_SN: the read head's, in the answer of the first sequence.
      title: the exhibit's.
    """
    write_KN = write_TN[np.argsort(-priority_KB[:, 0]) + best.lag]
    rows = used_rows(write_KN, read_SN)
    pooled = priority_KB.ravel(), best.locations_KB.ravel()
    return SortedWrites(title, *pooled, best.line, write_KN[:, rows], read_SN[:, rows])
