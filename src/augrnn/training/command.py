"""LightningCLI as its users know it, with the project's defaults: loggers, checkpoints, resolved config, resuming."""

import logging
import os
import signal
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import lightning as L
import torch
import yaml
from jsonargparse import Namespace
from lightning.pytorch.callbacks import ModelCheckpoint, ProgressBar
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.plugins.environments import ClusterEnvironment, LightningEnvironment, SLURMEnvironment
from lightning.pytorch.utilities import rank_zero_only

from augrnn.errors import UserError
from augrnn.files import plain
from augrnn.heap import keep_freed_memory
from augrnn.run_folder import CONFIG, LAST, METRICS, MODEL
from augrnn.signals import STOPPED
from augrnn.threads import choose, cores
from augrnn.tracking import loggers as tracking
from augrnn.tracking.loggers import RunTags
from augrnn.tracking.pictures import Pictures
from augrnn.training import fit_folder
from augrnn.training.averaging import AverageBestCheckpoints
from augrnn.training.defaults import TRAINER
from augrnn.training.divergence import StopOnDivergence
from augrnn.training.epoch_bar import EpochBar
from augrnn.training.option_words import understood
from augrnn.training.refusals import one_clear_line, require_configs, root_of
from augrnn.training.resuming import NewRates, ResumeLogs, StayStopped, require_resumable
from augrnn.training.run_files import ResolvedConfig, RunCheckpoints
from augrnn.training.stopping import StopWhenAsked
from augrnn.training.thread_choice import ChooseThreads

