"""The findings behind "Attention and Augmented Recurrent Neural Networks" as claims that a machine checks."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from augrnn.inference.load import Model

__all__ = ["load"]


def load(origin: str | Path, checkpoints: Sequence[Path] = ()) -> "Model":
    """A trained model from its run's folder or a checkpoint alone; see `augrnn.inference.load.load`."""
    from augrnn.inference import load as module

    return module.load(origin, checkpoints)
