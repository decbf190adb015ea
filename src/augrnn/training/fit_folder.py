"""The folder of an `augrnn fit`: a fresh one each time, or that of the run that it takes up again."""

import contextlib
import os
import shlex
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

from augrnn.checkpoints import read_checkpoint
from augrnn.errors import UserError
from augrnn.files import locked
from augrnn.run_folder import CONFIG, CURVES, LAST, METRICS, MODEL, PROVENANCE, SUMMARY

ADHOC = Path("runs", "adhoc")
"""Where the folders are that nobody has named."""

BARE = {CONFIG, ".lock", LAST.parent.name}
"""What is in the folder of a training that has not left anything yet."""

CHOSEN = "AUGRNN_FIT_FOLDER"
"""The variable in which the first process of a data-parallel run tells the others its folder."""

VERSION = "pytorch-lightning_version"
"""The key under which Lightning writes its own version; without it, it reads no checkpoint."""

PARTS = {
    VERSION: str,
    "epoch": int,
    "global_step": int,
    "loops": dict,
    "callbacks": dict,
    "optimizer_states": list,
    "lr_schedulers": list,
}
"""What Lightning takes from a checkpoint, beside the weights."""

NAMES = {"last": LAST, "best": MODEL}
"""Checkpoints of the run's folder that have a name of their own."""


class Home(NamedTuple):
    """Where a training lives.

    Attributes:
      folder: its folder.
      checkpoint: what it resumes from; None where it begins.
      made: the folder and those above it, from the innermost on, that are there for this training alone.
    """

    folder: Path
    checkpoint: Path | None = None
    made: tuple[Path, ...] = ()


def fresh(name: str) -> Home:
    """A new folder called after the task, the config and the time.

    Raises:
      UserError: it cannot be made.
    """
    stem = ADHOC / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    number = 1
    while True:
        folder = stem if number == 1 else stem.with_name(f"{stem.name}-{number}")
        made = missing(folder)
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            number += 1
        except OSError as error:
            raise UserError(f"cannot make the folder {folder}: {error.strerror}") from error
        else:
            return Home(folder, made=made)


def missing(folder: Path) -> tuple[Path, ...]:
    """A folder and those above it, from the innermost on, as far as they are not there."""
    return tuple(takewhile(lambda each: not each.exists(), (folder, *folder.parents)))


def take_back(made: Sequence[Path]) -> None:
    """Take away the folders of a training that was refused before it has left anything.

    Args:
      made: those that were made for it, from the innermost on.
    """
    if not made or {path.name for path in made[0].rglob("*")} - BARE:
        return
    with contextlib.suppress(OSError):  # another run may have its folder in one of them by now
        shutil.rmtree(made[0], ignore_errors=True)
        for folder in made[1:]:
            folder.rmdir()


def holds_a_run(folder: Path) -> bool:
    """Whether a run has left a checkpoint or a record in a folder; one that has saved nothing can start again."""
    records = any((folder / name).exists() for name in (SUMMARY, PROVENANCE))
    return records or any((folder / LAST).parent.glob("*.ckpt"))


def resolved(checkpoint: str | None, folder: Path | None) -> Path | None:
    """The checkpoint that an option names: a path, or `last` or `best` in a run's folder.

    Raises:
      UserError: there is none, or it is damaged.
    """
    if not checkpoint:
        return None
    path = Path(checkpoint)
    if checkpoint in NAMES:
        if folder is None:
            raise UserError(f"--ckpt_path {checkpoint} needs the run's folder: --trainer.default_root_dir")
        path = folder / NAMES[checkpoint]
        if not path.exists():
            raise UserError(f"{folder} has no {NAMES[checkpoint]}: it is not the folder of a trained run")
    readable(path)
    return path


def readable(path: Path) -> dict[str, Any]:
    """What is in a checkpoint to resume from.

    Raises:
      UserError: it is missing or damaged; says how to go on.
    """
    try:
        content = read_checkpoint(path)
        for key, kind in PARTS.items():
            if not isinstance(content.get(key, kind()), kind) or (key == VERSION and key not in content):
                raise UserError(f"{path} is not a checkpoint of Lightning's: its {key} is missing or damaged")
        return content
    except UserError as error:
        if not path.is_file():
            raise
        raise UserError(
            f"{error}; take another checkpoint of its folder, or delete it and start the run again from the beginning"
        ) from error


