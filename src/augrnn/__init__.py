"""The findings behind "Attention and Augmented Recurrent Neural Networks" as claims that a machine checks."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from augrnn.inference.load import Model
    from augrnn.lab.outcome import Outcome
    from augrnn.systems.system import System
    from augrnn.tasks.task import Task

__all__ = ["__version__", "load", "reproduce"]

__version__ = version("augrnn")


def load(
    origin: str | Path,
    checkpoints: str | Path | Sequence[str | Path] = (),
    system: "System | None" = None,
    task: "Task | None" = None,
) -> "Model":
    """A trained model from its run's folder or a checkpoint alone; see `augrnn.inference.load.load`."""
    from augrnn.inference import load as module

    return module.load(origin, checkpoints, system, task)


def reproduce(experiment: str, scale: str = "smoke", **options: Any) -> "Outcome":
    """Train what an experiment needs and judge its claims; see `augrnn.lab.runner.reproduce` for the options.

    Returns:
      The outcome: `verdicts`, by claim, `exhibits`, `record` and `page`. A notebook shows it.
    """
    from augrnn.lab import runner

    return runner.reproduce(experiment, scale, **options)
