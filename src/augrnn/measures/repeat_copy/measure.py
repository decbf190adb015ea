"""What a cell does on the repeat copy task, and how a Neural Turing Machine loops over its memory (section 4.2).

The functions take traces as arrays, so that a hand-made trace can test them.
"""

# T = time steps, B = batch, N = memory rows, A = all heads (reads first, then writes), O = output channels,
# K = vectors to copy, R = repetitions, S = scored steps (R * K + 1)

from itertools import product
from typing import Any, NamedTuple

import numpy as np
import torch

from augrnn.batches import moved
from augrnn.cells.ntm import NTM
from augrnn.cells.unroll import Unrolled
from augrnn.exhibits.exhibit import Exhibit
from augrnn.exhibits.memory_trace import MemoryTrace
from augrnn.measures.heads import (
    LAGS,
    PREVIEW_TITLE,
    TITLE,
    Flags,
    Floats,
    HeadsMeasure,
    Integers,
    focus,
    maps,
    ring_moves,
    share_of_one,
    trace_of,
)
from augrnn.measures.measure import Measured
from augrnn.systems.transducer import Transducer
from augrnn.tasks.bit_task import BitBatch
from augrnn.tasks.drawn_task import Size
from augrnn.tasks.repeat_copy import RepeatCopy


def wrong_by_repeat(batch: BitBatch, logits_TBO: torch.Tensor, length: int) -> torch.Tensor:
    """Wrong data bits of each repetition, (R, B); neither the end marker nor the step of the end counts."""
    wrong_TBO = ((logits_TBO > 0) != (batch.targets_TBO > 0.5))[length + 1 : -1, :, :-1]
    return wrong_TBO.unflatten(0, (-1, length)).sum(dim=(1, 3))


def ends(on_SB: Flags, length: int) -> dict[str, Any]:
    """Where the end marker is on.

    Args:
      on_SB: whether the thresholded marker is on at each scored step; the true end is the last of them.
      length: K.

    Returns:
      `end_found`, share of sequences with the marker on at the true end; `early_end`, with it on at any scored step
      before; `early_end_by_repeat`, for r = 1 to R - 1 the share with it on at the step right after repetition r,
      where the end would stand after r repetitions; `first_early_end`, the median number of whole repetitions before
      the first early end, over the sequences that have one (None where none has).
    """
    before_SB = on_SB[:-1]
    early_B = before_SB.any(axis=0)
    first = before_SB.argmax(axis=0)[early_B] // length
    return {
        "end_found": float(on_SB[-1].mean()),
        "early_end": float(early_B.mean()),
        "early_end_by_repeat": before_SB[length::length].mean(axis=1).tolist(),
        "first_early_end": float(np.median(first)) if len(first) else None,
    }


def repeated_rows(read_TBN: Floats, length: int, repeats: int, late: int = 0) -> Integers:
    """The rows a head reads in each repetition, (R, K, B), if it serves each vector `late` steps after its own step."""
    rows_TB = read_TBN.argmax(axis=-1)
    steps = np.minimum(length + 1 + late + np.arange(repeats * length), len(rows_TB) - 1)
    return rows_TB[steps].reshape(repeats, length, -1)


def read_where_written(write_TBN: Floats, read_TBN: Floats, length: int, repeats: int) -> tuple[float, int, int]:
    """Whether every repetition reads the rows of the writes in their order.

    A row on which several vectors were written counts for none of them, so that two heads that stand still on one row
    have nothing of it.

    Args:
      write_TBN: the write head's weighting over a whole sequence.
      read_TBN: the read head's.
      length: K; vector k is seen at step k and given at step K + 1 + r * K + k.
      repeats: R.

    Returns:
      The share of vectors, over all repetitions, whose row is read where it was written, at the best pair of lags (the
      smallest of equally good ones), and the two lags.
    """
    margin = max(LAGS)
    writes_TB = np.pad(write_TBN.argmax(axis=-1), ((margin, margin), (0, 0)), constant_values=-1)
    best = (-1.0, 0, 0)
    for late_write, late_read in sorted(product(LAGS, LAGS), key=lambda lags: abs(lags[0]) + abs(lags[1])):
        written_KB = writes_TB[margin + late_write + np.arange(length)]
        alone_KB = (written_KB[:, None] == written_KB).sum(axis=1) == 1
        share = float((alone_KB & (repeated_rows(read_TBN, length, repeats, late_read) == written_KB)).mean())
        best = max(best, (share, late_write, late_read), key=lambda found: found[0])
    return best


def loops(rows_RKB: Integers, turn: int = 0) -> float:
    """The share of steps after the first repetition that read the row of the same position in the first.

    A head that stands still loops too. With `turn` 1 the first repetition is turned by one position: a head that walks
    has none of that, and one that stands still has all of it.
    """
    return float((rows_RKB[1:] == np.roll(rows_RKB[0], -turn, axis=0)).mean())


def jump_back(rows_RKB: Integers, count: int, reach: int = 1) -> float:
    """The share of repetitions after the first that begin with a jump to the first repetition's first row.

    A jump comes from further away than `reach` rows on the ring of `count`, so that no shift explains it.
    """
    home = rows_RKB[1:, 0] == rows_RKB[0, 0]
    far = np.abs(ring_moves(rows_RKB[:-1, -1], rows_RKB[1:, 0], count)) > reach
    return float((home & far).mean())


