"""What all systems share: an objective, an optimizer, random numbers that a resumed run draws again, and counts."""

from typing import Any

import lightning as L
import torch
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor

from augrnn.cells.unroll import Keep, Unrolled
from augrnn.objectives.objective import Objective
from augrnn.tasks.task import Task


class System(L.LightningModule):
    """A model in training: a subclass says what the model gives for a batch, and how that is evaluated.

    Logged: what the objective logs, under `train/`, and `sequences` seen so far.

    Args:
      objective: what training minimises.
      optimizer: makes the optimizer from the parameters.
      scheduler: makes a learning rate schedule from the optimizer, stepped at every update; constant without it.
    """

    def __init__(
        self, objective: Objective, optimizer: OptimizerCallable, scheduler: LRSchedulerCallable | None
    ) -> None:
        super().__init__()
        self.objective, self.optimizer, self.scheduler = objective, optimizer, scheduler
        self.sequences: Tensor
        self.register_buffer("sequences", torch.zeros((), dtype=torch.int64))
        self._seed = 0

    def answer(self, batch: Any, keep: bool | Keep = False) -> Unrolled:
        """What the model gives for a training batch, as the objective takes it."""
        raise NotImplementedError

    def check(self, task: Task) -> None:
        """Refuse a task that the model does not fit, with a UserError."""
        raise NotImplementedError

    @property
    def task(self) -> Task | None:
        """The task that it is trained or evaluated on; None for dataloaders without one."""
        return getattr(self.trainer, "datamodule", None)

    def setup(self, stage: str) -> None:
        if self.task is not None:
            self.check(self.task)
        self._seed = torch.initial_seed()

    def on_train_start(self) -> None:
        loop: Any = self.trainer.fit_loop
        loop._resuming_from_checkpoint = False  # or Lightning never asks for the batches of a later epoch
        if not loop.restarted_on_epoch_end:
            return
        # or it ends the checkpoint's epoch a second time, and may train on a batch of it again
        for count in (loop.epoch_progress.total, loop.epoch_progress.current):
            if loop.epoch_loop._num_ready_batches_reached():
                count.completed = count.processed
            else:  # the steps had come to their end inside the epoch
                count.processed = count.completed
        if loop.epoch_loop._num_ready_batches_reached():
            loop.reset_restart_stage()
            loop._restarting = loop.epoch_loop.restarting = False

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        # Random numbers depend on seed, update and part of the update alone, so that a resumed run draws the same ones.
        part = batch_idx % self.trainer.accumulate_grad_batches
        torch.manual_seed(self._seed + 7919 * self.global_step + self.global_rank + 104729 * part)

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        loss = self.objective(batch, self.answer(batch, self.objective.keep or False))
        self.sequences += batch.size * self.trainer.world_size
        self.log_dict({f"train/{name}": value for name, value in loss.logged.items()}, batch_size=batch.size)
        self.log_dict(self.counted(batch), batch_size=batch.size)
        return loss.value

    def counted(self, batch: Any) -> dict[str, Tensor]:
        """What has been seen so far, this batch included, to be logged."""
        return {"sequences": self.sequences.float()}

    def configure_optimizers(self) -> Any:
        optimizer = self.optimizer(self.parameters())
        if self.scheduler is None:
            return optimizer
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": self.scheduler(optimizer), "interval": "step"}}
