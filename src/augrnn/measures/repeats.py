"""What a cell does on the repeat copy task, and how a Neural Turing Machine loops over its memory (section 4.2).

The functions take traces as arrays, so that a hand-made trace can test them.
"""

# T = time steps, B = batch, N = memory rows, W = row width, H = heads of a kind, O = output channels,
# K = vectors to copy, R = repetitions, S = scored steps (R * K + 1)

from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from augrnn.batches import BitsBatch, moved
from augrnn.cells.cell import Unrolled
from augrnn.cells.ntm import NTM
from augrnn.measures.memory import LAGS, Floats, Integers, focus
from augrnn.systems.transducer import Transducer
from augrnn.tasks.bits import Size
from augrnn.tasks.repeat_copy import RepeatCopy

Flags = NDArray[np.bool_]


def wrong_by_repeat(batch: BitsBatch, logits_TBO: torch.Tensor, length: int) -> torch.Tensor:
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


def ring_moves(rows_from: Integers, rows_to: Integers, count: int) -> Integers:
    """Rows from one place to another the shorter way around a ring of `count` rows, in -count/2..count/2."""
    return (rows_to - rows_from + count // 2) % count - count // 2


def jump_back(rows_RKB: Integers, count: int, reach: int = 1) -> float:
    """The share of repetitions after the first that begin with a jump to the first repetition's first row.

    A jump comes from further away than `reach` rows on the ring of `count`, so that no shift explains it.
    """
    home = rows_RKB[1:, 0] == rows_RKB[0, 0]
    far = np.abs(ring_moves(rows_RKB[:-1, -1], rows_RKB[1:, 0], count)) > reach
    return float((home & far).mean())


def step_within(rows_RKB: Integers, count: int) -> float:
    """The share of steps inside repetitions that move by one row, in whichever direction is the more common."""
    moves = ring_moves(rows_RKB[:, :-1], rows_RKB[:, 1:], count)
    return float(max((moves == 1).mean(), (moves == -1).mean()))


def measure_repeat_copy(system: Transducer, task: RepeatCopy) -> tuple[dict[str, Any], dict[str, Any]]:
    """How well a cell repeats and when it stops, at each of the task's test sizes, and with an NTM by which mechanism.

    Args:
      system: trained.
      task: its repeat copy task, whose first test size repeats at least twice two or more vectors.

    Returns:
      By size: `cost_bits`, bits a sequence with the end marker, as trained; `wrong_bits`, data bits a sequence, the sum
      of `wrong_by_repeat`; and what `ends` gives. With an NTM also the `mechanism` at the first test size, and the maps
      of one sequence of that size with its `length` and `repeats`.
    """
    system.eval()
    with torch.inference_mode():
        scores = {name: _score(system, task, size) for name, size in zip(task.test_names, task.test_sizes, strict=True)}
        quantities = next(iter(scores.values()))
        numbers: dict[str, Any] = {of: {name: score[of] for name, score in scores.items()} for of in quantities}
        arrays: dict[str, Any] = {}
        if isinstance(system.cell, NTM):
            numbers["mechanism"], arrays = _mechanism(system, task, task.test_sizes[0])
    return numbers, arrays


def _score(system: Transducer, task: RepeatCopy, size: Size) -> dict[str, Any]:
    length, _ = size
    cost, wrong, on = [], [], []
    for drawn in task.evaluation_set(size, task.test_sequences):
        batch = moved(drawn, system.device)
        logits_TBO = system(batch.inputs_TBI).y_TBO
        cost.append(float(batch.cost_bits(logits_TBO).mean()))
        wrong.append(wrong_by_repeat(batch, logits_TBO, length).float().mean(dim=1).cpu().numpy())
        on.append((logits_TBO[length + 1 :, :, -1] > 0).cpu().numpy())
    wrong_R = np.mean(wrong, axis=0)
    return {
        "cost_bits": float(np.mean(cost)),
        "wrong_bits": float(wrong_R.sum()),
        "wrong_by_repeat": wrong_R.tolist(),
    } | ends(np.concatenate(on, axis=1), length)


def _mechanism(system: Transducer, task: RepeatCopy, size: Size) -> tuple[dict[str, float], dict[str, Any]]:
    """The mechanism of the write head and the read head of which the one best reads where the other wrote."""
    length, repeats = size
    batch = moved(next(iter(task.evaluation_set(size, 100))), system.device)
    unrolled = system(batch.inputs_TBI, keep=True)
    weightings = unrolled.trace.weighting_BAN.movedim(2, 0).cpu().numpy()
    heads, count = len(weightings) // 2, weightings.shape[-1]
    found = {
        (read, write): read_where_written(weightings[heads + write], weightings[read], length, repeats)
        for read, write in product(range(heads), repeat=2)
    }
    read, write = max(found, key=lambda pair: found[pair][0])
    share, _, late_read = found[read, write]
    rows_RKB = repeated_rows(weightings[read], length, repeats, late_read)
    assert isinstance(system.cell, NTM)
    numbers = {
        "same_rows_as_written": share,
        "loops": loops(rows_RKB),
        "loops_out_of_step": loops(rows_RKB, turn=1),
        "jump_back": jump_back(rows_RKB, count, system.cell.shifts // 2),
        "read_step": step_within(rows_RKB, count),
        "write_focus": focus(weightings[heads + write, :length]),
        "read_focus": focus(weightings[read, length + 1 : -1]),
    }
    arrays = maps_of_heads(unrolled, batch, read, write)
    return numbers, arrays | {"length": np.array(length), "repeats": np.array(repeats)}


def maps_of_heads(unrolled: Unrolled, batch: BitsBatch, read: int, write: int) -> dict[str, Floats]:
    """What one read head and one write head of an NTM do over the first sequence of a batch.

    Args:
      unrolled: the batch's outputs and kept trace.
      batch: its inputs.
      read: the read head, counted from 0.
      write: the write head, counted from 0.

    Returns:
      The same names and shapes as `augrnn.measures.memory.maps`.
    """
    trace = unrolled.trace
    heads = trace.read_BHW.shape[2]
    found = {
        "write": trace.weighting_BAN[:, 0, heads + write],
        "read": trace.weighting_BAN[:, 0, read],
        "adds": trace.add_BHW[:, 0, write],
        "reads": trace.read_BHW[:, 0, read],
        "inputs": batch.inputs_TBI[:, 0],
        "outputs": unrolled.y_TBO[:, 0].sigmoid(),
    }
    return {name: tensor.detach().cpu().numpy().astype(np.float32) for name, tensor in found.items()}
