"""LightningCLI as its users know it, with the project's defaults: loggers, checkpoints, resolved config, resuming."""

import contextlib
import errno
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import lightning as L
import torch
from jsonargparse import ArgumentError, Namespace
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.plugins.environments import SLURMEnvironment
from lightning.pytorch.plugins.io import TorchCheckpointIO

from augrnn.checkpoints import mean_weights
from augrnn.errors import UserError
from augrnn.files import replacing
from augrnn.tracking import loggers as tracking
from augrnn.tracking.loggers import RunTags
from augrnn.training.stopping import StopWhenAsked


class ResolvedConfig(L.Callback):
    """Leaves the resolved config, `config.yaml`, in the run's folder."""

    def __init__(self, text: str, path: Path) -> None:
        self.text, self.path = text, path

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        if trainer.is_global_zero:
            with replacing(self.path) as file:
                file.write(self.text.encode())


class ResumeLogs(L.Callback):
    """Lets the logs of a resumed run go on where its checkpoint was made."""

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        for logger in trainer.loggers:
            if isinstance(logger, tracking.CSVFile):
                logger.resume_at(trainer.global_step)

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, i: int) -> None:
        # After a checkpoint made by a validation at the end of an epoch, Lightning's count for loggers is one too many.
        trainer.fit_loop.epoch_loop._batches_that_stepped = trainer.global_step


class StayStopped(L.Callback):
    """Keeps a run that early stopping has ended from going on when it is resumed."""

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if any(each.stopped_epoch or each.wait_count >= each.patience for each in trainer.early_stopping_callbacks):
            trainer.should_stop = True


class ChosenWeights(L.Callback):
    """Ends training with the weights that validation chose, and saves them as `checkpoints/model.ckpt`.

    They are the mean of the checkpoints kept by a ModelCheckpoint with a `monitor` among the config's callbacks:
    the best one, or with a larger `save_top_k` that many best. Without one the model is as the last update left it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        choosing = [each for each in trainer.checkpoint_callbacks if isinstance(each, ModelCheckpoint) and each.monitor]
        kept = [Path(path) for each in choosing for path in each.best_k_models or [each.best_model_path] if path]
        if kept:
            seen = {name: value for name, value in pl_module.state_dict().items() if not value.is_floating_point()}
            pl_module.load_state_dict(mean_weights(kept) | seen)
            trainer.save_checkpoint(self.folder / "checkpoints" / "model.ckpt", weights_only=True)


class WholeCheckpoints(TorchCheckpointIO):
    """Writes checkpoints whole or not at all, so that a run killed while it saves still has the one before."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        with replacing(Path(path)) as file:
            torch.save(checkpoint, file)


class PredictionWriter(L.Callback):
    """Writes what `predict` gives to standard output, as the lines that the task makes of it."""

    def __init__(self) -> None:
        self.predictions: dict[int, Any] = {}

    def on_predict_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        i: int,
        dataloader_idx: int = 0,
    ) -> None:
        self.predictions.update(outputs)

    def on_predict_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        task: Any = trainer.datamodule  # type: ignore[attr-defined]
        best = [found[0].tokens for found in self.predictions.values()]
        for line in task.lines(best, list(self.predictions)):
            print(line)


