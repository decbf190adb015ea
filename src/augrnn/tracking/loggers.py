"""Where a run's numbers go: a CSV file always, and Weights and Biases, online where there is a key, else offline."""

import csv
import hashlib
import io
import math
import os
import re
import secrets
import sys
import time
from argparse import Namespace
from pathlib import Path
from typing import Any, NamedTuple

import lightning as L
import torch
from lightning.pytorch.loggers import Logger, WandbLogger
from lightning.pytorch.utilities import grad_norm, rank_zero_only

from augrnn.code_version import commit
from augrnn.files import replacing
from augrnn.run_folder import CONFIG, EXHIBITS, LAST, METRICS, MODEL, PROVENANCE, SUMMARY, WANDB_ID
from augrnn.tracking.wandb_server import PROJECT, asked_mode, usable_mode

RECORD = (SUMMARY, CONFIG, METRICS, PROVENANCE, EXHIBITS)
"""The files of a run's record that W&B keeps."""

LONGEST_NAME = 128
"""Letters that W&B allows in an artifact's name."""


class RunTags(NamedTuple):
    """What a run is called on the dashboard.

    Attributes:
      experiment: the group, e.g. "ntm/copy".
      variant: the job type, e.g. "ntm-lstm".
      scale: a tag.
      seed: part of the name.
    """

    experiment: str
    variant: str
    scale: str
    seed: int


class CSVFile(Logger):
    """One row a logged step, in one CSV file that a resumed run continues.

    Lightning's own CSVLogger deletes the file of the leg before. Rows are kept in memory and the file is replaced as
    a whole at every save, so that it is never half-written; a resumed run drops the rows after its checkpoint.

    Args:
      path: the file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.rows: dict[int, dict[str, Any]] = {}
        if path.exists():
            with path.open(newline="") as file:
                for row in csv.DictReader(file):
                    self.rows[int(row["step"])] = {name: float(value) for name, value in row.items() if value}

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def version(self) -> str:
        return ""

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Nothing: the resolved config is a file of its own."""

    @rank_zero_only
    def resume_at(self, step: int) -> None:
        """Forget the rows from `step` on: the run has done that many updates, and the first one's row is row 0."""
        self.rows = {number: row for number, row in self.rows.items() if number < step}

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        row = self.rows.setdefault(step or 0, {"step": step or 0})
        row.update({name: float(value) for name, value in metrics.items() if isinstance(value, int | float)})

    @rank_zero_only
    def save(self) -> None:
        if not self.rows:
            return
        names = sorted({name for row in self.rows.values() for name in row} - {"step"})
        text = io.StringIO()
        writer = csv.DictWriter(text, ["step", *names], lineterminator="\n")
        writer.writeheader()
        writer.writerows(row | {"step": number} for number, row in sorted(self.rows.items()))
        with replacing(self.path) as file:
            file.write(text.getvalue().encode())


def loggers(folder: Path, tags: RunTags, config: dict[str, Any]) -> list[Logger]:
    """The loggers of the run in `folder`; where it resumes from a checkpoint, its W&B run goes on as well."""
    found: list[Logger] = [CSVFile(folder / METRICS)]
    first = rank_zero_only.rank == 0  # type: ignore[attr-defined]
    mode, told = usable_mode(folder) if first else (asked_mode(), "")
    if told:
        print(f"augrnn: {told}", file=sys.stderr, flush=True)
    if mode != "disabled":
        import wandb

        name = f"{tags.variant}-{tags.scale}-{tags.seed}"
        # An agent of W&B's names its run itself.
        given = os.environ.get("WANDB_RUN_ID") if "WANDB_SWEEP_ID" in os.environ else None
        identity = given or _identity(folder)
        found.append(
            WandbLogger(
                project=PROJECT,
                group=tags.experiment,
                job_type=tags.variant,
                tags=[tags.scale, commit() or "unknown"],
                name=name,
                id=identity,
                save_dir=folder,
                config=config,
                mode=mode,
                settings=wandb.Settings(console="off", silent=True),
            )
        )
    return found


def _identity(folder: Path) -> str:
    """The run's id on W&B: a new one, or the folder's where its run resumes from a checkpoint."""
    path = folder / WANDB_ID
    if (folder / LAST).exists() and path.exists():
        return path.read_text(encoding="utf-8").strip()
    identity = secrets.token_hex(6)
    if not getattr(rank_zero_only, "rank", 0):
        with replacing(path) as file:
            file.write(identity.encode())
    return identity


def artifact_name(kind: str, tags: RunTags) -> str:
    """What a run's artifact is called: kind, experiment, variant, scale and seed, in the letters that W&B allows."""
    words = "-".join((kind, *map(str, tags)))
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", words)
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 13]}-{hashlib.sha256(words.encode()).hexdigest()[:12]}"


@rank_zero_only
def log_artifacts(trainer: L.Trainer, folder: Path, tags: RunTags) -> None:
    """Send what a finished run leaves to W&B: its weights as a `model`, its record as a `record`; nothing without W&B.

    The weights are those that validation chose (`model.ckpt`), else those of the last update. A server that does not
    take them is one line on standard error: the run is on record all the same.

    Args:
      trainer: the run's, with its loggers.
      folder: the run's folder, its record complete.
      tags: its names on the dashboard.
    """
    boards = [logger for logger in trainer.loggers if isinstance(logger, WandbLogger)]
    weights = [folder / name for name in (MODEL, LAST)]
    sent = {
        "model": [path for path in weights if path.exists()][:1],
        "record": [folder / name for name in RECORD if (folder / name).exists()],
    }
    for board in boards:
        for kind, paths in sent.items():
            _log_artifact(board, kind, paths, tags)


def _log_artifact(board: WandbLogger, kind: str, paths: list[Path], tags: RunTags) -> None:
    import wandb
    from wandb.sdk.lib.service.service_connection import WandbApiFailedError

    if not paths:
        return
    artifact = wandb.Artifact(artifact_name(kind, tags), type=kind, metadata=tags._asdict())
    try:
        for path in paths:
            # weights are large and stay as they are, so they need not be copied first; a record may be measured again
            artifact.add_file(str(path), policy="immutable" if kind == "model" else "mutable")
        board.experiment.log_artifact(artifact)
    except (wandb.Error, WandbApiFailedError, OSError) as error:
        print(f"W&B did not take {artifact.name}: {' '.join(str(error).split())}", file=sys.stderr)


class Vitals(L.Callback):
    """Logs the learning rate and the norm of the gradients before clipping, `lr` and `grad_norm`, and `throughput`.

    That is training sequences a second since the last logged step.
    """

    def __init__(self) -> None:
        self._since, self._sequences = math.nan, 0

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._since, self._sequences = time.monotonic(), 0

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, i: int
    ) -> None:
        self._sequences += batch.size * trainer.world_size
        if not trainer._logger_connector.should_update_logs:
            return
        if time.monotonic() > self._since:
            pl_module.log("throughput", self._sequences / (time.monotonic() - self._since))
            self._since, self._sequences = time.monotonic(), 0

    def on_before_optimizer_step(
        self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        if trainer._logger_connector.should_update_logs:
            pl_module.log("lr", optimizer.param_groups[0]["lr"])
            pl_module.log("grad_norm", grad_norm(pl_module, norm_type=2)["grad_2.0_norm_total"])
