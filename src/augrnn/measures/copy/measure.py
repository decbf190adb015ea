"""What a Neural Turing Machine does with its memory on the copy task, from the trace of its heads.

The functions take traces as arrays, so that a hand-made trace can test them.
"""

# T = time steps, B = batch, N = memory rows, W = row width, H = heads of a kind, K = vectors to copy, O = bits a vector

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from augrnn.batches import moved
from augrnn.cells.ntm import NTM
from augrnn.cells.unroll import Unrolled
from augrnn.systems.transducer import Transducer
from augrnn.tasks.bit_task import BitBatch
from augrnn.tasks.copy import Copy

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

LAGS = range(-2, 3)
"""How many steps before or after a vector's own step a head may serve it: controllers with memory can be late."""


def focus(w_TBN: Floats) -> float:
    """Mean over steps and sequences of the largest weight: 1 is a head on a single row."""
    return float(w_TBN.max(axis=-1).mean())


def head_steps(w_TBN: Floats) -> Integers:
    """Rows that a head moves from one step to the next around the ring, in -N/2..N/2, (T - 1, B)."""
    rows_TB = w_TBN.argmax(axis=-1)
    return ring_moves(rows_TB[:-1], rows_TB[1:], w_TBN.shape[-1])


def ring_moves(rows_from: Integers, rows_to: Integers, count: int) -> Integers:
    """Rows from one place to another the shorter way around a ring of `count` rows, in -count/2..count/2."""
    return (rows_to - rows_from + count // 2) % count - count // 2


def share_of_one(moves: Integers) -> float:
    """The share of moves by one row, in whichever of the two directions is the more common."""
    return float(max((moves == 1).mean(), (moves == -1).mean()))


def one_row_a_step(w_TBN: Floats) -> float:
    """The share of steps in which a head moves by one row, in whichever of the two directions it mostly moves."""
    return share_of_one(head_steps(w_TBN))


def same_rows(write_TBN: Floats, read_TBN: Floats, length: int) -> tuple[float, int, int]:
    """Whether the reads visit the rows of the writes in their order.

    Args:
      write_TBN: the write head's weighting over a whole copy sequence of `length` vectors.
      read_TBN: the read head's.
      length: K; vector k is seen at step k and given at step K + 1 + k.

    Returns:
      The share of vectors whose row is read where it was written, at the best pair of lags, and these two lags.
    """
    writes, reads = write_TBN.argmax(axis=-1), read_TBN.argmax(axis=-1)
    steps, k = len(writes), np.arange(length)
    best = (-1.0, 0, 0)
    for late_write in LAGS:
        for late_read in LAGS:
            seen, given = k + late_write, length + 1 + k + late_read
            inside = (seen >= 0) & (given < steps)
            share = float((writes[seen[inside]] == reads[given[inside]]).mean(axis=1).sum() / length)
            best = max(best, (share, late_write, late_read), key=lambda found: found[0])
    return best


def cosine(a: Floats, b: Floats) -> float:
    """Mean cosine similarity of the vectors along the last dimension."""
    norms = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return float(((a * b).sum(axis=-1) / np.maximum(norms, 1e-12)).mean())


def wrong_vectors(batch: BitBatch, logits_TBO: torch.Tensor) -> torch.Tensor:
    """Which scored vectors of each sequence have a wrong bit, (B, K), for a batch of one size."""
    wrong_TBO = (logits_TBO > 0) != (batch.targets_TBO > 0.5)
    return wrong_TBO[batch.scored_TB[:, 0] > 0].any(dim=-1).T


def accurate_prefix(wrong_BK: torch.Tensor) -> float:
    """Mean number of vectors given without error before the first wrong one."""
    return float((wrong_BK.long().cumsum(dim=1) == 0).sum(dim=1).float().mean())


def measure_copy(
    system: Transducer, task: Copy, limit: tuple[int, int] | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """How well a cell copies each of the task's test lengths, and with a memory by which mechanism.

    Args:
      system: trained.
      task: its copy task; the test sequences are drawn here and nowhere before.
      limit: a length for which an NTM's memory is too small, and the rows it is given for that; not measured when None.

    Returns:
      `wrong_bits`, `accurate_prefix` and `faultless` (share of sequences), each by length; with an NTM also the
      mechanism (`mechanism`) at the second test length and the failure at the memory's limit (`limit`); and the maps
      of one sequence of that length.
    """
    system.eval()
    with torch.inference_mode():
        scores = [_score(system, task, length, task.test_sequences) for (length,) in task.test_sizes]
        names = ("wrong_bits", "accurate_prefix", "faultless")
        numbers: dict[str, Any] = {
            name: dict(zip(task.test_names, values, strict=True)) for name, *values in zip(names, *scores, strict=True)
        }
        arrays: dict[str, Any] = {}
        if isinstance(system.cell, NTM):
            numbers["mechanism"], arrays = _mechanism(system, task, task.test_sizes[1][0])
            if limit is not None:
                numbers["limit"] = _limit(system, task, *limit)
    return numbers, arrays


def _score(system: Transducer, task: Copy, length: int, sequences: int) -> tuple[float, float, float]:
    wrong, prefix, faultless = [], [], []
    for drawn in task.evaluation_set((length,), sequences):
        batch = moved(drawn, system.device)
        logits_TBO = system(batch).y_TBO
        wrong_B, wrong_BK = batch.wrong_bits(logits_TBO), wrong_vectors(batch, logits_TBO)
        wrong.append(float(wrong_B.mean()))
        prefix.append(accurate_prefix(wrong_BK))
        faultless.append(float((wrong_B == 0).float().mean()))
    return float(np.mean(wrong)), float(np.mean(prefix)), float(np.mean(faultless))


def _mechanism(system: Transducer, task: Copy, length: int) -> tuple[dict[str, float], dict[str, Any]]:
    batch = next(iter(task.evaluation_set((length,), 100)))
    unrolled = system(moved(batch, system.device), keep=True)
    trace = unrolled.trace
    heads = trace.weighting_BAN.shape[2] // 2
    read_TBN, write_TBN = (trace.weighting_BAN[:, :, head].cpu().numpy() for head in (0, heads))
    read_TBW, add_TBW = (vectors[:, :, 0].cpu().numpy() for vectors in (trace.read_BHW, trace.add_BHW))
    share, late_write, late_read = same_rows(write_TBN, read_TBN, length)
    k = np.arange(2, length - 2)  # those whose steps are inside the sequence at any lag
    numbers = {
        "write_focus": focus(write_TBN[:length]),
        "read_focus": focus(read_TBN[length + 1 :]),
        "write_step": one_row_a_step(write_TBN[:length]),
        "read_step": one_row_a_step(read_TBN[length + 1 :]),
        "same_rows": share,
        "reads_are_adds": cosine(read_TBW[length + 1 + k + late_read], add_TBW[k + late_write]),
    }
    return numbers, maps(unrolled, batch)


def maps(unrolled: Unrolled, batch: BitBatch, read: int = 0, write: int = 0) -> dict[str, Floats]:
    """What one read head and one write head of an NTM do over the first sequence of a batch.

    Args:
      unrolled: the batch's outputs and kept trace.
      batch: its inputs.
      read: the read head, counted from 0.
      write: the write head, counted from 0.

    Returns:
      "write" and "read", weightings (T, N); "adds" and "reads", vectors (T, W); "inputs" (T, I) and "outputs" (T, O).
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


def _limit(system: Transducer, task: Copy, beyond: int, rows: int) -> dict[str, float]:
    cell = system.cell
    assert isinstance(cell, NTM)
    before = cell.rows
    sequences = min(200, task.test_sequences)
    wrong = _score(system, task, beyond, sequences)[0]
    cell.grow(rows)
    grown = _score(system, task, beyond, sequences)[0]
    cell.rows = before
    return {"length": beyond, "rows": before, "more_rows": rows, "wrong_bits": wrong, "wrong_bits_more_rows": grown}
