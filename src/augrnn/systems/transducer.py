"""The system that trains any cell on any task with an output at each step."""

# T = time steps, B = batch, O = output channels

from typing import Any

import torch
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor

from augrnn.batches import StepBatch
from augrnn.cells.cell import Cell
from augrnn.cells.unroll import Keep, Unrolled, unroll
from augrnn.errors import UserError
from augrnn.objectives.cross_entropy import SequenceCrossEntropy
from augrnn.objectives.objective import Objective
from augrnn.systems.system import System
from augrnn.tasks.task import StepTask, Task


class Transducer(System):
    """A cell unrolled over the inputs of a batch.

    Logged, beside what all systems log: the batch's `scores` of the outputs, means over sequences, under `val/` and
    `test/<evaluation set>/`. Of binary vectors these are `cost_bits`, bits per sequence (the papers' unit),
    `wrong_bits`, bits of the thresholded output that are wrong per sequence, and `wrong_sequences`, the share of
    sequences with any. Of classes they are `cost_bits`, `wrong_classes` and `wrong_sequences`.

    Args:
      cell: the architecture.
      objective: what training minimises; cross-entropy summed over a sequence's bits when None.
      optimizer, scheduler, gradient_noise, l2: see System.
    """

    def __init__(
        self,
        cell: Cell,
        objective: Objective | None = None,
        optimizer: OptimizerCallable = torch.optim.Adam,
        scheduler: LRSchedulerCallable | None = None,
        gradient_noise: float = 0.0,
        l2: float = 0.0,
    ) -> None:
        super().__init__(objective or SequenceCrossEntropy(), optimizer, scheduler, gradient_noise, l2)
        self.cell = cell

    def check(self, task: Task) -> None:
        if not isinstance(task, StepTask):
            raise UserError(f"{type(task).__name__} has no output at each step: a Transducer cannot be trained on it")
        sizes = task.input_size, task.output_size
        if missing := [name for name in ("input_size", "output_size") if not hasattr(self.cell, name)]:
            raise UserError(
                f"{type(self.cell).__name__} does not set {' and '.join(missing)}: every Cell has these two"
            )
        if sizes != (self.cell.input_size, self.cell.output_size):
            raise UserError(
                f"{type(task).__name__} gives {sizes[0]} input and {sizes[1]} output channels, but the cell is made "
                f"for {self.cell.input_size} and {self.cell.output_size}: set its input_size and output_size"
            )
        needed, made_for = task.word_ids, self.cell.word_ids
        if needed is not None and made_for is not None and needed > made_for:
            raise UserError(
                f"{type(task).__name__} has up to {needed} words, but the {type(self.cell).__name__} is made for "
                f"{made_for}: give it a vocabulary of {needed} or more"
            )

    def forward(self, batch: StepBatch, keep: bool | Keep = False) -> Unrolled:
        """Outputs (T, B, O) for a batch, with the last state and what was kept of the trace (see `unroll`)."""
        return unroll(self.cell, batch.inputs, self.cell.begin(batch), keep)

    def answer(self, batch: StepBatch, keep: bool | Keep = False) -> Unrolled:
        return self(batch, keep)

    def validation_step(self, batch: StepBatch, batch_idx: int, dataloader_idx: int = 0) -> None:
        self._evaluate("val", batch)

    def test_step(self, batch: StepBatch, batch_idx: int, dataloader_idx: int = 0) -> None:
        names = self.task.test_names if self.task else [str(dataloader_idx)]
        self._evaluate(f"test/{names[dataloader_idx]}", batch)

    def _evaluate(self, prefix: str, batch: StepBatch) -> None:
        values = batch.scores(self(batch).y_TBO)
        self.log_dict(
            {f"{prefix}/{name}": value.mean() for name, value in values.items()},
            batch_size=batch.size,
            add_dataloader_idx=False,
            sync_dist=True,
        )

    def predict_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> Tensor:
        """The outputs, (T, B, O)."""
        return self(batch).y_TBO
