"""How well a cell copies, and what a Neural Turing Machine does with its memory for that (section 4.1).

The functions take traces as arrays, so that a hand-made trace can test them.
"""

# T = time steps, B = batch, N = memory rows, W = row width, K = vectors to copy, O = bits a vector

from typing import Any

import numpy as np
import torch

from augrnn.batches import moved
from augrnn.cells.inner_steps import InnerSteps
from augrnn.cells.ntm import NTM
from augrnn.exhibits.exhibit import Exhibit
from augrnn.measures.copy.figure import CopyTrace
from augrnn.measures.heads import (
    LAGS,
    PREVIEW_TITLE,
    TITLE,
    Floats,
    HeadsMeasure,
    cropped,
    focus,
    maps,
    one_row_a_step,
)
from augrnn.measures.measure import Measured
from augrnn.measures.pondering.measure import inner_steps
from augrnn.seeded import seeded
from augrnn.systems.transducer import Transducer
from augrnn.tasks.bit_task import BitBatch
from augrnn.tasks.copy import Copy


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


class CopyMeasure(HeadsMeasure):
    """How well a cell copies each of the task's test lengths, and with an NTM by which mechanism.

    Numbers: `wrong_bits`, `accurate_prefix` and `faultless` (share of sequences), each by length; with an NTM also the
    mechanism (`mechanism`) at the second test length, and the failure at the memory's limit (`limit`); with a cell that
    takes inner steps their mean number at each step in time at that length (`inner_steps`). With an NTM the exhibit
    `heads`, one sequence of that length.
    """

    kind = CopyTrace

    def measure(self, system: Transducer, task: Copy) -> Measured:
        with seeded(0, system.device):
            return self._measured(system, task)

    def _measured(self, system: Transducer, task: Copy) -> Measured:
        scores = [_score(system, task, length, task.test_sequences) for (length,) in task.test_sizes]
        names = ("wrong_bits", "accurate_prefix", "faultless")
        numbers: dict[str, Any] = {
            name: dict(zip(task.test_names, values, strict=True)) for name, *values in zip(names, *scores, strict=True)
        }
        if isinstance(system.cell, InnerSteps):
            numbers["inner_steps"] = _pondering(system, task, task.test_sizes[1][0])
        if not isinstance(system.cell, NTM):
            return Measured(numbers, {})
        numbers["mechanism"], heads = _mechanism(system, task, task.test_sizes[1][0])
        numbers["limit"] = _limit(system, task, system.cell)
        return Measured(numbers, {"heads": heads})

    def heads(self, system: Transducer, task: Copy) -> Exhibit:
        batch = task.evaluation_example()
        return CopyTrace(PREVIEW_TITLE, **cropped(maps(system(moved(batch, system.device), keep=True), batch)))


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


def _pondering(system: Transducer, task: Copy, length: int) -> list[float]:
    """The mean number of inner steps at each step in time: the vectors, the delimiter, and the copy."""
    means = []
    for drawn in task.evaluation_set((length,), task.test_sequences):
        batch = moved(drawn, system.device)
        steps_TB = inner_steps(system.cell, system(batch, keep=True).trace, batch.lengths)
        means.append(steps_TB.double().mean(1))
    found: list[float] = torch.stack(means).mean(0).tolist()
    return found


def _mechanism(system: Transducer, task: Copy, length: int) -> tuple[dict[str, float], CopyTrace]:
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
    return numbers, CopyTrace(TITLE, **cropped(maps(unrolled, batch)))


def _limit(system: Transducer, task: Copy, cell: NTM) -> dict[str, float]:
    """Wrong bits at a length that the memory cannot hold, 5/4 of its rows, before and after the rows are doubled."""
    rows, sequences = cell.rows, min(200, task.test_sequences)
    beyond = rows * 5 // 4
    wrong = _score(system, task, beyond, sequences)[0]
    cell.resize(2 * rows)
    grown = _score(system, task, beyond, sequences)[0]
    cell.resize(rows)
    return {"length": beyond, "rows": rows, "more_rows": 2 * rows, "wrong_bits": wrong, "wrong_bits_more_rows": grown}
