"""What a trial of Optuna's does while it trains: it reports its metric, and ends where the pruner says so."""

from collections.abc import Mapping
from typing import Any

import lightning as L
import optuna
from lightning.pytorch.trainer.states import TrainerFn
from lightning.pytorch.utilities.rank_zero import rank_zero_warn
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import SQLAlchemyError

from augrnn.sweeps.optuna_trials import PRUNED, first_line


class Reporting(L.Callback):
    """Reports a metric after each validation, and ends training where the pruner says so.

    A report's step is the number of values so far, as W&B counts. The number is in the checkpoint, so that a run that
    goes over the same updates again after a resume reports none of them twice.

    Only the run of a trial's first seed should have it: a trial has one curve, and the pruner compares curves.

    Attributes:
      pruned: whether the pruner has ended this training, now or before it was resumed.

    Args:
      trial: the trial; only the process of rank 0 uses it, and the others may have None.
      metric: its name in the validation's log.
      prune: whether to ask the pruner.
    """

    def __init__(self, trial: optuna.Trial | None, metric: str, prune: bool) -> None:
        self.trial, self.metric, self.prune = trial, metric, prune
        self.pruned = prune and trial is not None and bool(trial.user_attrs.get(PRUNED))
        self._count, self._updates = 0, -1

    def state_dict(self) -> dict[str, Any]:
        return {"count": self._count, "updates": self._updates}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        self._count, self._updates = state_dict["count"], state_dict["updates"]

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._follow(trainer, self.pruned)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        value = trainer.callback_metrics.get(self.metric)
        if trainer.state.fn != TrainerFn.FITTING or trainer.sanity_checking or value is None:
            return
        if trainer.global_step == self._updates:  # a checkpoint in the middle of a validation lets it be made again
            return
        self._count, self._updates = self._count + 1, trainer.global_step
        self._follow(trainer, trainer.is_global_zero and self._report(float(value)))

    def _follow(self, trainer: L.Trainer, decision: bool) -> None:
        """Let all processes do what that of rank 0 has decided."""
        self.pruned = bool(trainer.strategy.broadcast(self.pruned or decision))
        trainer.should_stop = trainer.should_stop or self.pruned

    def _report(self, value: float) -> bool:
        """Report a value; whether the pruner ends the trial."""
        assert self.trial is not None
        try:
            earlier = self.trial.storage.get_trial(self.trial._trial_id).intermediate_values
            if self._count < max(earlier, default=0):
                return False
            if self._count not in earlier:
                self.trial.report(value, self._count)
            if not (self.prune and self.trial.should_prune()):
                return False
            self.trial.set_user_attr(PRUNED, True)
        except (SQLAlchemyError, StorageInternalError, OSError) as error:
            rank_zero_warn(f"training goes on without the report of {self.metric}: {first_line(error)}")
            return False
        return True
