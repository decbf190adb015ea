"""What the heads of a Neural Turing Machine do, for the measures of all tasks on which one is trained.

The functions take traces as arrays, so that a hand-made trace can test them.
"""

# T = time steps, B = batch, N = memory rows, W = row width, I = input channels, O = output channels

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augrnn.batches import moved
from augrnn.cells.ntm import NTM
from augrnn.cells.unroll import Unrolled
from augrnn.dotted import named
from augrnn.exhibits.exhibit import Exhibit
from augrnn.exhibits.memory_trace import MemoryTrace
from augrnn.measures.measure import Measure
from augrnn.systems.transducer import Transducer
from augrnn.tasks.bit_task import BitBatch, BitTask

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

LAGS = range(-2, 3)
"""How many steps before or after a vector's own step a head may serve it: controllers with memory can be late."""

PREVIEW_TITLE = "one validation sequence"
TITLE = "one test sequence"


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


def used_rows(*weightings: Floats) -> Integers:
    """The rows between the first and the last that any head attends to, starting where the memory ring has a gap."""
    used = np.unique(np.concatenate([w.argmax(axis=-1) for w in weightings]))
    count = weightings[0].shape[-1]
    gaps = np.diff(np.append(used, used[0] + count))
    start, length = used[(gaps.argmax() + 1) % len(used)], count - gaps.max() + 1
    return np.arange(start - 2, start + length + 2) % count


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


def cropped(found: Mapping[str, Floats]) -> dict[str, Floats]:
    """What `maps` gives, with the used memory rows alone."""
    rows = used_rows(found["write"], found["read"])
    return {**found, "write": found["write"][:, rows], "read": found["read"][:, rows]}


def trace_of(found: Mapping[str, Floats], title: str, **marked: Any) -> MemoryTrace:
    """The exhibit of what `maps` gives, with its `marks` and `frames`."""
    shown = cropped(found)
    return MemoryTrace(title, shown["inputs"], shown["outputs"], shown["write"], shown["read"], **marked)


class HeadsMeasure(Measure):
    """The base of measures that look at the heads of an NTM; its preview is the `heads` of an NTM alone.

    Attributes:
      kind: the kind of exhibit that `heads` gives.
    """

    kind: type[Exhibit] = MemoryTrace

    def heads(self, system: Transducer, task: Any) -> Exhibit:
        """What the heads do on validation data: over one sequence, undivided, unless a task says more."""
        assert isinstance(task, BitTask)
        batch = task.evaluation_example()
        return trace_of(maps(system(moved(batch, system.device), keep=True), batch), PREVIEW_TITLE)

    def preview(self, system: Transducer, task: Any) -> dict[str, Exhibit]:
        return {"heads": self.heads(system, task)} if isinstance(system.cell, NTM) else {}

    def previews(self, model: Mapping[str, Any]) -> dict[str, type[Exhibit]]:
        cell = model.get("init_args", {}).get("cell", {}).get("class_path")
        return {"heads": self.kind} if cell and issubclass(named(cell, object, "cell"), NTM) else {}
