"""A small backbone, and a folder of images with captions."""

import io
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from PIL import Image

from augrnn.vision.backbone import Backbone

COLOURS = {"red": (200, 30, 30), "green": (30, 160, 40), "blue": (40, 60, 200), "grey": (120, 120, 120)}


@cache
def backbone(**options: int) -> Backbone:
    """A grid of 7 x 7 places with 128 channels, of random weights."""
    return Backbone("squeezenet1_1", "features.3", size=options.get("size", 32))


def jpeg(colour: tuple[int, int, int], form: str = "JPEG", size: tuple[int, int] = (20, 12)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, form)
    return file.getvalue()


def folder(path: Path) -> Path:
    """Twelve images with two or three captions each, in a table with splits: 8 to train on, 2 and 2 for the others."""
    path.mkdir(parents=True, exist_ok=True)
    lines = ["image,caption,split"]
    for number in range(12):
        name, colour = list(COLOURS)[number % 4], list(COLOURS.values())[number % 4]
        (path / f"{number}.jpg").write_bytes(jpeg((*colour[:2], colour[2] + number)))
        split = "train" if number < 8 else "val" if number < 10 else "test"
        captions = [f"A {name} sheet .", f"The whole picture is {name} .", f"{name} number {number}"]
        lines += [f"{number}.jpg,{caption},{split}" for caption in captions[: 2 + number % 2]]
    (path / "captions.csv").write_text("\n".join(lines) + "\n")
    return path


def small(config: Path, directory: Path) -> list[str]:
    """Options that let a config of captioning train on a few pictures, seen by a network of random weights.

    Args:
      config: a file in configs/captioning.
      directory: for images with captions, and for what the network sees.
    """
    data: dict[str, Any] = {"backbone": {"init_args": {"weights": None}}, "cache": str(directory / "cache")}
    changed: dict[str, Any] = {"data": {"init_args": data}}
    if config.stem.startswith("scenes"):
        data |= {"scenes": 40, "validation_scenes": 4}
    else:
        data |= {"directory": str(folder(directory / "data")), "vocabulary": 20, "batch_size": 4}
        changed["model"] = {"init_args": {"decoder": {"init_args": {"vocabulary": 20}}}}
    (directory / "small.yaml").write_text(yaml.safe_dump(changed))
    return ["--config", str(directory / "small.yaml")]
