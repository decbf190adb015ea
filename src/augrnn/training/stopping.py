"""How training follows a request to stop without losing an update."""

import contextlib
import signal
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import lightning as L

from augrnn.signals import SIGNALS, STOPPED, handled


class StopWhenAsked(L.Callback):
    """Leaves training with SystemExit(STOPPED) at the end of a batch once a signal has asked one of its processes.

    The checkpoint and the loggers are then as if the batch had been the last one. Where a validation is due, the
    request waits for it and the checkpoint after it: Lightning does not make up for a validation that was missed.

    Ctrl-C is such a request, and a second one leaves at once. Lightning's own answer to SIGTERM saves nothing, and
    under SLURM passes it by.

    Args:
      checkpoint: where a run that resumes looks.
    """

    def __init__(self, checkpoint: Path) -> None:
        self.checkpoint, self._asked = checkpoint, False
        self._handlers = contextlib.ExitStack()

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._handlers.enter_context(handled(self._note, (*SIGNALS, signal.SIGINT)))

    def _note(self, number: int, _: FrameType | None) -> None:
        if number == signal.SIGINT and self._asked:  # Ctrl-C again: at once
            raise KeyboardInterrupt
        self._asked = True

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, i: int
    ) -> None:
        if not self._all_asked(trainer):
            return
        loop = trainer.fit_loop.epoch_loop
        fetcher = trainer.fit_loop._data_fetcher
        assert fetcher is not None
        if loop._should_check_val_fx(fetcher) or loop._num_ready_batches_reached() or loop._should_accumulate():
            return
        # what Lightning does after this hook, and would not come to
        trainer._logger_connector.on_batch_end()
        trainer._logger_connector.update_train_step_metrics()
        for logger in trainer.loggers:  # before the checkpoint: a kill between the two must not lose the update's row
            logger.save()
        trainer.save_checkpoint(self.checkpoint)
        self._leave(trainer)

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self._all_asked(trainer) and self.checkpoint.exists():
            self._leave(trainer)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._handlers.close()
        if self._asked:  # what comes after training can be done in the next leg
            raise SystemExit(STOPPED)

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        self._handlers.close()

    def _all_asked(self, trainer: L.Trainer) -> bool:
        return trainer.strategy.reduce_boolean_decision(self._asked, all=False)

    def _leave(self, trainer: L.Trainer) -> NoReturn:
        for logger in trainer.loggers:
            logger.save()
        raise SystemExit(STOPPED)


class StopAtOnce(L.Callback):
    """Ends a training that resumes without another update, so that it is measured as its last checkpoint left it."""

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        trainer.should_stop = True
