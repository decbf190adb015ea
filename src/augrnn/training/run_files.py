"""What a run leaves in its folder: its resolved config, and checkpoints that need nothing beside them."""

import os
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import IO, Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import Tensor

from augrnn.checkpoints import CONFIG_KEY
from augrnn.errors import UserError
from augrnn.files import replacing


class ResolvedConfig(L.Callback):
    """Leaves the resolved config, `config.yaml`, in the run's folder."""

    def __init__(self, text: str, path: Path) -> None:
        self.text, self.path = text, path

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        if trainer.is_global_zero:
            with replacing(self.path) as file:
                file.write(self.text.encode())


class RunCheckpoints(TorchCheckpointIO):
    """Writes checkpoints with the run's config in them, each whole or not at all.

    So a checkpoint alone is enough to use the model, and a run that is killed while it saves has the one before.

    Args:
      config: the resolved config, as YAML.
    """

    def __init__(self, config: str) -> None:
        super().__init__()
        self.config = config

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        content = plain({**checkpoint, CONFIG_KEY: self.config})
        with replacing(Path(path)) as file:
            writer = _Writer(file)
            try:
                torch.save(content, writer)  # type: ignore[arg-type]
            except RuntimeError:  # torch's own words for a failed write
                if writer.failure is not None:
                    raise writer.failure from None
                raise


class _Writer:
    """A file that remembers why a write failed: torch does not pass it on."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.failure: OSError | None = None

    def write(self, data: bytes) -> int:
        try:
            return self._file.write(data)
        except OSError as error:
            self.failure = error
            raise

    def flush(self) -> None:
        self._file.flush()


LOADABLE = (type(None), complex, torch.dtype, torch.device)
"""Types that torch loads with `weights_only` as they are, beside tensors and those below."""


def plain(value: Any, place: str = "checkpoint") -> Any:
    """The same content in types that torch loads with `weights_only`, so that reading a checkpoint never runs code.

    A named tuple becomes a tuple, a deque a list, an enum its value, a path its text, a number of numpy Python's own,
    an array a tensor.

    Args:
      value: a part of a checkpoint.
      place: where in the checkpoint it is.

    Raises:
      UserError: something has no such form; names its place.
    """
    for kind, convert in CONVERSIONS:
        if isinstance(value, kind):
            return convert(value, place)
    if type(value) in LOADABLE or isinstance(value, Tensor):
        return value
    raise UserError(
        f"cannot save a {type(value).__module__}.{type(value).__qualname__} ({place}): keep tensors, numbers, text, "
        "and lists and dicts of them in the state of callbacks and modules"
    )


def _mapping(value: Mapping[Any, Any], place: str) -> Mapping[Any, Any]:
    items = {plain(key, place): plain(each, f"{place}[{key!r}]") for key, each in value.items()}
    if not isinstance(value, OrderedDict | Counter):
        return items
    kept = (OrderedDict if isinstance(value, OrderedDict) else Counter)(items)
    kept.__dict__.update(value.__dict__)  # the versions of a module's parts
    return kept


def _sequence(value: Sequence[Any], place: str) -> Sequence[Any]:
    items = [plain(each, f"{place}[{number}]") for number, each in enumerate(value)]
    return tuple(items) if isinstance(value, tuple) else items


def _scalar(value: Any, place: str) -> Any:
    """A number or text without the class of its own that it may have."""
    base = next(kind for kind in (bool, int, float, str, bytes) if isinstance(value, kind))
    return value if type(value) is base else base(value)


CONVERSIONS: tuple[tuple[Any, Callable[[Any, str], Any]], ...] = (
    (Enum, lambda value, place: plain(value.value, place)),
    (os.PathLike, lambda value, place: os.fspath(value)),
    (np.generic, lambda value, place: plain(value.item(), place)),
    (np.ndarray, lambda value, place: torch.from_numpy(value.copy())),
    (torch.Size, lambda value, place: value),
    (Mapping, _mapping),
    ((set, frozenset), lambda value, place: {plain(each, place) for each in value}),
    ((list, tuple, deque), _sequence),
    ((bool, int, float, str, bytes), _scalar),
)
"""For each kind what takes its place, the first that fits."""