NOTICES = (
    ".*does not have many workers.*",
    ".*Checkpoint directory .* exists and is not empty.*",
    ".*isinstance.treespec, LeafSpec.*",
    ".*is smaller than the logging interval.*",
    ".*GPU available but not used.*",
    "The dirpath has changed from .*",
    "Be aware that when using `ckpt_path`, callbacks used to create the checkpoint .*",
    "The `srun` command is available on your system",
    ".*module\\(s\\) in eval mode at the start of training.*",  # backbones stay in it on purpose
)
"""What Lightning advises or warns of, and a run of ours need not follow."""


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
        self.made: Sequence[Path] = ()
        quieten()
        require_configs(args)
        quiet = {"exit_on_error": False}
        try:
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
                args=understood(args),
                run=run,
            )
        except (Exception, KeyboardInterrupt):
            fit_folder.take_back(self.made)
            raise

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        self.config = parser.parse_args(args)  # Lightning's own way warns where the process has arguments of its own
        if subcommand := self.config.get("subcommand"):
            self._settle(subcommand)

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.link_arguments("seed_everything", "data.init_args.seed", compute_fn=int)

    def _settle(self, subcommand: str) -> None:
        """Settle the subcommand's folder and checkpoint before Lightning looks at them."""
        config = self.config[subcommand]
        if not isinstance(config.trainer, Namespace):
            raise UserError("trainer has no options: it must have some, such as max_steps, or be left out")
        root, checkpoint = config.trainer.default_root_dir, config.ckpt_path
        configs = [str(path) for path in config.config or []]
        if subcommand != "fit":
            config.ckpt_path = str(fit_folder.to_evaluate(root, checkpoint, configs))
            self.folder = Path(config.ckpt_path).parent.parent
        elif getattr(rank_zero_only, "rank", 0):
            self.folder = fit_folder.of_first_process(root)
        else:
            stems = [Path(path).stem for path in configs if Path(path).name != CONFIG][:1]
            name = "-".join([config.data.class_path.rpartition(".")[2].lower() if config.data else "run", *stems])
            self.folder, found, self.made = fit_folder.to_train_in(root, checkpoint, name)
            config.ckpt_path = None if found is None else str(found)

    def fit(self, **arguments: Any) -> None:
        """Train in the run's folder; of several processes the first one holds it, and says what there is in the end."""
        folder = self.folder
        if getattr(rank_zero_only, "rank", 0) or folder is None:
            self.trainer.fit(**arguments)
            return
        with fit_folder.held(folder):
            print(f"run folder: {folder}", flush=True)
            try:
                self.trainer.fit(**arguments)
            except FloatingPointError as error:
                raise UserError(f"{error}: a lower learning rate or gradient clipping may help") from error
            except SystemExit as left:
                if left.code == STOPPED:
                    print(fit_folder.stopping(folder), file=sys.stderr)
                raise
            if self.trainer.fast_dev_run:  # type: ignore[attr-defined]
                return
            if (folder / METRICS).exists():
                fit_folder.draw_curves(folder)
            metrics = {name: float(value) for name, value in self.trainer.callback_metrics.items()}
            print(fit_folder.ending(folder, getattr(self.datamodule, "command", "predict"), metrics), flush=True)

    def instantiate_classes(self) -> None:
        try:
            super().instantiate_classes()
        except ValueError as error:  # a constructor refused its sizes; the parser wraps that in pages of types
            raise UserError(str(root_of(error))) from error

    def instantiate_trainer(self, **kwargs: Any) -> L.Trainer:
        choose(0)  # until a training's first batch shows how large the work is
        keep_freed_memory()
        config: Namespace = self.config.get(str(self.subcommand), self.config)
        settings = self._get(self.config_init, "trainer")
        require_cores(settings["accelerator"], settings["devices"])
        require_amounts(settings)
        folder = self.folder or Path(settings["default_root_dir"] or ".")
        tags = self.tags or RunTags(folder.parent.name, folder.name, "adhoc", int(config["seed_everything"]))
        own = settings["callbacks"] or []
        for choosing in (each for each in own if isinstance(each, ModelCheckpoint) and each.dirpath is None):
            choosing.dirpath = str((folder / MODEL).parent)
        text = self._parser(self.subcommand).dump(_storable(config), skip_none=False)
        callbacks = [
            *own,
            *self.callbacks,
            ChooseThreads(),
            StopOnDivergence(),
            tracking.Vitals(),
            Pictures(),
            ResumeLogs(),
            NewRates(text),
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
        elif settings["enable_progress_bar"] in (None, True) and not any(isinstance(each, ProgressBar) for each in own):
            callbacks.append(EpochBar())
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
        raise UserError(" ".join(str(error).split())) from error


class Trained(NamedTuple):
    """A finished training, or an ensemble of several.

    Attributes:
      system: the LightningModule as it is at the end of training, or the ensemble.
      task: its datamodule.
      trainer: the Trainer that ran it; None for an ensemble.
      updates: optimizer steps, over all legs of the run; None for an ensemble.
      sequences: training sequences seen; None for an ensemble.
    """

    system: torch.nn.Module
    task: L.LightningDataModule
    trainer: L.Trainer | None = None
    updates: int | None = None
    sequences: int | None = None

    def publish(self, folder: Path, tags: Mapping[str, Any]) -> None:
        """Send weights and record to W&B, where it is on; `folder` and `tags` are those of `train`."""
        if self.trainer is not None:
            tracking.log_artifacts(self.trainer, folder, RunTags(**tags))


def as_yaml(settings: Mapping[str, Any]) -> str:
    """Settings as the text of a LightningCLI file."""
    return yaml.safe_dump(plain(settings))


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
        file.write(as_yaml(settings))
        file.flush()
        argv = ["--config", file.name, *placement]
        command = Command(argv, run=False, folder=folder, tags=RunTags(**tags), callbacks=callbacks)
        last = folder / LAST
        if last.exists():
            fit_folder.readable(last)
        command.trainer.fit(command.model, command.datamodule, ckpt_path=last if last.exists() else None)
    sequences = int(getattr(command.model, "sequences", 0))
    return Trained(command.model, command.datamodule, command.trainer, command.trainer.global_step, sequences)


def command_line(words: list[str]) -> int:
    """Run `fit`, `validate` or `test` as LightningCLI does; gives the exit status."""
    try:
        with one_clear_line():
            Command(words, run=True)
    except KeyboardInterrupt:
        print("augrnn: interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    return 0


def quieten() -> None:
    """Leave out what the libraries say at every start."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for message in NOTICES:
        warnings.filterwarnings("ignore", message)


def require_cores(accelerator: Any, devices: Any) -> None:
    """Refuse more processes on the processor than it has cores: each would load the model and wait for the others.

    Raises:
      UserError: there are fewer cores.
    """
    on_processor = accelerator == "cpu" or (accelerator == "auto" and not torch.accelerator.is_available())
    if on_processor and str(devices).isdecimal() and int(devices) > cores():
        raise UserError(f"trainer.devices {devices} asks for {devices} processes, but there are {cores()} cores here")


ABOVE_ZERO = ("accumulate_grad_batches", "check_val_every_n_epoch", "val_check_interval")
"""Options of the Trainer that divide, which Lightning does not check."""

NOT_NEGATIVE = ("gradient_clip_val", "log_every_n_steps")
"""Options of the Trainer that are off at 0, which Lightning does not check."""

LAUNCHED = ("MASTER_ADDR", "SLURM_STEP_ID", "LSB_JOBID", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE")
"""Variables of which one is set where processes on several nodes can find each other."""


def require_amounts(settings: Mapping[str, Any]) -> None:
    """Refuse amounts of the Trainer's at which it would crash, wait for ever, or train in an odd way without a word.

    Raises:
      UserError: names the first of them.
    """
    for name in (*ABOVE_ZERO, *NOT_NEGATIVE):
        value = settings.get(name)
        if isinstance(value, int | float) and (value < 0 or (value == 0 and name in ABOVE_ZERO)):
            least = "above 0" if name in ABOVE_ZERO else "at least 0"
            raise UserError(f"trainer.{name} must be {least}, not {value}")
    nodes = settings.get("num_nodes") or 1
    if nodes > 1 and not any(name in os.environ for name in LAUNCHED):
        raise UserError(
            f"trainer.num_nodes {nodes} waits for processes on other nodes, and nothing has started them: use srun or "
            "torchrun, or set MASTER_ADDR, MASTER_PORT and NODE_RANK on each"
        )


def _storable(config: Namespace) -> Namespace:
    """A resolved config that another run can start from: without what this one resumes from."""
    without = config.clone()
    for name in ("ckpt_path", "weights_only"):
        without.pop(name, None)
    return without


yaml.add_multi_representer(  # some of Lightning's defaults are enums, which the parser cannot write
    Enum, lambda dumper, value: dumper.represent_data(value.value), Dumper=yaml.SafeDumper
)
