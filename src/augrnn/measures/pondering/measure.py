"""What is wrong, and how many inner steps are taken, in each of a task's evaluation sets."""

# T = time steps, B = batch

from typing import Any

import torch
from torch import Tensor

from augrnn.batches import moved
from augrnn.cells.cell import Cell
from augrnn.cells.repeat import Repeat
from augrnn.measures.measure import Measure, Measured
from augrnn.seeded import seeded
from augrnn.systems.transducer import Transducer
from augrnn.tasks.drawn_task import DrawnTask


def inner_steps(cell: Cell, trace: Any, lengths_B: Tensor) -> Tensor:
    """Inner steps of each step in time, (T, B), 0 for padding: as the record says, or the same everywhere."""
    if hasattr(trace, "steps_B"):
        steps_TB: Tensor = trace.steps_B
        return steps_TB
    times = int(lengths_B.max())
    real_TB = torch.arange(times, device=lengths_B.device).unsqueeze(1) < lengths_B
    return real_TB * float(cell.steps if isinstance(cell, Repeat) else 1)


class PonderingMeasure(Measure):
    """Errors and pondering in each evaluation set.

    Numbers, each by the set's name: `wrong_steps`, the share of scored steps with a wrong output (of which a guess at
    one bit makes one half); `wrong_sequences`, the share of sequences with any, which Graves 2016 calls the error;
    `inner_steps`, the mean number of inner steps of a step in time; and where all sequences of a set are equally long
    `steps_by_position`, that mean at each step in time. What a cell draws at random is the same at every measuring.
    """

    def measure(self, system: Transducer, task: DrawnTask[Any]) -> Measured:
        numbers: dict[str, Any] = {
            "wrong_steps": {},
            "wrong_sequences": {},
            "inner_steps": {},
            "steps_by_position": {},
        }
        with seeded(0, system.device):
            for name, batches in task.test_sets().items():
                found, steps = torch.zeros(6, dtype=torch.float64), []
                lengths: set[int] = set()
                for drawn in batches:
                    batch: Any = moved(drawn, system.device)
                    unrolled = system(batch, keep=True)
                    wrong_TB = batch.wrong_steps(unrolled.y_TBO)
                    steps_TB = inner_steps(system.cell, unrolled.trace, batch.lengths)
                    counts = (
                        wrong_TB.sum(), (batch.scored_TB > 0).sum(), wrong_TB.any(0).sum(), batch.size, steps_TB.sum(),
                        batch.lengths.sum(),
                    )  # fmt: skip
                    found += torch.tensor([float(count) for count in counts], dtype=torch.float64)
                    steps.append(steps_TB)
                    lengths.update(batch.lengths.int().tolist())
                numbers["wrong_steps"][name], numbers["wrong_sequences"][name], numbers["inner_steps"][name] = (
                    found[::2] / found[1::2]
                ).tolist()
                if len(lengths) == 1:
                    numbers["steps_by_position"][name] = torch.cat(steps, dim=1).mean(1).tolist()
        return Measured(numbers, {})
