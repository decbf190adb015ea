"""What lets a run that resumes be the run that was never interrupted."""

import sys
import warnings
from collections.abc import Mapping
from typing import Any

import lightning as L
import yaml
from lightning.pytorch.callbacks.early_stopping import EarlyStopping, EarlyStoppingReason
from lightning.pytorch.trainer.states import TrainerFn

from augrnn.checkpoints import CONFIG_KEY
from augrnn.errors import UserError
from augrnn.systems.system import System
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


RULES = ("min_delta", "patience", "check_finite", "stopping_threshold", "divergence_threshold")
"""The settings of early stopping that may change when a run resumes."""


class StayStopped(L.Callback):
    """Keeps a run that early stopping has ended from going on when it is resumed, unless its rules have changed.

    Early stopping itself goes by the checkpoint's patience; here the config's counts.
    """

    def __init__(self) -> None:
        self._rules: dict[str, dict[str, Any]] = {}
        self._before: dict[str, dict[str, Any]] = {}

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        self._rules = {
            each.state_key: {name: getattr(each, name) for name in RULES} for each in trainer.early_stopping_callbacks
        }

    def state_dict(self) -> dict[str, Any]:
        return self._rules

    def on_load_checkpoint(self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
        states = checkpoint.get("callbacks", {})
        self._before = states.get(self.state_key, {})
        for each in trainer.early_stopping_callbacks:
            if state := states.get(each.state_key):
                self._before.setdefault(each.state_key, {"patience": state["patience"]})
                state["patience"] = each.patience

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        for each in trainer.early_stopping_callbacks:
            before = self._before.get(each.state_key, {})
            changed = any(getattr(each, name) != value for name, value in before.items())
            if not _stopped(each):
                continue
            if changed and each.wait_count < each.patience:
                each.stopped_epoch, each.stopping_reason = 0, EarlyStoppingReason.NOT_STOPPED
                continue
            trainer.should_stop = True
            if trainer.is_global_zero:
                print(
                    f"early stopping on {each.monitor} has ended this run at update {trainer.global_step}: nothing is "
                    f"left to train; to go on, give it more patience than {each.patience}",
                    file=sys.stderr,
                )


def _stopped(early: EarlyStopping) -> bool:
    return bool(early.stopped_epoch) or early.stopping_reason != EarlyStoppingReason.NOT_STOPPED


class NewRates(L.Callback):
    """Lets the config's optimizer and schedule count when a run resumes, not those of its checkpoint.

    What the optimizer has gathered stays. The schedule is where it would be had it been the run's from the start. Where
    nothing has changed, the checkpoint's numbers are taken as they are.

    Args:
      config: the resolved config, as YAML.
    """

    def __init__(self, config: str) -> None:
        self.config = config

    def on_load_checkpoint(self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
        if trainer.state.fn != TrainerFn.FITTING or not isinstance(pl_module, System):
            return
        before, now = (_rates(text) for text in (checkpoint.get(CONFIG_KEY, self.config), self.config))
        if before == now:
            return
        classes = [each["optimizer"].get("class_path") for each in (before, now)]
        if classes[0] != classes[1]:
            raise UserError(f"a run that resumes keeps its optimizer, {classes[0]}: start a new one for {classes[1]}")
        if any("ReduceLROnPlateau" in str(each["scheduler"]) for each in (before, now)):
            raise UserError(
                "optimizer and scheduler cannot change when a run with ReduceLROnPlateau resumes: its rate depends on "
                "the validations before"
            )
        optimizer, scheduler = pl_module.optimizer(pl_module.parameters()), None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # no update goes with these steps
            if pl_module.scheduler is not None:
                scheduler = pl_module.scheduler(optimizer)
                for _ in range(checkpoint["global_step"]):
                    scheduler.step()
        for old, new in zip(checkpoint["optimizer_states"][0]["param_groups"], optimizer.param_groups, strict=True):
            params = old["params"]
            old.clear()
            old.update({**new, "params": params})
        checkpoint["lr_schedulers"] = [] if scheduler is None else [scheduler.state_dict()]


def _rates(config: str) -> dict[str, Any]:
    """What a config says of optimizer and schedule; a UserError where it is none."""
    settings = yaml.safe_load(config)
    if not isinstance(settings, dict):
        raise UserError("the config in the checkpoint is damaged: take another checkpoint")
    arguments = (settings.get("model") or {}).get("init_args") or {}
    return {name: arguments.get(name) or {} for name in ("optimizer", "scheduler")}