def step_within(rows_RKB: Integers, count: int) -> float:
    """The share of steps inside repetitions that move by one row, in whichever direction is the more common."""
    return share_of_one(ring_moves(rows_RKB[:, :-1], rows_RKB[:, 1:], count))


class RepeatCopyMeasure(HeadsMeasure):
    """How well a cell repeats and when it stops, at each of the task's test sizes, and with an NTM by which mechanism.

    The first test size must repeat at least twice two or more vectors.

    Numbers by size: `cost_bits`, bits a sequence with the end marker, as trained; `wrong_bits`, data bits a sequence,
    the sum of `wrong_by_repeat`; and what `ends` gives. With an NTM also the `mechanism` at the first test size, and
    the exhibit `heads`, one sequence of that size.
    """

    def measure(self, system: Transducer, task: RepeatCopy) -> Measured:
        scores = {name: _score(system, task, size) for name, size in zip(task.test_names, task.test_sizes, strict=True)}
        quantities = next(iter(scores.values()))
        numbers: dict[str, Any] = {of: {name: score[of] for name, score in scores.items()} for of in quantities}
        if not isinstance(system.cell, NTM):
            return Measured(numbers, {})
        numbers["mechanism"], heads = _mechanism(system, task, task.test_sizes[0], system.cell)
        return Measured(numbers, {"heads": heads})

    def heads(self, system: Transducer, task: RepeatCopy) -> Exhibit:
        batch = task.evaluation_example()
        length = int(batch.inputs_TBI[:, 0, task.width].argmax())
        size = (length, (len(batch.inputs_TBI) - 2) // length - 1)
        unrolled = system(moved(batch, system.device), keep=True)
        heads = _heads(unrolled.trace.weighting_BAN.movedim(2, 0).cpu().numpy(), size)
        return _trace(unrolled, batch, heads, size, PREVIEW_TITLE)


def _score(system: Transducer, task: RepeatCopy, size: Size) -> dict[str, Any]:
    length, _ = size
    cost, wrong, on = [], [], []
    for drawn in task.evaluation_set(size, task.test_sequences):
        batch = moved(drawn, system.device)
        logits_TBO = system(batch).y_TBO
        cost.append(float(batch.cost_bits(logits_TBO).mean()))
        wrong.append(wrong_by_repeat(batch, logits_TBO, length).float().mean(dim=1).cpu().numpy())
        on.append((logits_TBO[length + 1 :, :, -1] > 0).cpu().numpy())
    wrong_R = np.mean(wrong, axis=0)
    return {
        "cost_bits": float(np.mean(cost)),
        "wrong_bits": float(wrong_R.sum()),
        "wrong_by_repeat": wrong_R.tolist(),
    } | ends(np.concatenate(on, axis=1), length)


class Heads(NamedTuple):
    """The read head and the write head of which the one best reads where the other wrote.

    Attributes:
      read, write: which of their kind.
      share, late_read: see `read_where_written`.
    """

    read: int
    write: int
    share: float
    late_read: int


def _heads(weightings_ATBN: Floats, size: Size) -> Heads:
    count = len(weightings_ATBN) // 2

    def heads(read: int, write: int) -> Heads:
        share, _, late_read = read_where_written(weightings_ATBN[count + write], weightings_ATBN[read], *size)
        return Heads(read, write, share, late_read)

    return max((heads(*pair) for pair in product(range(count), repeat=2)), key=lambda found: found.share)


def _trace(unrolled: Unrolled, batch: BitBatch, heads: Heads, size: Size, title: str) -> MemoryTrace:
    """Two heads over the first sequence of a batch, marked where each repetition begins and the end should stand."""
    length, repeats = size
    starts = [length + 1 + repeat * length for repeat in range(repeats + 1)]
    return trace_of(maps(unrolled, batch, heads.read, heads.write), title, marks={"outputs": starts, "read": starts})


def _mechanism(system: Transducer, task: RepeatCopy, size: Size, cell: NTM) -> tuple[dict[str, float], MemoryTrace]:
    length, repeats = size
    batch = next(iter(task.evaluation_set(size, 100)))
    unrolled = system(moved(batch, system.device), keep=True)
    weightings_ATBN = unrolled.trace.weighting_BAN.movedim(2, 0).cpu().numpy()
    heads, count = _heads(weightings_ATBN, size), weightings_ATBN.shape[-1]
    read_TBN, write_TBN = weightings_ATBN[heads.read], weightings_ATBN[len(weightings_ATBN) // 2 + heads.write]
    rows_RKB = repeated_rows(read_TBN, length, repeats, heads.late_read)
    numbers = {
        "same_rows_as_written": heads.share,
        "loops": loops(rows_RKB),
        "loops_out_of_step": loops(rows_RKB, turn=1),
        "jump_back": jump_back(rows_RKB, count, cell.shifts // 2),
        "read_step": step_within(rows_RKB, count),
        "write_focus": focus(write_TBN[:length]),
        "read_focus": focus(read_TBN[length + 1 : -1]),
    }
    return numbers, _trace(unrolled, batch, heads, size, TITLE)
