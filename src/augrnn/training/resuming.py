"""What lets a run that resumes be the run that was never interrupted."""

from collections.abc import Mapping
from typing import Any

import lightning as L

from augrnn.errors import UserError
from augrnn.tracking.loggers import CSVFile

UNRESUMABLE = {
    "overfit_batches": ((None, 0, 0.0), "the stream of batches would be another one"),
    "limit_train_batches": ((None, 1.0), "each epoch would leave out batches: set the task's epoch or the steps"),
    "enable_checkpointing": ((None, True), "a run that is interrupted could not resume"),
}
"""For each Trainer option that would break a run, the values that it may have, and what else would happen."""


def require_resumable(settings: Mapping[str, Any]) -> None:
    """Refuse settings of the Trainer that break the stream of batches or resuming.

    Raises:
      UserError: names the first of them.
    """
    for name, (allowed, otherwise) in UNRESUMABLE.items():
        value = settings.get(name)
        alike = [each for each in allowed if type(each) is type(value) and each == value]  # 1 batch is not 1.0 of them
        if not alike and not settings.get("fast_dev_run"):
            raise UserError(f"trainer.{name} cannot be {value}: {otherwise}")


class ResumeLogs(L.Callback):
    """Lets the logs of a resumed run go on where its checkpoint was made."""

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        for logger in trainer.loggers:
            if isinstance(logger, CSVFile):
                logger.resume_at(trainer.global_step)

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, i: int) -> None:
        # After a checkpoint made by a validation at the end of an epoch, Lightning's count for loggers is one too many.
        trainer.fit_loop.epoch_loop._batches_that_stepped = trainer.global_step


class StayStopped(L.Callback):
    """Keeps a run that early stopping has ended from going on when it is resumed."""

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if any(each.stopped_epoch or each.wait_count >= each.patience for each in trainer.early_stopping_callbacks):
            trainer.should_stop = True
