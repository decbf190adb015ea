"""A layer of a network that sees pictures, as a grid of annotations: any of torchvision's networks and layers."""

# B = batch, S = side of a picture in pixels, L = places of the grid, D = channels of the layer

import contextlib
import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from augrnn.errors import UserError
from augrnn.known_names import known
from augrnn.seeded import seeded

WEIGHTS_ROOT = "AUGRNN_WEIGHTS"
"""Environment variable naming a directory in which files of weights are looked for."""

Padding = Literal["torch", "tensorflow"]

CHUNK = 16
"""Pictures that a network sees at once when grids are made; more are slower on a CPU."""


class Backbone(nn.Module):
    """A layer of a torchvision network: pixels (B, 3, S, S), 0 to 255, to a grid (B, L, D), row by row.

    The network is cut behind the layer by torchvision's own feature extraction, and always runs as in evaluation: the
    statistics of its normalisations never move, under `.train()` or not.

    Args:
      name: a network of torchvision ("mobilenet_v2").
      layer: a node or a module of its graph that gives (B, D, rows, columns) ("features.18").
      weights: the name of one of torchvision's sets of weights of it ("IMAGENET1K_V1", which is downloaded), or a file
        with a state dict of it, the layers behind `layer` not needed: a path, or one inside the directory that
        AUGRNN_WEIGHTS names. None for random weights, always the same ones, with normalisations that have seen noise.
      size: S, to which pictures are squashed, whatever their sides (bilinear, with antialiasing).
      mean, std: of each channel of the pictures it was trained on, which are 0 to 1.
      padding: "tensorflow" where the weights come from there: convolutions with a stride are padded below and to the
        right first.
      frozen: whether its weights stay as they are in training.

    Attributes:
      grid_size: rows and columns of the grid.
      channels: D.

    Raises:
      UserError: there is no such network, layer or set of weights; a file is of another network; the layer gives no
        grid.
    """

    def __init__(
        self,
        name: str = "mobilenet_v2",
        layer: str = "features.18",
        weights: str | None = None,
        size: int = 224,
        mean: Sequence[float] = (0.485, 0.456, 0.406),
        std: Sequence[float] = (0.229, 0.224, 0.225),
        padding: Padding = "torch",
        frozen: bool = True,
    ) -> None:
        super().__init__()
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise UserError(f"a backbone needs three means and three standard deviations above 0, not {mean} and {std}")
        if padding not in get_args(Padding):
            raise UserError(f"a backbone's padding is {' or '.join(get_args(Padding))}, not {padding}")
        self.name, self.layer, self.size, self.padding, self.frozen = name, layer, size, padding, frozen
        self.scale = [tuple(map(float, mean)), tuple(map(float, std))]
        self.network = _network(name, layer, weights, size)
        if padding == "tensorflow":
            for module in self.network.modules():
                if isinstance(module, nn.Conv2d) and max(module.stride) > 1:
                    module.padding = (0, 0)
                    module.register_forward_pre_hook(_pad_as_tensorflow)
        self.network.requires_grad_(not frozen).to(memory_format=torch.channels_last)  # twice as fast on CPUs
        mean_3, std_3 = (torch.tensor(values)[:, None, None] for values in self.scale)
        self.shift: Tensor
        self.spread: Tensor
        self.register_buffer("shift", mean_3 * 255, persistent=False)
        self.register_buffer("spread", std_3 * 255, persistent=False)
        self.eval()
        self.grid_size, self.channels = self._shape()

    def _shape(self) -> tuple[tuple[int, int], int]:
        try:
            with torch.no_grad():
                grid = self.network(torch.zeros(1, 3, self.size, self.size))["grid"]
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            raise UserError(f"{self.name} cannot see pictures of {self.size} pixels a side: {reason}") from None
        if not isinstance(grid, Tensor) or grid.dim() != 4:
            given = f"of shape {tuple(grid.shape)}" if isinstance(grid, Tensor) else "that is no tensor"
            raise UserError(f"layer {self.layer} of {self.name} gives no grid of channels, but something {given}")
        return (grid.shape[2], grid.shape[3]), grid.shape[1]

    def train(self, mode: bool = True) -> "Backbone":
        """Nothing changes: the network stays in evaluation mode."""
        return super().train(False)

    def forward(self, pixels_BCSS: Tensor) -> Tensor:
        """The grids (B, L, D) of pictures (B, 3, S, S) as `pixels` gives them."""
        if pixels_BCSS.shape[1:] != (3, self.size, self.size):
            raise UserError(f"a backbone for 3 x {self.size} x {self.size} is given {tuple(pixels_BCSS.shape[1:])}")
        x = (pixels_BCSS.to(self.spread.dtype) - self.shift) / self.spread
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            grid_BDRC: Tensor = self.network(x.contiguous(memory_format=torch.channels_last))["grid"]
        return grid_BDRC.flatten(2).transpose(1, 2)

    def pixels(self, image: Image.Image) -> Tensor:
        """A picture as it is given to the network: bytes (3, S, S)."""
        squashed = image.resize((self.size, self.size), Image.Resampling.BILINEAR)
        return torch.from_numpy(np.array(squashed)).permute(2, 0, 1)

    @property
    def fingerprint(self) -> str:
        """A hash of all that its grids depend on: network, layer, weights, and what is done to pictures before."""
        digest = hashlib.sha256(f"1 {self.name} {self.layer} {self.size} {self.scale} {self.padding}".encode())
        for name, value in sorted(self.network.state_dict().items()):
            digest.update(f"\n{name} {tuple(value.shape)} ".encode())
            digest.update(value.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()


def _pad_as_tensorflow(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor]:
    """Padding such that there is an output for every stride, the odd pixel below and to the right."""
    assert isinstance(module, nn.Conv2d)
    x = inputs[0]
    sides: list[int] = []
    for axis in (1, 0):  # columns come first in F.pad
        length, stride = x.shape[2 + axis], module.stride[axis]
        reach = (module.kernel_size[axis] - 1) * module.dilation[axis] + 1
        missing = max((-(-length // stride) - 1) * stride + reach - length, 0)
        sides += [missing // 2, missing - missing // 2]
    return (F.pad(x, sides),)


def _network(name: str, layer: str, weights: str | None, size: int) -> nn.Module:
    from torchvision import models  # slow to import
    from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

    known(name, models.list_models(module=models), "network of torchvision")
    file = None if weights is None else _file(weights)
    named = None
    if weights is not None and file is None:
        sets = [each.name for each in models.get_model_weights(name)]
        if weights not in ("DEFAULT", *sets):
            raise UserError(
                f"there is no file {weights}, neither here nor in ${WEIGHTS_ROOT}, and torchvision has no weights of "
                f"that name for {name}; it has {', '.join(sets)}"
            )
        named = weights
    with seeded(0):
        whole = _made(models.get_model, name, named)
        if weights is None:
            _calibrate(whole, size)
    if file is not None:
        state = _state(file)
        _require_same_network(state, whole, file, name)
    paths = [node.split(".") for node in get_graph_node_names(whole)[1]]
    layers = {".".join(path[:depth]): None for path in paths for depth in range(1, len(path) + 1)}
    known(layer, layers, f"layer of {name}")
    network = create_feature_extractor(whole, {layer: "grid"})
    if file is not None:
        needed = network.state_dict()
        if missing := [key for key in needed if key not in state and not key.endswith("num_batches_tracked")]:
            raise UserError(f"{file} has no {missing[0]}, which {name} needs up to {layer}")
        network.load_state_dict({key: state.get(key, value) for key, value in needed.items()})
    return network


@torch.no_grad()
def _calibrate(network: nn.Module, size: int) -> None:
    """Set the statistics of normalisations to those of smooth noise, or random weights let next to nothing through."""
    normalisations = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for module in normalisations:
        module.momentum = 1.0
    coarse = torch.randn(16, 3, max(1, size // 16), max(1, size // 16))
    with contextlib.suppress(RuntimeError, ValueError):  # of layers that such small pictures leave nothing for
        network.train()(F.interpolate(coarse, size=(size, size), mode="bilinear"))
    network.eval()


def _made(get_model: Any, name: str, weights: str | None) -> nn.Module:
    try:
        model: nn.Module = get_model(name, weights=weights)
    except (OSError, RuntimeError) as error:  # not downloaded, or not whole
        raise UserError(f"torchvision's weights {weights} of {name} cannot be fetched: {error}") from None
    return model


def _file(weights: str) -> Path | None:
    """The file of that path, or of that path in $AUGRNN_WEIGHTS; None where there is none."""
    roots = [Path(), *([Path(os.environ[WEIGHTS_ROOT])] if os.environ.get(WEIGHTS_ROOT) else [])]
    return next((path for root in roots if (path := root / Path(weights).expanduser()).is_file()), None)


def _state(file: Path) -> Mapping[str, Tensor]:
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever the unpickler meets
        reason = str(error).partition(". ")[0].splitlines()  # what follows is advice to load it unsafely
        raise UserError(
            f"{file} is no file of weights that torch can load: {reason[0] if reason else type(error).__name__}"
        ) from None
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise UserError(f"{file} holds no state dict (tensors by name), but a {type(state).__name__}")
    return state


def _require_same_network(state: Mapping[str, Tensor], whole: nn.Module, file: Path, name: str) -> None:
    own = whole.state_dict()
    if foreign := [key for key in state if key not in own]:
        raise UserError(f"{file} is of another network than {name}, which has no {foreign[0]}")
    for key, value in state.items():
        if value.shape != own[key].shape:
            shapes = f"{tuple(value.shape)}, not {tuple(own[key].shape)}"
            raise UserError(f"{file} is of another network than {name}: its {key} has the shape {shapes}")
