"""Reading checkpoints, and the mean of several of a training, which is often better than each."""

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from augrnn.errors import UserError

CONFIG_KEY = "augrnn_config"
"""The key under which a checkpoint holds the run's resolved config, as YAML."""


def read_checkpoint(path: Path) -> dict[str, Any]:
    """What Lightning saved, on the CPU; a tensor is read from the disk when it is used.

    Raises:
      UserError: the file is missing, or is no checkpoint.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except OSError as error:
        raise UserError(f"cannot read the checkpoint {path}: {error.strerror or error}") from None
    except (RuntimeError, ValueError, EOFError, LookupError, pickle.UnpicklingError) as error:
        raise UserError(f"{path} is not a checkpoint, or not a whole one") from error
    weights = content.get("state_dict") if isinstance(content, dict) else None
    if not isinstance(weights, dict) or not all(isinstance(tensor, Tensor) for tensor in weights.values()):
        raise UserError(f"{path} is not a checkpoint of a training: it has no state_dict of tensors")
    return content


def mean_weights(paths: Sequence[Path]) -> dict[str, Tensor]:
    """The state dict of the mean model: each parameter the mean over the checkpoints, whole numbers those of the last.

    Args:
      paths: checkpoints of one model, at least one.

    Raises:
      UserError: there is no path, a file is missing or no checkpoint, or the models differ.
    """
    if not paths:
        raise UserError("there is no checkpoint to take the mean of")
    weights = [read_checkpoint(path)["state_dict"] for path in paths]
    shapes = [{name: tensor.shape for name, tensor in one.items()} for one in weights]
    for path, one in zip(paths, shapes, strict=True):
        if one != shapes[0]:
            raise UserError(f"{path} is of another model than {paths[0]}: they have no mean")
    return {name: _mean([one[name] for one in weights]) for name in weights[-1]}


def _mean(tensors: Sequence[Tensor]) -> Tensor:
    last = tensors[-1]
    # In double precision, so that the mean of equal numbers is that number.
    return torch.stack(list(tensors)).double().mean(0).to(last.dtype) if last.is_floating_point() else last.clone()