class Command(LightningCLI):
    """LightningCLI with a run folder.

    Args:
      args: the command line; with `run` its first word is the subcommand.
      run: whether to run the subcommand; otherwise `trainer`, `model` and `datamodule` are only built.
      folder: where the run lives; by default `trainer.default_root_dir`.
      tags: the run's names on the dashboard.
      callbacks: further ones, before the project's own.
    """

    def __init__(
        self,
        args: list[str],
        run: bool,
        folder: Path | None = None,
        tags: RunTags | None = None,
        callbacks: Sequence[L.Callback] = (),
    ) -> None:
        self.folder, self.tags, self.callbacks = folder, tags, callbacks
        quiet = {"exit_on_error": False}
        super().__init__(
            L.LightningModule,
            L.LightningDataModule,
            subclass_mode_model=True,
            subclass_mode_data=True,
            save_config_callback=None,
            auto_configure_optimizers=False,
            seed_everything_default=0,
            parser_kwargs=quiet | (dict.fromkeys(self.subcommands(), quiet) if run else {}),
            args=args,
            run=run,
        )

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        self.config = parser.parse_args(args)  # Lightning's own way warns where the process has arguments of its own

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.link_arguments("seed_everything", "data.init_args.seed", compute_fn=int)

    def instantiate_classes(self) -> None:
        try:
            super().instantiate_classes()
        except ValueError as error:  # a constructor refused its sizes; the parser wraps that in pages of types
            raise UserError(str(_root(error))) from error

    def instantiate_trainer(self, **kwargs: Any) -> L.Trainer:
        config: Namespace = self.config.get(str(self.subcommand), self.config)
        settings = self._get(self.config_init, "trainer")
        folder = self.folder or Path(settings["default_root_dir"] or "runs/adhoc")
        tags = self.tags or RunTags(folder.parent.name, folder.name, "adhoc", int(config["seed_everything"]))
        own = settings["callbacks"] or []
        for choosing in (each for each in own if isinstance(each, ModelCheckpoint) and each.dirpath is None):
            choosing.dirpath = str(folder / "checkpoints")
        callbacks = [
            *own,
            *self.callbacks,
            tracking.Vitals(),
            tracking.Pictures(),
            ResumeLogs(),
            StayStopped(),
            StopWhenAsked(folder / "checkpoints" / "last.ckpt"),
            ChosenWeights(folder),
            ModelCheckpoint(folder / "checkpoints", filename="last", enable_version_counter=False),
        ]
        if self.subcommand in (None, "fit"):
            text = self._parser(self.subcommand).dump(config, skip_none=False)
            callbacks.append(ResolvedConfig(text, folder / "config.yaml"))
        if self.subcommand is None:  # a run of the lab, which shows progress in its own way
            kwargs |= {"enable_progress_bar": False, "enable_model_summary": False}
        if self.subcommand == "predict":  # standard output is for the predictions
            if not hasattr(self.datamodule, "lines"):
                raise UserError(f"{type(self.datamodule).__name__} takes no file to predict from")
            callbacks.append(PredictionWriter())
            kwargs |= {"enable_progress_bar": False, "enable_model_summary": False}
        logger = settings["logger"]
        if logger is None:
            logger = tracking.loggers(folder, tags, config.as_dict()) if self.subcommand in (None, "fit") else False
        plugins = [*(settings["plugins"] or []), WholeCheckpoints()]
        if (
            "SLURM_JOB_ID" in os.environ and SLURMEnvironment.detect()
        ):  # it has its own way to requeue, which loses what W&B has not written yet
            plugins.append(SLURMEnvironment(auto_requeue=False))
        return super().instantiate_trainer(
            default_root_dir=folder, callbacks=callbacks, logger=logger, plugins=plugins, **kwargs
        )


@contextlib.contextmanager
def one_clear_line() -> Iterator[None]:
    """Turn what the libraries raise for a user's mistake into a UserError of one line."""
    try:
        yield
    except ArgumentError as error:
        raise UserError(_one_line(str(error))) from error
    except RuntimeError as error:
        if "loading state_dict" not in str(error):
            raise
        raise UserError("the checkpoint is of another model than the config's: its parameters differ") from error
    except FileNotFoundError as error:
        raise UserError(_one_line(str(error))) from error
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise UserError(f"the disk is full: {error.filename or 'a file'} could not be written") from error


def _one_line(message: str) -> str:
    """What a parser's message says of the innermost class it could not make, without line breaks and types."""
    text = re.sub(r"\s+", " ", message).strip().split(" Given value")[0].split(" - Expected a <class")[0]
    return re.sub(r".*(?=Problem with given class_path)", "", text)


def _root(error: BaseException) -> BaseException:
    """The error that an error was raised for, in the end."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return error


class Trained(NamedTuple):
    """A finished training.

    Attributes:
      system: the LightningModule as it is at the end of training.
      task: its datamodule.
      trainer: the Trainer that ran it.
      updates: optimizer steps, over all legs of the run.
      sequences: training sequences seen.
    """

    system: L.LightningModule
    task: L.LightningDataModule
    trainer: L.Trainer
    updates: int
    sequences: int

    def publish(self, folder: Path, tags: Mapping[str, Any]) -> None:
        """Send weights and record to W&B, where it is on; `folder` and `tags` are those of `train`."""
        tracking.log_artifacts(self.trainer, folder, RunTags(**tags))


def train(argv: list[str], folder: Path, tags: Mapping[str, Any], callbacks: Sequence[L.Callback] = ()) -> Trained:
    """Train what a config and its overrides say, in `folder`, from the last checkpoint where there is one.

    Args:
      argv: LightningCLI's arguments: `--config`, a path, and overrides.
      folder: the run's own folder, which gets config.yaml, metrics.csv and checkpoints/.
      tags: the fields of RunTags, the run's names on the dashboard.
      callbacks: what else is to happen while it trains.
    """
    with one_clear_line():
        command = Command(argv, run=False, folder=folder, tags=RunTags(**tags), callbacks=callbacks)
        last = folder / "checkpoints" / "last.ckpt"
        command.trainer.fit(command.model, command.datamodule, ckpt_path=last if last.exists() else None)
    sequences = int(getattr(command.model, "sequences", 0))
    return Trained(command.model, command.datamodule, command.trainer, command.trainer.global_step, sequences)


def command_line(words: list[str]) -> int:
    """Run `fit`, `validate`, `test` or `predict` as LightningCLI does; gives the exit status."""
    with one_clear_line():
        Command(words, run=True)
    return 0
