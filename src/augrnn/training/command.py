"""LightningCLI as its users know it, with the project's defaults: loggers, checkpoints, resolved config, resuming."""

import contextlib
import errno
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import lightning as L
import yaml
from jsonargparse import ArgumentError, Namespace
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.plugins.environments import ClusterEnvironment, LightningEnvironment, SLURMEnvironment

from augrnn.errors import UserError
from augrnn.files import jsonable
from augrnn.run_folder import CONFIG, LAST, MODEL
from augrnn.tracking import loggers as tracking
from augrnn.tracking.loggers import RunTags
from augrnn.tracking.pictures import Pictures
from augrnn.training.averaging import AverageBestCheckpoints
from augrnn.training.defaults import TRAINER
from augrnn.training.divergence import StopOnDivergence
from augrnn.training.resuming import ResumeLogs, StayStopped, require_resumable
from augrnn.training.run_files import ResolvedConfig, RunCheckpoints
from augrnn.training.stopping import StopWhenAsked


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
            trainer_defaults=TRAINER,
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
            choosing.dirpath = str((folder / MODEL).parent)
        text = self._parser(self.subcommand).dump(config, skip_none=False)
        callbacks = [
            *own,
            *self.callbacks,
            StopOnDivergence(),
            tracking.Vitals(),
            Pictures(),
            ResumeLogs(),
            StayStopped(),
            StopWhenAsked(folder / LAST),
            AverageBestCheckpoints(folder),
            ModelCheckpoint((folder / LAST).parent, filename=LAST.stem, enable_version_counter=False),
        ]
        if self.subcommand in (None, "fit"):
            require_resumable(settings)
            callbacks.append(ResolvedConfig(text, folder / CONFIG))
        if self.subcommand is None:  # a run of the lab, which shows progress in its own way
            kwargs |= {"enable_progress_bar": False, "enable_model_summary": False}
        logger = settings["logger"]
        if logger is None:
            logger = tracking.loggers(folder, tags, config.as_dict()) if self.subcommand in (None, "fit") else False
        plugins = [*(settings["plugins"] or []), RunCheckpoints(text)]
        plugins += _slurm()
        return super().instantiate_trainer(
            default_root_dir=folder, callbacks=callbacks, logger=logger, plugins=plugins, **kwargs
        )


def _slurm() -> list[ClusterEnvironment]:
    """What Lightning is to take this process for where SLURM has started it; nothing elsewhere."""
    if "SLURM_JOB_ID" not in os.environ:
        return []
    if "SLURM_STEP_ID" not in os.environ:  # in an allocation, but no task of srun's: it trains alone
        return [LightningEnvironment()]
    try:
        # Lightning's own way to requeue loses what W&B has not written yet.
        return [SLURMEnvironment(auto_requeue=False)] if SLURMEnvironment.detect() else []
    except RuntimeError as error:
        raise UserError(_one_line(str(error))) from error


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


def train(
    settings: Mapping[str, Any],
    folder: Path,
    tags: Mapping[str, Any],
    placement: Sequence[str] = (),
    callbacks: Sequence[L.Callback] = (),
) -> Trained:
    """Train what settings say, in `folder`, from the last checkpoint where there is one.

    Args:
      settings: as a LightningCLI file has them.
      folder: the run's own folder, which gets config.yaml, metrics.csv and checkpoints/.
      tags: the fields of RunTags, the run's names on the dashboard.
      placement: command-line options that say how the run is spread over machines; they are no part of its settings.
      callbacks: what else is to happen while it trains.
    """
    with one_clear_line(), tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        yaml.safe_dump(jsonable(settings), file)
        file.flush()
        argv = ["--config", file.name, *placement]
        command = Command(argv, run=False, folder=folder, tags=RunTags(**tags), callbacks=callbacks)
        last = folder / LAST
        command.trainer.fit(command.model, command.datamodule, ckpt_path=last if last.exists() else None)
    sequences = int(getattr(command.model, "sequences", 0))
    return Trained(command.model, command.datamodule, command.trainer, command.trainer.global_step, sequences)


def command_line(words: list[str]) -> int:
    """Run `fit`, `validate` or `test` as LightningCLI does; gives the exit status."""
    with one_clear_line():
        Command(words, run=True)
    return 0
