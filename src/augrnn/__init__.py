"""The findings behind "Attention and Augmented Recurrent Neural Networks" as claims that a machine checks."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from augrnn.inference.load import Model
    from augrnn.systems.system import System
    from augrnn.tasks.task import Task

__all__ = ["load"]


def load(
    origin: str | Path,
    checkpoints: str | Path | Sequence[str | Path] = (),
    system: "System | None" = None,
    task: "Task | None" = None,
) -> "Model":
    """A trained model from its run's folder or a checkpoint alone; see `augrnn.inference.load.load`."""
    from augrnn.inference import load as module

    return module.load(origin, checkpoints, system, task)
