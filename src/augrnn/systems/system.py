"""What all systems share: an objective, an optimizer, random numbers that a resumed run draws again, and counts."""

import math
import sys
from typing import Any, NoReturn

import lightning as L
import torch
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor
from torch.optim.lr_scheduler import CosineAnnealingLR, ReduceLROnPlateau

from augrnn.batch_stream import generator
from augrnn.cells.unroll import Keep, Unrolled
from augrnn.errors import UserError
from augrnn.objectives.objective import Objective
from augrnn.tasks.task import Task

NOISE_DECAY = 0.55
"""gamma, by which the variance of gradient noise falls."""


class System(L.LightningModule):
    """A model in training: a subclass says what the model gives for a batch, and how that is evaluated.

    Logged: what the objective logs, under `train/`, and `sequences` seen so far.

    Args:
      objective: what training minimises.
      optimizer: makes the optimizer from the parameters.
      scheduler: makes a learning rate schedule from the optimizer, stepped at every update; constant without it. One of
        `lightning.pytorch.cli.ReduceLROnPlateau` is stepped after every validation.
      gradient_noise: eta of the Gaussian noise that is added to each gradient after clipping, with a variance of
        eta / (1 + t)^.55 at update t (Neelakantan et al. 2015, arXiv 1511.06807); none at 0.
      l2: lambda of a term lambda / 2 times the sum of all squared parameters in what is minimised, whose gradient is
        clipped with the rest. An optimizer's `weight_decay` is added after clipping, and so weighs more.

    Raises:
      UserError: eta or lambda is negative or not finite.
    """

    def __init__(
        self,
        objective: Objective,
        optimizer: OptimizerCallable,
        scheduler: LRSchedulerCallable | None,
        gradient_noise: float = 0.0,
        l2: float = 0.0,
    ) -> None:
        super().__init__()
        if not 0 <= gradient_noise < math.inf:
            raise UserError(f"gradient noise needs an eta of at least 0, not {gradient_noise}")
        if not 0 <= l2 < math.inf:
            raise UserError(f"l2 needs a lambda of at least 0, not {l2}")
        self.objective, self.optimizer, self.scheduler = objective, optimizer, scheduler
        self.gradient_noise, self.l2 = gradient_noise, l2
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
        self._require_end_of_schedule()
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

    def configure_gradient_clipping(self, *given: Any, **named: Any) -> None:
        if self.l2:
            learning = [parameter for parameter in self.parameters() if parameter.grad is not None]
            gradients = [parameter.grad for parameter in learning if parameter.grad is not None]
            torch._foreach_add_(gradients, [parameter.detach() for parameter in learning], alpha=self.l2)
        super().configure_gradient_clipping(*given, **named)
        if not self.gradient_noise:
            return
        deviation = math.sqrt(self.gradient_noise / (1 + self.global_step) ** NOISE_DECAY)
        # a stream of its own: the same one in all processes, whose parameters would part otherwise
        source = generator(3, self._seed, self.global_step)
        for parameter in self.parameters():
            if parameter.grad is not None:
                noise = torch.randn(parameter.shape, generator=source) * deviation
                parameter.grad += noise.to(parameter.grad)

    def counted(self, batch: Any) -> dict[str, Tensor]:
        """What has been seen so far, this batch included, to be logged."""
        return {"sequences": self.sequences.float()}

    def configure_optimizers(self) -> Any:
        optimizer = self.optimizer(self.parameters())
        if self.scheduler is None:
            return optimizer
        scheduler: Any = self.scheduler(optimizer)
        settings = {"scheduler": scheduler, "interval": "step"}
        if isinstance(scheduler, ReduceLROnPlateau):
            if not hasattr(scheduler, "monitor"):
                raise UserError(
                    "ReduceLROnPlateau does not know what to watch: use lightning.pytorch.cli.ReduceLROnPlateau with "
                    "its monitor (val/loss)"
                )
            # Lightning keeps it in checkpoints, but would step it after epochs, validated or not.
            settings |= {"interval": "epoch", "frequency": sys.maxsize, "monitor": scheduler.monitor}
        return {"optimizer": optimizer, "lr_scheduler": settings}

    def on_validation_epoch_end(self) -> None:
        if self.trainer.state.fn != TrainerFn.FITTING or self.trainer.sanity_checking:
            return
        for config in self.trainer.lr_scheduler_configs:
            if isinstance(config.scheduler, ReduceLROnPlateau):
                found = self.trainer.callback_metrics
                if config.monitor not in found:
                    names = ", ".join(sorted(name for name in found if name.startswith("val/")))
                    raise UserError(f"ReduceLROnPlateau watches {config.monitor}, but a validation gives {names}")
                config.scheduler.step(found[config.monitor])

    def _require_end_of_schedule(self) -> None:
        """Refuse updates after the end of a cosine, at which its rate would rise again."""
        updates = self.trainer.estimated_stepping_batches
        for config in self.trainer.lr_scheduler_configs:
            if isinstance(config.scheduler, CosineAnnealingLR) and updates > config.scheduler.T_max:
                raise UserError(
                    f"the learning rate comes to its end at update {config.scheduler.T_max} (T_max) and would rise "
                    f"again, but training goes on to update {updates:g}: set T_max and trainer.max_steps to one number"
                )

    @classmethod
    def load_from_checkpoint(cls, *args: Any, **kwargs: Any) -> NoReturn:
        raise UserError("a checkpoint of augrnn makes its own model: use augrnn.load(path).system")
