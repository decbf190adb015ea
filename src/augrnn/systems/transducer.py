"""The system that trains any cell on any task of binary vectors."""

# T = time steps, B = batch, O = output channels

from typing import Any

import lightning as L
import torch
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor

from augrnn.batches import BitsBatch
from augrnn.cells.cell import Cell
from augrnn.cells.unroll import Unrolled, unroll
from augrnn.errors import UserError

NATS_PER_BIT = 0.6931471805599453


class Transducer(L.LightningModule):
    """A cell unrolled over a sequence of binary vectors, trained by the cross-entropy summed over the sequence's bits.

    The sum matters: with a mean over bits the papers' learning rates, clipping and epsilons do not mean the same.

    Logged: `cost_bits`, bits per sequence (the papers' unit), and `wrong_bits`, bits of the thresholded output that
    are wrong per sequence, both for `train/` and `val/`; `sequences` seen so far.

    Args:
      cell: the architecture.
      optimizer: makes the optimizer from the parameters.
      scheduler: makes a learning rate schedule from the optimizer, stepped at every update; constant without it.
    """

    def __init__(
        self, cell: Cell, optimizer: OptimizerCallable = torch.optim.Adam, scheduler: LRSchedulerCallable | None = None
    ) -> None:
        super().__init__()
        self.cell, self.optimizer, self.scheduler = cell, optimizer, scheduler
        self.sequences: Tensor
        self.register_buffer("sequences", torch.zeros((), dtype=torch.int64))

    def setup(self, stage: str) -> None:
        task = getattr(self.trainer, "datamodule", None)
        sizes = (getattr(task, "input_size", self.cell.input_size), getattr(task, "output_size", self.cell.output_size))
        if sizes != (self.cell.input_size, self.cell.output_size):
            raise UserError(
                f"{type(task).__name__} gives {sizes[0]} input and {sizes[1]} output channels, but the cell is made "
                f"for {self.cell.input_size} and {self.cell.output_size}: set its input_size and output_size"
            )

    def forward(self, inputs_TBI: Tensor, keep: bool = False) -> Unrolled:
        """Logits (T, B, O) for a batch of sequences, with the last state and, if kept, the trace."""
        return unroll(self.cell, inputs_TBI, keep=keep)

    def training_step(self, batch: BitsBatch, batch_idx: int) -> Tensor:
        logits_TBO = self(batch.inputs_TBI).y_TBO
        cost = batch.cost_bits(logits_TBO).mean()
        self.sequences += batch.size * self.trainer.world_size
        values = {"train/cost_bits": cost.detach(), "sequences": self.sequences.float()}
        self.log_dict(values, batch_size=batch.size)
        return cost * NATS_PER_BIT

    def validation_step(self, batch: BitsBatch, batch_idx: int, dataloader_idx: int = 0) -> None:
        self._evaluate("val", batch)

    def test_step(self, batch: BitsBatch, batch_idx: int, dataloader_idx: int = 0) -> None:
        self._evaluate(f"test/{self.trainer.datamodule.test_names[dataloader_idx]}", batch)  # type: ignore[attr-defined]

    def _evaluate(self, prefix: str, batch: BitsBatch) -> None:
        logits_TBO = self(batch.inputs_TBI).y_TBO
        values = {"cost_bits": batch.cost_bits(logits_TBO), "wrong_bits": batch.wrong_bits(logits_TBO)}
        self.log_dict(
            {f"{prefix}/{name}": value.mean() for name, value in values.items()},
            batch_size=batch.size,
            add_dataloader_idx=False,
            sync_dist=True,
        )

    def predict_step(self, batch: BitsBatch, batch_idx: int, dataloader_idx: int = 0) -> Tensor:
        """The output bits, (T, B, O), 0 or 1."""
        return (self(batch.inputs_TBI).y_TBO > 0).long()

    def configure_optimizers(self) -> Any:
        optimizer = self.optimizer(self.parameters())
        if self.scheduler is None:
            return optimizer
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": self.scheduler(optimizer), "interval": "step"},
        }