def to_train_in(root: str | None, checkpoint: str | None, name: str) -> Home:
    """Where a training lives.

    Args:
      root: the folder that the user names.
      checkpoint: the checkpoint that the user names.
      name: what a fresh folder is called after.

    Raises:
      UserError: the folder holds another run, or the checkpoint cannot be resumed from.
    """
    folder = Path(root) if root else None
    found = resolved(checkpoint, folder)
    if found is not None and not {"optimizer_states", "lr_schedulers"} <= readable(found).keys():
        raise UserError(f"{found} holds the model only: a training resumes from {LAST}")
    home = None if found is None else found.resolve().parent.parent
    if folder is None:
        if home is not None and (home / CONFIG).exists():
            here = Path.cwd()
            return Home(home.relative_to(here) if home.is_relative_to(here) else home, found)
        return fresh(name)._replace(checkpoint=found)
    if holds_a_run(folder) and folder.resolve() != home:
        raise UserError(
            f"{folder} holds a run: take it up again with --ckpt_path last, or name another --trainer.default_root_dir"
        )
    return Home(folder, found, missing(folder))


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep a folder for this run, and tell it to the processes that this one starts."""
    with locked(folder):
        os.environ[CHOSEN] = str(folder)
        try:
            yield
        finally:
            del os.environ[CHOSEN]


def of_first_process(root: str | None) -> Path:
    """The folder of a data-parallel run whose first process has chosen it.

    Raises:
      UserError: its processes were not started by the first one, so that only a named folder is the same for all.
    """
    if folder := root or os.environ.get(CHOSEN):
        return Path(folder)
    raise UserError("a run of several processes needs a named folder: --trainer.default_root_dir")


def to_evaluate(root: str | None, checkpoint: str | None, configs: Sequence[str]) -> Path:
    """The checkpoint to evaluate: the named one, or the run's own in the named folder or in that of its config.

    Raises:
      UserError: there is none, or it is damaged.
    """
    folders = [Path(root)] if root else [Path(config).parent for config in configs if Path(config).name == CONFIG]
    if checkpoint and (found := resolved(checkpoint, folders[0] if folders else None)):
        return found
    for path in (folder / name for folder in folders for name in (MODEL, LAST)):
        if path.exists():
            readable(path)
            return path
    raise UserError(
        f"there is no trained model{f' in {folders[0]}' if folders else ''}: name a checkpoint with --ckpt_path, or a "
        f"run's folder with --trainer.default_root_dir or by its --config RUN/{CONFIG}"
    )


# What is said of it --------------------------------------------------------------------------------------------------

CONTENTS = {
    CONFIG: "all settings",
    METRICS: "what was logged",
    CURVES: "the learning curves",
    str(LAST): "the last update, to resume from",
    str(MODEL): "the model that validation chose",
}


def ending(folder: Path, command: str, metrics: Mapping[str, float]) -> str:
    """How the last validation of a finished run was, what its folder has, and what to do next.

    Args:
      folder: the run's.
      command: what uses such a model, see `augrnn.tasks.task.Task`.
      metrics: what was logged last, by name.
    """
    found = [f"{name} {value:.4g}" for name, value in metrics.items() if name.startswith("val/")]
    lines = [f"last validation: {', '.join(found)}"] if found else []
    lines.append(f"run folder: {folder}")
    lines += [f"  {name:24}{about}" for name, about in CONTENTS.items() if (folder / name).exists()]
    named = shlex.quote(str(folder))
    lines.append(f"next: augrnn validate --config {shlex.quote(str(folder / CONFIG))}")
    use = {"translate": f"translate --run {named} FILE", "caption": f"caption --run {named} IMAGE"}
    lines.append(f"      augrnn {use.get(command, f'predict {named} FILE')}")
    return "\n".join(lines)


def stopping(folder: Path) -> str:
    """What to do after a run was asked to stop."""
    if not (folder / LAST).exists():
        return f"stopped before the first update: {folder} has no checkpoint"
    config, last = (shlex.quote(str(folder / name)) for name in (CONFIG, LAST))
    return f"stopped; take it up again with: augrnn fit --config {config} --ckpt_path {last}"


def draw_curves(folder: Path) -> None:
    """Draw what was logged of training and validation alike as a picture in the run's folder; nothing where too little.

    Args:
      folder: the run's, with its metrics.
    """
    from augrnn.exhibits.curves import LearningCurves
    from augrnn.tracking.loggers import CSVFile

    curves: dict[str, list[tuple[list[float], list[float]]]] = {}
    rows = [row for _, row in sorted(CSVFile(folder / METRICS).rows.items())]
    names = sorted({name for row in rows for name in row if name.startswith("train/")})
    both = [name for name in names if any(name.replace("train/", "val/", 1) in row for row in rows)]
    if not names:
        return
    metric = (both or names)[0].removeprefix("train/")
    for name in (f"train/{metric}", f"val/{metric}"):
        sequences, points = 0.0, []
        for row in rows:
            sequences = row.get("sequences", sequences)
            if name in row:
                points.append((sequences, row[name]))
        if points:
            curves[name] = [([x for x, _ in points], [y for _, y in points])]
    with contextlib.suppress(UserError):  # the run is whole without its picture
        LearningCurves(curves, metric).save(folder / CURVES)
